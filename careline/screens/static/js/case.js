/* Opening cases: the neighbours are fetched beforehand, a change makes what was fetched worthless, the open one is patched in place. */

import { askHtml, at } from "./ask.js";
import { desk, isPhone, showPane } from "./desk.js";
import { $, $$, announce, later, make, parse } from "./dom.js";
import { currentRow, markCurrent, neighbour, sweep } from "./list.js";
import { dressTimeline, keepEnd, rest } from "./timeline.js";
import { patch } from "./patch.js";
import { dress } from "./time.js";
import { complain } from "./toasts.js";
import { say } from "./words.js";

const KEPT = 12;
const SKELETON_AFTER_MS = 140;
const fetched = new Map();
const regions = Object.fromEntries($$("[data-region]").map((region) => [region.dataset.region, region]));
const scroll = $("[data-timeline-scroll]");
let opening = 0;
let shown = 0;
let asked = 0;
let patched = 0;
let isCovered = false;
/* The module that reads further back, once there was a case for it. */
let earlier = null;
const openers = [];
const refreshers = [];

/** Call when another case was opened, and when the open one was refreshed. */
export const onOpen = (work) => openers.push(work);
export const onRefresh = (work) => refreshers.push(work);

/** The case that came with the page. */
export function startCase() {
  const facts = readFacts(regions.facts);
  keepEnd(scroll);
  if (facts) arrive(facts, true);
  addEventListener("popstate", () => {
    const number = numberIn(location.pathname);
    if (number) openCase(number, { push: false });
    else (showPane("list"), closeCase());
  });
  history.replaceState({ number: shown }, "");
}

const numberIn = (path) => Number(/\/cases\/(\d+)/.exec(path)?.[1] || 0);
const readFacts = (root) => JSON.parse($("[data-facts]", root)?.textContent || "null");
const path = (number, extra = "") => `cases/${number}?${desk.query}${extra}`;

/** Show a case. From memory at once when it was fetched, else as soon as it comes. */
export async function openCase(number, { push = true, focus = false } = {}) {
  // Whatever was still coming is not wanted any more, also when the way leads back to the case on screen.
  const mine = (opening += 1);
  markCurrent(number);
  showPane("case");
  if (number === shown && !isCovered) return focus && scroll.focus();
  const waiting = setTimeout(() => mine === opening && showSkeleton(), SKELETON_AFTER_MS);
  try {
    const html = await (fetched.get(number) || fetchCase(number));
    if (mine !== opening) return;
    if (push) history.pushState({ number }, "", at(path(number)));
    show(html);
    if (focus) scroll.focus({ preventScroll: true });
  } catch (error) {
    fetched.delete(number);
    if (mine === opening) showProblem(number, error);
  } finally {
    clearTimeout(waiting);
  }
}

function fetchCase(number) {
  const coming = askHtml(path(number), "case");
  fetched.delete(number);
  fetched.set(number, coming);
  coming.catch(() => fetched.delete(number));
  while (fetched.size > KEPT) fetched.delete(fetched.keys().next().value);
  return coming;
}

function show(html) {
  const fragment = parse(html);
  for (const template of $$("template[data-for]", fragment)) regions[template.dataset.for].replaceChildren(template.content);
  arrive(readFacts(regions.facts));
}

function arrive(facts, isFirst = false) {
  shown = facts.number;
  isCovered = false;
  desk.facts = facts;
  earlier?.startAnew();
  if (facts.earlier_than || location.hash) import("./earlier.js").then((found) => (earlier = found));
  dress();
  if (isPhone()) $("[data-failed]")?.removeAttribute("open");
  dressTimeline(regions.timeline);
  document.title = `${facts.person} · ${facts.number} · Careline`;
  markCurrent(facts.number);
  sweep();
  for (const work of openers) work(facts);
  rest(scroll);
  if (!isFirst) announce(say("opened", { name: facts.person, number: facts.number }));
  (window.requestIdleCallback || setTimeout)(prefetch);
}

function prefetch() {
  for (const row of [neighbour(1), neighbour(-1)]) {
    const number = Number(row?.dataset.number || 0);
    if (number && number !== shown && !fetched.has(number)) fetchCase(number).catch(() => {});
  }
}

/** A case changed somewhere: what was fetched of it is worthless; the open one is patched. */
export function forget(number, id) {
  fetched.delete(number);
  if (number === shown || id === desk.facts?.id) refreshSoon();
}

export const forgetAll = () => (fetched.clear(), shown && refreshSoon());

const refreshSoon = later(() => refresh(), 90);

/** Fetch the open case again, as far back as it is on screen, and patch it in: scroll, focus, open folds and the composer stay as they are. */
export async function refresh() {
  const number = shown;
  const from = earlier?.reached() || "";
  refreshSoon.forget();
  if (!number) return null;
  const mine = (asked += 1);
  try {
    const html = await askHtml(path(number, from && `&from=${from}`), "case");
    if (number !== shown) return null;
    // Earlier messages came meanwhile, which this answer would take away again.
    if (from !== (earlier?.reached() || "")) return refresh();
    // A slow answer to an earlier question is older than what already stands here.
    if (mine < patched) return desk.facts;
    patched = mine;
    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
    const fragment = parse(html);
    for (const template of $$("template[data-for]", fragment)) apply(template.dataset.for, template.content);
    const before = desk.facts;
    desk.facts = readFacts(regions.facts);
    dress();
    dressTimeline(regions.timeline);
    if (atEnd) scroll.scrollTop = scroll.scrollHeight;
    for (const work of refreshers) work(desk.facts, before);
    return desk.facts;
  } catch (error) {
    if (error.status === 404) showProblem(number, error);
    else if (error.code !== "offline") complain(error);
    return null;
  }
}

function apply(name, content) {
  if (name === "timeline" || name === "person") patch(regions[name], content);
  else regions[name].replaceChildren(content);
}

/** The next case of the list (or the one before, at its end), for after a case was dealt with. */
export function openNext(from = currentRow()) {
  const next = neighbour(1) || neighbour(-1);
  if (next && next !== from) return openCase(Number(next.dataset.number));
  closeCase();
  showPane("list");
}

/** No case on screen. */
function closeCase() {
  if (!shown) return;
  shown = 0;
  opening += 1;
  desk.facts = null;
  for (const region of Object.values(regions)) region.replaceChildren();
  regions.timeline.append(make("div", { class: "empty" }, make("b", { text: say("choose_case") }), make("p", { text: say("choose_case_how") })));
  markCurrent(0);
  sweep();
  for (const work of openers) work(null);
}

function showSkeleton() {
  isCovered = true;
  regions.timeline.replaceChildren(...[72, 54, 88, 40].map((width) => make("div", { class: `skeleton w-${width}` })));
}

function showProblem(number, error) {
  shown = 0;
  desk.facts = null;
  for (const name of ["head", "person", "facts"]) regions[name].replaceChildren();
  const again = make("button", { class: "button", type: "button", text: say("try_again"), onclick: () => openCase(number) });
  regions.timeline.replaceChildren(
    make("div", { class: "empty", role: "alert" }, make("b", { text: say("case_not_opened") }), make("p", { text: error.message }), again),
  );
  for (const work of openers) work(null);
  if (isPhone()) showPane("case");
}
