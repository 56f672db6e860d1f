/* Sending: once, never over something new unread, with some seconds to take it back. */

import { ask } from "./ask.js";
import { refresh, openNext } from "./case.js";
import { acknowledge, stopPersonal } from "./checking.js";
import { emptied, goPrivate, insert, privateLink, privateWay, setMode, words, writing } from "./composer.js";
import { room } from "./counting.js";
import { desk } from "./desk.js";
import { $, $$ } from "./dom.js";
import { drop, hold, keep } from "./drafts.js";
import { mailParts } from "./mail-fields.js";
import { sayPresence } from "./presence.js";
import { clearStop, stop } from "./stops.js";
import { complain, toast } from "./toasts.js";
import { fileAlts, fileIds, fileNames, hasProblem, isUploading } from "./uploads.js";
import { say } from "./words.js";

// Cases whose words are on their way to the server.
const under = new Set();

export function startSending() {
  $("[data-composer]")?.addEventListener("submit", (event) => (event.preventDefault(), send()));
}

/** Ctrl+Enter or the button. `then` is stay, waiting or done. */
export async function send({ override = false, then = "stay", after = null } = {}) {
  const text = words().trim();
  if (under.has(writing.number) || !writing.number || $("[data-send]").disabled) return;
  if (!text && !fileIds().length) return $("[data-text]").focus();
  if (isUploading()) return toast(say("still_uploading"));
  if (hasProblem()) return toast(say("fix_files"), { bad: true });
  if (writing.mode === "note") return attempt(() => sendNote(text));
  if (writing.mode === "public" && stopPersonal(() => send({ override, then, after }))) return;
  if (writing.news.length && !override) return stopNews(then, after);
  const used = room(text, writing.choice);
  if (used.over && writing.choice.overflow === "multi_post") return attempt(() => offerParts(text, { override, then, after }), { keepsStop: true });
  if (used.over && writing.choice.overflow === "reject") return stop(say("over_by", { num: used.over }), [], [[say("keep_writing"), () => $("[data-text]").focus()]])[0].focus();
  return attempt(() => post(text, 1, { override, then, after }));
}

/** Public first, then the private side of it, in the same case. Where only the customer can begin there, the answer carries the way. */
export function sendThenPrivate() {
  const [way, link] = [privateWay(), privateLink()];
  if (way) return send({ after: () => goPrivate(way) });
  if (!link) return;
  const field = $("[data-text]");
  const said = words().trim();
  if (!said.includes(link)) {
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    insert(said ? `\n${link}` : link);
  }
  if (said) send();
}

/** Whoever has opened another case meanwhile is told of a refusal there; the words wait as a draft where they were written. */
async function attempt(work, { keepsStop = false } = {}) {
  const { number, mode } = writing;
  const said = words();
  under.add(number);
  $("[data-send]").setAttribute("aria-busy", "true");
  try {
    await work();
    if (!keepsStop && writing.number === number) clearStop();
  } catch (error) {
    keep(number, mode, said);
    if (writing.number === number) await refused(error);
    else complain(error);
  } finally {
    under.delete(number);
    $("[data-send]").removeAttribute("aria-busy");
  }
}

/** An approved template with its values, and the file it begins with, instead of what is written, which stays. Gives back the refusal, if there was one. */
export async function sendTemplate(template, values, file, key) {
  const [files, names] = file ? [[file.id], [file.name]] : [[], []];
  try {
    await post("", 1, { override: false, then: "stay", after: null }, { template, values, files, names, alts: [], client_key: key });
    clearStop();
    return null;
  } catch (error) {
    return error;
  }
}

async function refused(error) {
  if (error.code === "changed_since_seen") return collided();
  if (error.code !== "offline") return stop(error.message, [], [[say("keep_writing"), () => $("[data-text]").focus()]]);
  return stop(
    say("not_sent_offline"),
    [],
    [
      [say("try_again"), () => send()],
      [say("keep_writing"), () => {}],
    ],
  );
}

async function sendNote(text) {
  const { number } = writing;
  const body = { text, files: fileIds(), names: fileNames() };
  await hold(number, "note");
  await ask("POST", `cases/${number}/notes`, body);
  clear(number, "note");
  refresh();
}

/** The composer may show another case by now: its words stay. */
function clear(number, mode) {
  if (writing.number === number) emptied(mode);
  else drop(number, mode, mode === "note");
}

/** One message; a long one as the number of posts its writer agreed to. The key is kept when it is tried again, so that nothing doubles. */
async function post(text, parts, { override, then, after }, template = {}) {
  const { number, choice, mode, key, snippet } = writing;
  const body = { thread: choice.thread, text, mode, parts, client_key: key, seen: writing.seen, snippet, override, then, reply_to: choice.reply_to };
  const whole = { ...body, files: fileIds(), names: fileNames(), alts: fileAlts(), ...mailParts(choice), ...template };
  await hold(number, mode);
  const answer = await ask("POST", `cases/${number}/replies`, whole);
  if (writing.number === number) sayPresence(false, mode);
  if (!template.template) clear(number, mode);
  await refresh();
  offerUndo(answer, number, mode);
  if (writing.number !== number) return;
  if (then === "done") openNext();
  after?.();
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
  stopNews("stay", null, say("someone_was_faster"));
}

function stopNews(then, after = null, title = say("read_before_sending")) {
  const [first] = stop(title, writing.news, [
    [say("send_anyway"), () => ((writing.seen = desk.facts.version), (writing.news = []), send({ override: true, then, after }))],
    [say("keep_writing"), () => acknowledge()],
  ]);
  first.focus();
}

/** The server cuts in the platform's own unit; the writer sees the posts and says yes to that many. */
async function offerParts(text, going) {
  const { thread } = writing.choice;
  const { parts } = await ask("POST", `cases/${writing.number}/parts`, { thread, text, mode: writing.mode });
  const [first] = stop(
    say("as_parts"),
    parts.map((part, index) => `${index + 1}/${parts.length} · ${part}`),
    [
      [say("send_as_parts", { num: parts.length }), () => attempt(() => post(text, parts.length, going))],
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
