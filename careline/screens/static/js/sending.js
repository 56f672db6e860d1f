/* Sending: once, never over something new unread, with some seconds to take it back. */

import { ask } from "./ask.js";
import { refresh, openNext } from "./case.js";
import { acknowledge, stopPersonal } from "./checking.js";
import { emptied, insert, setMode, words, writing } from "./composer.js";
import { room, split } from "./counting.js";
import { desk } from "./desk.js";
import { $, $$ } from "./dom.js";
import { mailParts } from "./mail-fields.js";
import { sayPresence } from "./presence.js";
import { clearStop, stop } from "./stops.js";
import { complain, toast } from "./toasts.js";
import { fileIds, fileNames, hasProblem, isUploading } from "./uploads.js";
import { say } from "./words.js";

let isSending = false;

export function startSending() {
  $("[data-composer]")?.addEventListener("submit", (event) => (event.preventDefault(), send()));
}

/** Ctrl+Enter or the button. `then` is stay, waiting or done. */
export async function send({ override = false, then = "stay" } = {}) {
  const text = words().trim();
  if (isSending || !writing.number || $("[data-send]").disabled) return;
  if (!text && !fileIds().length) return $("[data-text]").focus();
  if (isUploading()) return toast(say("still_uploading"));
  if (hasProblem()) return toast(say("fix_files"), { bad: true });
  if (writing.mode === "note") return attempt(() => sendNote(text));
  if (writing.mode === "public" && stopPersonal(() => send({ override, then }))) return;
  if (writing.news.length && !override) return stopNews(then);
  const used = room(text, writing.choice);
  if (used.over && writing.choice.overflow === "reject") return offerSplit(text, used, then);
  return attempt(() => sendParts([text], { override, then }));
}

async function attempt(work) {
  isSending = true;
  $("[data-send]").setAttribute("aria-busy", "true");
  try {
    await work();
    clearStop();
  } catch (error) {
    if (error.code === "changed_since_seen") await collided();
    else if (error.code === "offline")
      stop(
        say("not_sent_offline"),
        [],
        [
          [say("try_again"), () => send()],
          [say("keep_writing"), () => {}],
        ],
      );
    else stop(error.message, [], [[say("keep_writing"), () => $("[data-text]").focus()]]);
  } finally {
    isSending = false;
    $("[data-send]").removeAttribute("aria-busy");
  }
}

async function sendNote(text) {
  const number = writing.number;
  await ask("POST", `cases/${number}/notes`, { text, files: fileIds(), names: fileNames() });
  emptied("note");
  refresh();
}

/** One message, or the parts of a long one in order: each with a key of its own, so that trying again doubles nothing. */
async function sendParts(parts, { override, then }) {
  const { number, choice, mode, key, snippet } = writing;
  const files = { files: fileIds(), names: fileNames() };
  let answer = null;
  for (const [index, text] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const body = {
      thread: choice.thread,
      text,
      mode,
      client_key: index ? `${key}-${index}` : key,
      seen: writing.seen,
      snippet,
      override,
      then: isLast ? then : "stay",
      ...mailParts(choice),
    };
    answer = await ask("POST", `cases/${number}/replies`, { ...body, ...(isLast ? files : {}), reply_to: choice.reply_to });
  }
  sayPresence(false, mode);
  emptied(mode);
  await refresh();
  offerUndo(answer, number, mode);
  if (then === "done") openNext();
}

function offerUndo(answer, number, mode) {
  if (!answer.delivery) return toast(answer.words);
  const takeBack = async () => {
    const { text, words: said } = await ask("DELETE", `deliveries/${answer.delivery}`);
    if (desk.facts?.number === number && !words()) (setMode(mode), insert(text));
    toast(said);
    refresh();
  };
  toast(say(mode === "public" ? "goes_out_public" : "goes_out"), { undo: takeBack, until: Date.now() + answer.undo_s * 1000 });
}

/** The server stopped it: load what is new, show it, and let the writer decide. */
async function collided() {
  const before = desk.facts?.last_message || "0";
  await refresh();
  const fresh = $$(".msg[data-message]:not(.note)").filter((one) => BigInt(one.dataset.message) > BigInt(before) && !one.matches(".other"));
  writing.news = fresh.map((one) => `${$("header b", one)?.textContent || ""}: ${$(".bubble", one)?.textContent.trim() || say("a_file")}`);
  stopNews("stay", say("someone_was_faster"));
}

function stopNews(then, title = say("read_before_sending")) {
  const [first] = stop(title, writing.news, [
    [say("send_anyway"), () => ((writing.seen = desk.facts.version), (writing.news = []), send({ override: true, then }))],
    [say("keep_writing"), () => acknowledge()],
  ]);
  first.focus();
}

function offerSplit(text, used, then) {
  const parts = split(text, writing.choice.unit, used.limit);
  const [first] = stop(
    say("over_by", { num: used.over }),
    parts.map((part, index) => `${index + 1}/${parts.length} · ${part}`),
    [
      [say("send_as_parts", { num: parts.length }), () => attempt(() => sendParts(parts, { override: false, then }))],
      [say("keep_writing"), () => $("[data-text]").focus()],
    ],
  );
  first.focus();
}

/** Buttons below a delivery in the timeline. */
export const deliveryCommands = {
  "take-back": (element) => settle("DELETE", `deliveries/${element.dataset.delivery}`, undefined, true),
  resend: (element) => {
    const { state, delivery } = element.closest("[data-delivery]").dataset;
    return state === "unknown"
      ? settle("POST", `deliveries/${delivery}/outcome`, { was_sent: false })
      : settle("POST", `deliveries/${delivery}/attempts`, {});
  },
  "was-sent": (element) => settle("POST", `deliveries/${element.dataset.delivery}/outcome`, { was_sent: true }),
};

async function settle(method, path, body, givesBack = false) {
  try {
    const answer = await ask(method, path, body);
    if (givesBack && answer.text && !words()) insert(answer.text);
    toast(answer.words);
    refresh();
  } catch (error) {
    complain(error);
  }
}
