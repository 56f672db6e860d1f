/* A stop above the text: why, what is new, and what may be done. One at a time. */

import { $, make } from "./dom.js";

const box = $("[data-stopped]");

/** Show a stop. `choices` are [words, function]; each closes it. */
export function stop(words, items, choices) {
  box.replaceChildren(make("b", { text: words }));
  if (items.length) box.append(make("ul", {}, ...items.map((item) => make("li", { text: item, dir: "auto" }))));
  const buttons = choices.map(([label, work], index) =>
    make("button", { type: "button", class: index ? "button slim" : "button slim first", text: label, onclick: () => (clearStop(), work()) }),
  );
  box.append(make("div", { class: "choices" }, ...buttons));
  box.hidden = false;
  return buttons;
}

export function clearStop() {
  if (box) box.hidden = true;
}
