/* Small tools for elements: find, make, announce. No knowledge of cases. */

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** An element with attributes (`text`, `class`, `on<event>` are understood) and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
let sprite = "";

/** An icon of the sprite; its address is learnt from any icon already on the page. */
export function icon(name) {
  sprite ||= ($("use")?.getAttribute("href") || "/static/icons/sprite.svg").split("#")[0];
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** Said to screen readers, politely. */
export function announce(words) {
  const place = $("[data-announce]");
  if (!place) return;
  place.textContent = "";
  setTimeout(() => (place.textContent = words), 50);
}

/** Runs once, `wait` ms after the last call. `.now()` runs a waiting call at once. */
export function later(work, wait) {
  let timer = 0;
  const call = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => ((timer = 0), work(...args)), wait);
  };
  call.now = (...args) => {
    clearTimeout(timer);
    timer = 0;
    return work(...args);
  };
  call.isWaiting = () => timer !== 0;
  call.forget = () => ((timer = 0), clearTimeout(timer));
  return call;
}

/** Runs at most once in `wait` ms, however often it is called: for work that a flood of events asks for. */
export function atMost(work, wait) {
  let timer = 0;
  return () => {
    timer ||= setTimeout(() => ((timer = 0), work()), wait);
  };
}

/** HTML of our own server as a detached fragment. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** Whether keys belong to a field the person types in. */
export function isTyping(target) {
  return target instanceof Element && (target.matches("input:not([type=checkbox],[type=radio]), textarea, select") || target.isContentEditable);
}

/** An unguessable key, also where crypto.randomUUID is missing (plain http). */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
