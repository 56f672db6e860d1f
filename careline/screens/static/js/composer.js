/* The composer: one for the whole desk. It follows the open case, never loses words, and always says who will read them. */

import { onOpen, onRefresh } from "./case.js";
import { check, stopPersonal, tellNews } from "./checking.js";
import { desk, isPhone } from "./desk.js";
import { $, $$, newKey } from "./dom.js";
import { drop, flush, found, keep } from "./drafts.js";
import { keepCounting, showReaders } from "./guard.js";
import { fillMail, showMail } from "./mail-fields.js";
import { sayPresence } from "./presence.js";
import { clearStop } from "./stops.js";
import { clearFiles, setRules, watchFiles } from "./uploads.js";
import { say } from "./words.js";

const slot = $("[data-composer-slot]");
const form = $("[data-composer]");
const text = $("[data-text]");
const threads = $("[data-thread]");

/** What is being written: `mode`, the chosen way, the two texts (a note never becomes an answer), and the version the writer saw. */
export const writing = {
  number: 0,
  mode: "note",
  choice: null,
  texts: { answer: "", note: "" },
  key: "",
  seen: 0,
  snippet: "",
  allowed: "",
  news: [],
};

export const words = () => text.value;
const kind = (mode) => (mode === "note" ? "note" : "answer");

export function startComposer() {
  if (!form) return;
  onOpen(load);
  onRefresh(refreshed);
  form.addEventListener("focusin", () => open(true));
  form.addEventListener("focusout", () =>
    setTimeout(
      () => !form.contains(document.activeElement) && !document.querySelector("dialog[open]") && open(Boolean(text.value) && !isPhone()),
      120,
    ),
  );
  form.addEventListener("mousedown", holdStill);
  form.addEventListener("click", ({ target }) => !form.contains(document.activeElement) && target.closest("button")?.focus());
  text.addEventListener("input", typed);
  threads.addEventListener("change", () => choose(threads.value));
  for (const button of $$("[data-modes] [data-mode]")) button.addEventListener("click", () => (setMode(button.dataset.mode), text.focus()));
  form.addEventListener("uploads", check);
  watchFiles(form, text);
  keepCounting(() => writing);
}

function load(facts) {
  flush();
  clearStop();
  clearFiles();
  slot.hidden = !facts || !(facts.may_answer || facts.may_note);
  writing.number = facts?.number || 0;
  if (!facts) return;
  const drafts = found(facts);
  const answer = drafts.public ? "public" : drafts.private ? "private" : "";
  Object.assign(writing, {
    texts: { answer: drafts[answer] || "", note: drafts.note || "" },
    key: newKey(),
    seen: facts.version,
    snippet: "",
    allowed: "",
    news: [],
    choice: null,
  });
  setMode(answer || (drafts.note ? "note" : usual(facts)), true);
  open(form.contains(document.activeElement));
}

/** Where the customer spoke last is where they are answered; what cannot be answered gets a note. */
function usual(facts) {
  const first = facts.choices.find((choice) => !choice.closed && may(choice.mode)) || facts.choices.find((choice) => may(choice.mode));
  return first?.mode || "note";
}

function may(mode) {
  const facts = desk.facts;
  return mode === "note" ? facts.may_note : mode === "public" ? facts.may_answer && facts.may_answer_public : facts.may_answer;
}

const choicesOf = (mode) => desk.facts.choices.filter((choice) => choice.mode === mode);

/** Change who reads. Nothing is emptied; words with personal data ask once before they become public. */
export function setMode(mode, isFirst = false) {
  if (!desk.facts || !may(mode)) return;
  const before = writing.mode;
  if (!isFirst) {
    writing.texts[kind(before)] = text.value;
    if (mode === "public" && before === "private" && stopPersonal(() => setMode("public"))) return;
    if (kind(before) === "answer" && kind(mode) === "answer" && before !== mode && text.value) moveDraft(before, mode);
  }
  writing.mode = mode;
  text.value = writing.texts[kind(mode)];
  form.dataset.mode = mode;
  const options = choicesOf(mode);
  threads.hidden = options.length < 2;
  threads.replaceChildren(
    ...options.map((choice, index) => new Option(`${choice.channel} · ${choice.subject || choice.person || choice.surface}`, String(index))),
  );
  choose(
    String(
      Math.max(
        0,
        options.findIndex((choice) => !choice.closed),
      ),
    ),
  );
}

