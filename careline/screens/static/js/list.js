/* The list: rows patched by key as events arrive, never moved under the pointer, walked by j and k. */

import { ask } from "./ask.js";
import { desk } from "./desk.js";
import { $, $$, atMost, parse } from "./dom.js";
import { on } from "./stream.js";
import { dress } from "./time.js";
import { complain } from "./toasts.js";
import { belongs, compare } from "./views.js";
import { count } from "./words.js";

const rows = $("[data-rows]");
const scroll = $("[data-list-scroll]");
const pane = $("[data-list]");
const news = $("[data-list-news]");
const held = new Map();
let pointer = null;
let listening = () => {};

const rowOf = (number) => $(`[data-number="${number}"]`, rows);
export const currentRow = () => $(".row:has(> [aria-current])", rows);
export const picked = () => $$("[data-pick]:checked", rows).map((box) => Number(box.value));

/** Mark the row of the open case. */
export function markCurrent(number) {
  $("[aria-current]", rows)?.removeAttribute("aria-current");
  const row = number ? rowOf(number) : null;
  row?.querySelector(".row-open").setAttribute("aria-current", "true");
  row?.scrollIntoView({ block: "nearest" });
}

/** The row `by` steps from the current one; the first when there is none. */
export function neighbour(by) {
  const all = $$(".row:not(.is-leaving)", rows);
  const here = all.indexOf(currentRow());
  return here < 0 ? all[by > 0 ? 0 : all.length - 1] : all[here + by];
}

/** Wake the list: stream, pages, pointer. `changed(id, row)` hears of every case that changed. */
export function startList(changed) {
  if (!rows) return;
  listening = changed;
  on("case", (event) => (wanted.delete(String(event.id)), take(event.id, parse(event.row).firstElementChild)));
  on("gone", (event) => (wanted.delete(String(event.id)), leave(event.id), listening(String(event.id), null)));
  on("hint", (event) => event.case_id && askRows([event.case_id]));
  on("reset", reload);
  on("agent", (event) => event.facts?.what === "profile" && String(event.agent_id) !== desk.me.agent && reload());
  scroll.addEventListener("pointermove", (event) => (pointer = event.target.closest?.(".row") || null));
  scroll.addEventListener("pointerleave", () => ((pointer = null), release()));
  news.addEventListener("click", () => ((pointer = null), release(), scroll.scrollTo({ top: 0 })));
  new IntersectionObserver(more, { root: scroll, rootMargin: "600px" }).observe($("[data-list-foot]"));
  showEmpty();
}

const wanted = new Set();
const askWanted = atMost(async () => {
  const ids = [...wanted].slice(0, 100);
  if (!ids.length) return;
  ids.forEach((id) => wanted.delete(id));
  try {
    const found = await ask("GET", `rows?ids=${ids.join(",")}&${desk.query}`);
    for (const id of found.gone) (leave(id), listening(id, null));
    for (const [id, html] of Object.entries(found.rows)) take(id, parse(html).firstElementChild, true);
  } catch (error) {
    if (error.code !== "offline") complain(error);
  }
  if (wanted.size) askWanted();
}, 350);

function askRows(ids) {
  ids.forEach((id) => wanted.add(String(id)));
  askWanted();
}

function take(id, fresh, isAllowed = false) {
  const verdict = belongs(fresh.dataset);
  const old = document.getElementById(`case-${id}`);
  if (old && Number(old.dataset.version) > Number(fresh.dataset.version)) return;
  listening(String(id), fresh);
  const isListed = verdict === true || (verdict === "ask" && isAllowed) || (verdict !== false && Boolean(old));
  if (verdict === "ask" && !isAllowed && !old) return askRows([id]);
  if (isListed) place(fresh, old);
  else leave(id);
}

