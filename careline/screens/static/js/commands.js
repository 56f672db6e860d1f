/* Everything a person can do, by name: buttons (data-do), keys and the palette all run the same command. */

const table = new Map();

/** Add commands: name -> function(element, event), or {run, words, key, group, when}. */
export function learn(commands) {
  for (const [name, given] of Object.entries(commands)) table.set(name, typeof given === "function" ? { run: given } : given);
}

export const command = (name) => table.get(name);

/** Those with words: what the palette and the keyboard map show. */
export function listed() {
  return [...table].filter(([, one]) => one.words).map(([name, one]) => ({ name, ...one }));
}

/** Run one, if it exists and may be run now. Returns whether it did. */
export function run(name, element = null, event = null) {
  const found = table.get(name);
  if (!found || (found.when && !found.when())) return false;
  found.run(element, event);
  return true;
}

/** Clicks on anything with data-do. */
export function obeyClicks() {
  document.addEventListener("click", (event) => {
    const element = event.target.closest?.("[data-do]");
    if (!element || event.defaultPrevented || event.ctrlKey || event.metaKey) return;
    if (run(element.dataset.do, element, event) && element.tagName === "A") event.preventDefault();
  });
}