/** The ways to answer that the case has now: a customer may have opened another. */
function showModes() {
  for (const button of $$("[data-modes] [data-mode]")) {
    const { mode } = button.dataset;
    button.setAttribute("aria-pressed", String(mode === writing.mode));
    button.hidden = mode !== "note" && (!may(mode) || !choicesOf(mode).length);
  }
  $("[data-template]").hidden = !writing.choice?.templates;
  $("[data-send-private]").hidden = !privateWay() && !privateLink();
  $("[data-send-private] span").textContent = say(privateWay() ? "public_then_private" : "public_with_link");
}

function moveDraft(before, mode) {
  drop(writing.number, before);
  keep(writing.number, mode, text.value);
}

function choose(index) {
  writing.choice = writing.mode === "note" ? null : choicesOf(writing.mode)[Number(index)] || null;
  threads.value = index;
  showReaders(writing.mode, writing.choice);
  setRules(writing.mode === "note" ? null : writing.choice);
  fillMail(writing.choice);
  const button = { public: "reply_public", private: "reply_private", note: "keep_note" }[writing.mode];
  $("[data-send-words]").textContent = say(writing.choice?.is_mail ? "send_mail" : button);
  showModes();
  text.placeholder = placeholder();
  check();
}

/** The private way that belongs to the public conversation being answered; null where there is none that is open. */
export function privateWay() {
  const { mode, choice } = writing;
  if (mode !== "public" || !choice || !may("private")) return null;
  const open = choicesOf("private").filter((one) => !one.closed && one.channel === choice.channel);
  return open.find((one) => one.thread === choice.thread) || open[0] || null;
}

/** The address by which the customer comes to us in private, where only they can begin. */
export function privateLink() {
  const { mode, choice } = writing;
  return mode === "public" && may("private") ? choice?.private_link || "" : "";
}

/** Go on in private with the same customer. */
export function goPrivate(way) {
  setMode("private");
  const index = choicesOf("private").findIndex((one) => one.thread === way.thread && one.surface === way.surface);
  if (index >= 0) choose(String(index));
  text.focus();
}

function placeholder() {
  if (writing.mode === "note") return say("write_note");
  return say(writing.mode === "public" ? "write_public" : "write_private", { name: writing.choice?.person || desk.facts.person });
}

/** One line until someone writes. */
function open(isOpen) {
  form.classList.toggle("is-open", isOpen);
  showMail(isOpen && writing.choice);
}

/** Taking the focus opens the composer: a button would slip away from under the pointer, and its click be lost. It gets the focus after. */
function holdStill(event) {
  if (!form.classList.contains("is-open") && event.target.closest("button")) event.preventDefault();
}

function typed() {
  writing.texts[kind(writing.mode)] = text.value;
  keep(writing.number, writing.mode, text.value);
  if (!writing.news.length) writing.seen = desk.facts.version;
  sayPresence(true, writing.mode);
  check();
}

/** The case was patched while someone writes: new windows and versions, and a word about what is new. */
function refreshed(facts, before) {
  if (facts.number !== writing.number) return;
  const was = writing.choice;
  const index = choicesOf(writing.mode).findIndex((choice) => was && choice.thread === was.thread && choice.surface === was.surface);
  if (writing.mode !== "note" && index >= 0) {
    writing.choice = choicesOf(writing.mode)[index];
    showReaders(writing.mode, writing.choice);
    setRules(writing.choice);
    showModes();
  } else if (writing.mode !== "note") setMode(writing.mode, true); // a conversation that began took the place of the way to begin it
  if (!text.value) writing.seen = facts.version;
  else if (before && facts.last_message !== before.last_message) tellNews(before.last_message);
  check();
}

/** Words were sent: an empty composer for the same case. */
export function emptied(mode) {
  writing.texts[kind(mode)] = "";
  Object.assign(writing, { key: newKey(), snippet: "", allowed: "", news: [], seen: desk.facts?.version || 0 });
  if (kind(mode) === kind(writing.mode)) text.value = "";
  clearFiles();
  drop(writing.number, mode, mode === "note");
  open(form.contains(document.activeElement));
  check();
}

/** Put words where the cursor is (snippets), or give taken back ones back. */
export function insert(added, { replaceSlash = false } = {}) {
  open(true);
  text.focus();
  const start = replaceSlash ? text.value.slice(0, text.selectionStart).search(/(^|\s)\/[\w-]*$/) : text.selectionStart;
  const from = replaceSlash && start >= 0 ? start + (text.value[start] === "/" ? 0 : 1) : text.selectionStart;
  text.setRangeText(added, from, text.selectionEnd, "end");
  typed();
}
