/* What just happened, said for a moment, with its way back. `z` takes the newest one back. */

import { ask } from "./ask.js";
import { $, $$, make } from "./dom.js";
import { say } from "./words.js";

const SHOWN_MS = 8000;
/* More would cover the list; what is no longer shown can still be taken back, newest first, with z. */
const MOST_SHOWN = 3;
const undoable = [];

/** Say something. `undo` is a function; `until` (epoch ms) makes the toast count down to it. */
export function toast(words, { undo = null, until = 0, bad = false, label = "" } = {}) {
  const box = make("div", { class: bad ? "toast bad" : "toast", role: bad ? "alert" : null }, make("span", { text: words, dir: "auto" }));
  const left = make("b", {});
  if (until) box.append(left);
  const entry = undo && { undo, box };
  if (entry) {
    box.append(
      make("button", { class: "act", type: "button", text: label || say("undo"), onclick: () => takeBack(entry) }),
      make("kbd", { text: "z" }),
    );
    undoable.push(entry);
  } else box.append(make("button", { class: "act", type: "button", text: say("close"), onclick: () => gone(box, entry) }));
  $("[data-toasts]").append(box);
  makeRoom();
  const count = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (until) left.textContent = seconds > 0 ? `${seconds} s` : "";
  };
  count();
  const tick = setInterval(count, 200);
  const ends = until ? Math.max(600, until - Date.now()) : bad ? SHOWN_MS * 2 : SHOWN_MS;
  setTimeout(() => (clearInterval(tick), gone(box, entry, Boolean(until))), ends);
  return box;
}

/** The oldest leave first, refusals last. */
function makeRoom() {
  const shown = $$("[data-toasts] .toast");
  const leaving = [...shown.filter((box) => !box.matches(".bad")), ...shown.filter((box) => box.matches(".bad"))];
  for (const box of leaving.slice(0, Math.max(0, shown.length - MOST_SHOWN))) box.remove();
}

function gone(box, entry, isOver = false) {
  box.remove();
  if (entry && isOver) forget(entry);
}

function forget(entry) {
  const index = undoable.indexOf(entry);
  if (index >= 0) undoable.splice(index, 1);
}

async function takeBack(entry) {
  forget(entry);
  entry.box.remove();
  try {
    await entry.undo();
  } catch (error) {
    complain(error);
  }
}

/** `z`: take back the newest thing that can be. */
export function undoNewest() {
  const entry = undoable.at(-1);
  if (entry) return takeBack(entry);
  ask("POST", "acts/undo", {}).then((answer) => toast(`${answer.words}: ${answer.cases.join(", ")}`), complain);
}

/** A refusal, in the server's words. */
export function complain(error) {
  if (error.name !== "AbortError") toast(error.message, { bad: true });
}

/** Undo of an act of a case by its id: the usual way back. */
export const undoAct = (id, after) => undoAt(`acts/${id}/undo`, after);

/** Undo at the address the server gave. */
export const undoAt = (path, after) => async () => {
  const answer = await ask("POST", path, {});
  toast(answer.words || say("undone"));
  after?.(answer);
};
