/* One list to choose from, by typing or by arrows: assign, snooze, tag, outcome, merge and the palette are all this. */

import { $, $$, make } from "./dom.js";
import { say } from "./words.js";

/**
 * Let the person choose. `options` is [{words, note, group, value, key}] or an async function of the typed words returning such a list.
 * Returns the value, {typed} for words that are no option when `free`, or null.
 */
export function pick({ title, options, free = "", placeholder = "", wait = 0 }) {
  return new Promise((resolve) => {
    const list = make("ul", { class: "options", role: "listbox", id: "picker-options", "aria-label": title });
    const find = make("input", {
      class: "sheet-find",
      type: "text",
      role: "combobox",
      "aria-expanded": "true",
      "aria-controls": "picker-options",
      "aria-label": title,
      placeholder: placeholder || title,
      autocomplete: "off",
      spellcheck: "false",
    });
    const foot = make(
      "div",
      { class: "sheet-foot" },
      make("span", {}, make("kbd", { text: "↑ ↓" }), ` ${say("choose")}`),
      make("span", {}, make("kbd", { text: "Enter" }), ` ${say("take_it")}`),
      make("span", {}, make("kbd", { text: "Esc" }), ` ${say("close")}`),
    );
    const sheet = make("dialog", { class: "sheet", "aria-label": title }, find, list, foot);
    const before = document.activeElement;
    let shown = [];
    let chosen = 0;
    let turn = 0;
    let timer = 0;
    let drawn = null;

    const end = (value) => {
      sheet.close();
      sheet.remove();
      before?.focus?.({ preventScroll: true });
      resolve(value);
    };
    const draw = async () => {
      const mine = (turn += 1);
      const typed = find.value.trim();
      const found = typeof options === "function" ? await options(typed) : options.filter((one) => matches(one, typed));
      if (mine !== turn) return;
      drawn = typed;
      shown =
        free && typed && !found.some((one) => one.words.toLowerCase() === typed.toLowerCase())
          ? [...found, { words: `${free} “${typed}”`, value: { typed } }]
          : found;
      chosen = 0;
      list.replaceChildren(...rows(shown, end));
      mark();
    };
    const mark = () => {
      $$("[role=option]", list).forEach((row, index) => row.setAttribute("aria-selected", String(index === chosen)));
      const row = $("[aria-selected=true]", list);
      row?.scrollIntoView({ block: "nearest" });
      if (row) find.setAttribute("aria-activedescendant", row.id);
    };
    /* Who types fast presses Enter before the list was drawn for the last letter: what they typed decides, not what stood there. */
    const take = async () => {
      if (find.value.trim() !== drawn) {
        clearTimeout(timer);
        await draw();
      }
      if (sheet.open && shown[chosen]) end(shown[chosen].value);
    };
    find.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(draw, wait);
    });
    find.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        chosen = (chosen + step + shown.length) % Math.max(1, shown.length);
        mark();
      } else if (event.key === "Enter") {
        event.preventDefault();
        event.stopPropagation();
        take();
      }
    });
    sheet.addEventListener("cancel", (event) => (event.preventDefault(), end(null)));
    sheet.addEventListener("click", (event) => event.target === sheet && end(null));
    document.body.append(sheet);
    sheet.showModal();
    find.focus();
    draw();
  });
}

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const matches = (option, typed) =>
  plain(typed)
    .split(/\s+/)
    .every((word) => plain(`${option.words} ${option.note || ""}`).includes(word));

function rows(options, end) {
  if (!options.length) return [make("li", { class: "option-group", text: say("nothing_fits") })];
  let group = "";
  return options.flatMap((option, index) => {
    const head =
      option.group && option.group !== group ? [make("li", { class: "option-group", text: (group = option.group), role: "presentation" })] : [];
    const end_note = option.key ? make("kbd", { text: option.key }) : option.note ? make("small", { text: option.note }) : null;
    const row = make(
      "li",
      { class: "option", role: "option", id: `option-${index}`, onclick: () => end(option.value) },
      make("span", { class: "words", text: option.words, dir: "auto" }),
      end_note,
    );
    return [...head, row];
  });
}
