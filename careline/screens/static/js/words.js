/* Words the modules say, brought by the page in the reader's language. */

const table = Object.assign({}, ...[...document.querySelectorAll("script[data-words]")].map((script) => JSON.parse(script.textContent)));
const plural = new Intl.PluralRules(document.documentElement.lang || "en");

/** The words of a key, with {name} filled in. A key nobody translated reads as itself. */
export function say(key, values = {}) {
  return (table[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The same with a number: keys end in _one and _other. */
export function count(key, num, values = {}) {
  const form = plural.select(num) === "one" ? "one" : "other";
  return say(`${key}_${form}`, { num: num.toLocaleString(document.documentElement.lang), ...values });
}

/** Whether a key is known: for codes that may come from elsewhere. */
export const knows = (key) => key in table;
