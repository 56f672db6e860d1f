/* The keyboard: single keys act at once unless switched off; every key can be changed, in this browser. */

import { command, listed, run } from "./commands.js";
import { $, isTyping, make } from "./dom.js";
import { say } from "./words.js";

const STORE = "careline-keys";
const SINGLE = "careline-single-keys";
const ALWAYS = new Set(["palette", "send"]);

function load(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

let changed = load(STORE, {});
let isSingle = load(SINGLE, true);

/** The key of a command now. */
export const keyOf = (name) => changed[name] ?? command(name)?.key ?? "";

/** Listen. `areOn` is the agent's own setting. */
export function startKeys(areOn) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const pressed = nameOf(event);
    const found = listed().find((one) => keyOf(one.name) === pressed);
    if (!found || (!ALWAYS.has(found.name) && !mayAct(event, areOn, found))) return;
    if (run(found.name, null, event)) event.preventDefault();
  });
}

function mayAct(event, areOn, found) {
  if (!areOn || !isSingle || event.ctrlKey || event.metaKey || event.altKey) return event.ctrlKey || event.metaKey;
  if (document.querySelector("dialog[open]")) return false;
  if (isTyping(event.target)) return false;
  const onControl = event.target.closest?.("button, a[href], summary, [role=option]");
  return !(event.key === "Enter" && onControl && !onControl.matches(".row-open")) || found.name === "send";
}

function nameOf(event) {
  const parts = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : ""].filter(Boolean);
  const key = event.key.length === 1 ? (parts.length ? event.key.toUpperCase() : event.key.toLowerCase()) : event.key;
  return [...parts, key].join(" ");
}

/** The map on its own page, and in the `?` sheet. */
function drawMap(list, { canChange = false } = {}) {
  list.replaceChildren(
    ...listed()
      .filter((one) => one.key)
      .map((one) =>
        make(
          "li",
          {},
          make("span", { text: say(one.words) }),
          canChange && !ALWAYS.has(one.name) ? field(one) : make("kbd", { text: keyOf(one.name) }),
        ),
      ),
  );
}

function field(one) {
  const input = make("input", {
    class: "input",
    size: 6,
    value: keyOf(one.name),
    "aria-label": say("key_for", { name: say(one.words) }),
    readonly: true,
  });
  input.addEventListener("keydown", (event) => {
    if (["Tab", "Shift", "Control", "Alt", "Meta", "Escape"].includes(event.key)) return;
    event.preventDefault();
    changed = { ...changed, [one.name]: nameOf(event) };
    const twin = listed().find((other) => other.name !== one.name && keyOf(other.name) === nameOf(event));
    if (twin) changed[twin.name] = "";
    save(STORE, changed);
    drawMap(input.closest("[data-key-map]"), { canChange: true });
    $(`[aria-label="${CSS.escape(input.getAttribute("aria-label"))}"]`)?.focus();
  });
  return input;
}

function save(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    /* a forbidden store: the usual keys stay */
  }
}

/** The keyboard page. */
export function startKeyPage() {
  const list = $("[data-key-map]");
  if (!list) return;
  drawMap(list, { canChange: true });
  const box = $("[data-single-keys]");
  box.checked = isSingle;
  box.addEventListener("change", () => save(SINGLE, (isSingle = box.checked)));
}

export function resetKeys() {
  changed = {};
  save(STORE, changed);
  startKeyPage();
}

/** `?`: every key at a glance. */
export function showMap() {
  const list = make("ul", { class: "keys" });
  drawMap(list);
  const sheet = make("dialog", { class: "sheet wide", "aria-label": say("keyboard") });
  const shut = () => (sheet.close(), sheet.remove());
  sheet.append(
    make(
      "div",
      { class: "sheet-head" },
      make("h2", { text: say("keyboard") }),
      make("button", { class: "button slim", type: "button", text: say("close"), onclick: shut }),
    ),
    make("div", { class: "sheet-body" }, list),
  );
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
}