/** Put a row where it belongs, or hold it while that would move what is under the pointer. */
function place(fresh, old) {
  dress(fresh);
  const all = $$(".row", rows).filter((row) => row !== old);
  const before = all.find((row) => compare(fresh.dataset, row.dataset) < 0) || null;
  if (!before && pane.dataset.next && !old) return showEmpty();
  const stays = old && (old.nextElementSibling === before || (old.nextElementSibling === null && before === null));
  if (old && (stays || isUnderPointer(before, old))) return (replace(old, fresh), stays || hold(fresh));
  if (!old && isUnderPointer(before, null)) return hold(fresh);
  held.delete(fresh.dataset.id);
  move(fresh, old, before);
}

function isUnderPointer(before, old) {
  if (!pointer?.isConnected) return false;
  const all = $$(".row", rows);
  const under = all.indexOf(pointer);
  const to = before ? all.indexOf(before) : all.length;
  return (old ? Math.min(to, all.indexOf(old)) : to) <= under;
}

function replace(old, fresh) {
  carry(old, fresh);
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(fresh);
  if (pointer === old) pointer = fresh;
  if (hadFocus) $(".row-open", fresh).focus({ preventScroll: true });
}

function carry(old, fresh) {
  if ($("[aria-current]", old)) $(".row-open", fresh).setAttribute("aria-current", "true");
  if ($("[data-pick]:checked", old)) $("[data-pick]", fresh).checked = true;
}

function move(fresh, old, before) {
  const top = scroll.scrollTop;
  const isAbove = before && before.offsetTop < top + before.offsetHeight && top > 0;
  const hadFocus = old?.contains(document.activeElement);
  const wasAbove = old && old.offsetTop < top;
  if (old) (carry(old, fresh), old.remove());
  else fresh.classList.add("is-new");
  rows.insertBefore(fresh, before);
  if (hadFocus) $(".row-open", fresh).focus({ preventScroll: true });
  scroll.scrollTop = top + (isAbove ? fresh.offsetHeight : 0) - (wasAbove ? fresh.offsetHeight : 0);
  showEmpty();
}

function hold(fresh) {
  held.set(fresh.dataset.id, fresh.cloneNode(true));
  news.hidden = false;
  news.textContent = count("new_in_list", held.size);
}

function release() {
  const waiting = [...held.values()];
  held.clear();
  news.hidden = true;
  for (const fresh of waiting) place(fresh, document.getElementById(fresh.id));
  for (const row of $$(".row.is-leaving", rows)) if (!$("[aria-current]", row)) row.remove();
  showEmpty();
}

/** A row that left the view: at once, or greyed while it is open or lies under the pointer. */
export function leave(id) {
  held.delete(String(id));
  const row = document.getElementById(`case-${id}`);
  if (!row) return;
  const all = $$(".row", rows);
  if ($("[aria-current]", row) || (pointer && all.indexOf(row) <= all.indexOf(pointer))) row.classList.add("is-leaving");
  else row.remove();
  showEmpty();
}

/** Rows that were only kept because they were open. */
export function sweep() {
  for (const row of $$(".row.is-leaving", rows)) if (!$("[aria-current]", row) && row !== pointer) row.remove();
  showEmpty();
}

let isAsking = false;

async function more(entries) {
  if (isAsking || !pane.dataset.next || !entries.some((entry) => entry.isIntersecting)) return;
  isAsking = true;
  try {
    const page = await ask("GET", `list?${desk.query}&cursor=${encodeURIComponent(pane.dataset.next)}`);
    const fresh = parse(page.rows);
    for (const row of [...fresh.children]) if (!document.getElementById(row.id)) rows.append(row);
    pane.dataset.next = page.next;
    dress(rows);
    showEmpty();
  } catch (error) {
    complain(error);
  } finally {
    isAsking = false;
  }
}

async function reload() {
  const page = await ask("GET", `list?${desk.query}`).catch(complain);
  if (!page) return;
  const current = currentRow()?.dataset.number;
  rows.replaceChildren(parse(page.rows));
  pane.dataset.next = page.next;
  dress(rows);
  markCurrent(current);
  listening(null, null);
  showEmpty();
}

function showEmpty() {
  $("[data-list-empty]").hidden = Boolean(rows.firstElementChild);
  $("[data-list-foot]").hidden = !pane.dataset.next;
}
