/* Drafts survive anything: kept in this browser at every stroke until the server has them, then on the server, per case and mode. */

import { ask } from "./ask.js";
import { desk } from "./desk.js";
import { $, later } from "./dom.js";
import { say } from "./words.js";

const SAVE_AFTER_MS = 700;
const place = (number, mode) => `careline-draft ${document.body.dataset.workspace} ${desk.me.agent} ${number} ${mode}`;

function remember(number, mode, text) {
  try {
    if (text === null) localStorage.removeItem(place(number, mode));
    else localStorage.setItem(place(number, mode), text);
  } catch {
    /* a full or forbidden store: the server still gets it */
  }
}

const unsaved = (number, mode) => {
  try {
    return localStorage.getItem(place(number, mode));
  } catch {
    return null;
  }
};

const saveSoon = later(save, SAVE_AFTER_MS);
let waiting = null;
let saving = Promise.resolve();

/** After every stroke. */
export function keep(number, mode, text) {
  if (waiting && (waiting.number !== number || waiting.mode !== mode)) flush();
  waiting = { number, mode, text };
  remember(number, mode, text);
  show("draft_saving");
  saveSoon();
}

/** Save what still waits, now: before another case is shown. */
export function flush() {
  if (waiting) saveSoon.now();
}

/** The words are about to be sent: no copy of them may reach the server after they did. This browser keeps them until `drop`. */
export async function hold(number, mode) {
  if (waiting?.number === number && waiting.mode === mode) ((waiting = null), saveSoon.forget());
  await saving;
}

/** The words were sent or thrown away. */
export function drop(number, mode, onServer = true) {
  if (waiting?.number === number && waiting.mode === mode) ((waiting = null), saveSoon.forget());
  remember(number, mode, null);
  show("");
  if (onServer) ask("POST", `cases/${number}/drafts`, { mode, text: "" }).catch(() => {});
}

async function save() {
  const { number, mode, text } = waiting || {};
  waiting = null;
  if (!number) return;
  const coming = ask("POST", `cases/${number}/drafts`, { mode, text }, { keepalive: true });
  saving = Promise.allSettled([saving, coming]);
  try {
    await coming;
    if (unsaved(number, mode) === text) remember(number, mode, null);
    show(text ? "draft_saved" : "");
  } catch {
    show("draft_here");
  }
}

function show(key) {
  const line = $("[data-draft-state]");
  if (line) line.textContent = key && say(key);
}

/** What was being written here, by mode: this browser's unsaved words before the server's. */
export function found(facts) {
  const drafts = { ...facts.drafts };
  for (const mode of ["public", "private", "note"]) {
    const local = unsaved(facts.number, mode);
    if (local !== null && local !== "") drafts[mode] = local;
  }
  return drafts;
}

addEventListener("pagehide", flush);
document.addEventListener("visibilitychange", () => document.hidden && flush());
