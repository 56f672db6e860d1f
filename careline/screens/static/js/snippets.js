/* Snippets: a slash at the start of a word offers texts in the customer's language, with a preview; Enter puts one in. */

import { ask } from "./ask.js";
import { insert, writing } from "./composer.js";
import { $, make } from "./dom.js";
import { complain } from "./toasts.js";
import { say } from "./words.js";

const box = $("[data-snippets]");
const text = $("[data-text]");
const MOST = 30;
const NOTHING = { number: -1, coming: null };
let asked = NOTHING;
let offered = [];
let shown = [];
let chosen = 0;

export function startSnippets() {
  if (!text) return;
  text.addEventListener("input", follow);
  text.addEventListener("keydown", steer);
  /* A click on the list blurs too, and whoever comes back at once goes on choosing. */
  text.addEventListener("blur", () => setTimeout(() => document.activeElement !== text && hide(), 150));
}

const typedWord = () => /(?:^|\s)\/([\w-]*)$/.exec(text.value.slice(0, text.selectionStart))?.[1];

/** The button, or the key: a slash as if it had been typed. */
export function offerSnippets() {
  text.focus();
  if (typedWord() === undefined)
    text.setRangeText(/\s$|^$/.test(text.value.slice(0, text.selectionStart)) ? "/" : " /", text.selectionStart, text.selectionEnd, "end");
  follow();
}

async function follow() {
  const word = typedWord();
  if (word === undefined) return hide();
  try {
    offered = await offersFor(writing.number);
  } catch (error) {
    return complain(error);
  }
  const wanted = typedWord()?.toLowerCase();
  if (wanted === undefined) return hide();
  shown = offered.filter((one) => one.shortcut.includes(wanted) || one.name.toLowerCase().includes(wanted)).slice(0, MOST);
  chosen = 0;
  draw();
}

/** Asked once a case, however fast somebody types. */
function offersFor(number) {
  if (asked.number !== number) {
    asked = { number, coming: ask("GET", `snippets?case=${number}`) };
    asked.coming.catch(() => (asked = NOTHING));
  }
  return asked.coming;
}

function draw() {
  if (!shown.length) {
    box.replaceChildren(
      make("div", { class: "snippets-box" }, make("p", { class: "preview", text: say(offered.length ? "no_snippet_fits" : "no_snippets") })),
    );
    box.hidden = false;
    return;
  }
  const items = shown.map((one, index) =>
    make(
      "li",
      { class: "option", role: "option", "aria-selected": String(index === chosen), onpointerdown: (event) => (event.preventDefault(), take(one)) },
      make("span", { class: "words", text: one.name }),
      make("small", { text: `/${one.shortcut}` }),
    ),
  );
  const one = shown[chosen];
  const preview = make("div", { class: "preview", dir: "auto", lang: one.language, text: one.text });
  if (one.missing.length) preview.append(make("p", { class: "problem", text: say("snippet_missing", { names: one.missing.join(", ") }) }));
  box.replaceChildren(make("div", { class: "snippets-box" }, make("ul", { role: "listbox", "aria-label": say("snippets") }, ...items), preview));
  box.hidden = false;
  $("[aria-selected=true]", box)?.scrollIntoView({ block: "nearest" });
}

function steer(event) {
  if (box.hidden || !shown.length) return event.key === "Escape" && hide();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) chosen = (chosen + step + shown.length) % shown.length;
  else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) take(shown[chosen]);
  else if (event.key === "Escape") hide();
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (step) draw();
}

function take(one) {
  insert(one.text, { replaceSlash: true });
  writing.snippet = one.id;
  hide();
  const gap = text.value.indexOf("{{");
  if (gap >= 0) text.setSelectionRange(gap, text.value.indexOf("}}", gap) + 2);
}

function hide() {
  if (box) box.hidden = true;
  shown = [];
}
