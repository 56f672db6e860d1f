/* The chat in its frame: opens a session, shows the conversation, sends, hears. Each part lives in its own module. */
import { Api, Offline } from "./api.js";
import { Chips } from "./attachments.js";
import { Composer } from "./composer.js";
import { dress, showAvailability } from "./dressing.js";
import { Host, keepFocusInside } from "./host.js";
import { Log } from "./log.js";
import { Mail } from "./mail.js";
import { at } from "./nodes.js";
import { Outbox } from "./outbox.js";
import { Receipts } from "./receipts.js";
import { Shelf } from "./shelf.js";
import { learn } from "./speech.js";
import { Stream } from "./stream.js";

const { key, host: origin, ticket } = document.body.dataset;
const HELLO_WAIT_MS = 3000;
const TYPING_SHOWN_MS = 6000;
const AVAILABILITY_EVERY_MS = 5 * 60_000;

const speech = await learn(document.documentElement.lang);
const words = speech.words;
const shelf = new Shelf(key);
const api = new Api(key);
const log = new Log(speech, api, { retry: (entry) => outbox.retry(entry.client_id), edit: correct });
const outbox = new Outbox(api, shelf, key, showOwn);
const receipts = new Receipts(api);
const mail = new Mail(speech, api, shelf);
const stream = new Stream(api, hear, setConnected);
const composer = new Composer(speech, { send, typing: () => session && api.post("/typing", {}).catch(() => {}), keepDraft: (text) => shelf.set("draft", text) });
const host = new Host(key, origin, hearHost);

let user = {}, page = "";
let isOpen = !host.isFramed, isPhone = false;
let session = null, opening = null;
let unread = 0, typingTimer = 0;
let greeted = () => {};

dress(words, document.body.dataset);
keepFocusInside(() => isPhone, () => host.tell("close"));
at("close").addEventListener("click", () => host.tell("close"));
at("earlier").addEventListener("click", showEarlier);
document.addEventListener("visibilitychange", see);
for (const what of ["online", "offline"]) addEventListener(what, () => setConnected(navigator.onLine));
setInterval(() => session && !document.hidden && open().catch(() => {}), AVAILABILITY_EVERY_MS);
api.renew = open;
await new Promise((resolve) => {
  greeted = resolve;
  host.tell("ready");
  setTimeout(resolve, host.isFramed ? HELLO_WAIT_MS : 0);
});
await begin();

function hearHost(said) {
  if (said.what === "hello") {
    ({ user, page } = said);
    /* A page slow to greet: the chat has begun without knowing who this is. */
    if ((session || opening) && Object.values(user).some(Boolean)) begin();
    greeted();
  } else if (said.what === "user") {
    user = said.user;
    if (!user.token && !user.id) host.tell("ended");
    begin();
  }
  if (said.phone !== undefined) isPhone = said.phone;
  if (said.what === "open" || said.what === "close") isOpen = said.what === "open";
  if (said.open !== undefined) isOpen = said.open;
  if (isOpen && said.focus) at("text").focus();
  see();
}

/* Begins anew: at the start, after a change of user, and as often as it takes to reach the server. */
async function begin(tries = 0) {
  try {
    stream.stop();
    await opening?.catch(() => {});
    await open();
  } catch (error) {
    const isPassing = error instanceof Offline || error.status >= 500 || error.status === 429;
    if (isPassing) setTimeout(() => begin(tries + 1), Math.min(15_000, 1000 * 2 ** tries));
    return setConnected(false, error);
  }
  log.clear();
  log.merge(session.messages, true);
  at("earlier").hidden = !session.has_earlier;
  composer.welcome(new Chips(api, speech, session, (problem) => composer.say(problem)), session.longest_text);
  if (!composer.text.value) composer.fill(shelf.get("draft", ""));
  outbox.restore();
  arrange();
  if (!log.isEmpty) stream.start(session.n);
  countUnread(session.messages);
  log.toEnd();
}

/* The page's own ticket lives for hours; a chat left open longer loads itself anew, the draft is on the shelf. */
function open() {
  opening ||= openSession()
    .catch((error) => {
      if (error.code === "ticket_over") location.reload();
      throw error;
    })
    .finally(() => (opening = null));
  return opening;
}

async function openSession() {
  const kept = Object.fromEntries(["token", "id", "email", "name", "hash"].map((name) => [name, String(user?.[name] ?? "")]));
  const answer = await api.post("/session", { page: ticket, tokens: shelf.tokens, user: kept });
  session = await answer.json();
  api.token = session.token;
  shelf.arrive(session.visitor, session.tokens);
  setConnected(true);
  showAvailability(speech, session.availability);
}

function arrange() {
  at("welcome").hidden = !log.isEmpty;
  if (session) mail.offer(!log.isEmpty && session.takes_email && !session.has_email, !session.availability.is_open);
}

function send(saying) {
  if (!shelf.isKept) shelf.keep();
  host.tell("started");
  outbox.add({ ...saying, page, email: mail.address });
  arrange();
}

function showOwn(entry, state, failed) {
  log.showPending(entry, state, failed ? reason(failed) : "");
  if (state === "sent") stream.start(session.n);
}

function reason({ code }) {
  return { looks_automatic: words.looksAutomatic, origin_refused: words.refused }[code] || "";
}

function correct(entry) {
  outbox.drop(entry.client_id);
  log.settle(entry.client_id);
  composer.fill(entry.text);
  composer.text.focus();
}

function hear(type, said) {
  if (type === "typing") return showTyping();
  if (type === "reset") log.clear();
  const fresh = log.merge(said, type === "reset");
  const answers = said.filter((one) => one.message.is_ours);
  if (answers.length) hideTyping();
  if (fresh.some((one) => !one.message.is_ours) && mail.address) mail.tell();
  receipts.add("delivered", answers);
  countUnread(fresh);
  arrange();
}

function showTyping() {
  clearTimeout(typingTimer);
  typingTimer = setTimeout(hideTyping, TYPING_SHOWN_MS);
  at("typing").hidden = false;
  if (log.isAtEnd) log.toEnd();
}

function hideTyping() {
  at("typing").hidden = true;
}

function countUnread(shown) {
  unread += shown.filter((one) => one.message.is_ours && !one.message.is_read && !one.message.is_deleted).length;
  see();
}

/* Read means: on an open chat in a visible page. */
function see() {
  if (isOpen && !document.hidden && unread) {
    receipts.add("read", [...log.known.values()].filter((one) => one.message.is_ours));
    unread = 0;
  }
  host.tell("unread", { n: unread });
}

async function showEarlier() {
  at("earlier").disabled = true;
  try {
    const { messages, has_earlier: more } = await (await api.get(`/messages?before=${log.oldestId}`)).json();
    log.merge(messages, true);
    at("earlier").hidden = !more;
  } catch {
    setConnected(navigator.onLine);
  }
  at("earlier").disabled = false;
}

function setConnected(isConnected, error) {
  const banner = at("banner");
  const isRefused = error && error.status >= 400 && error.status < 500 && error.status !== 429;
  banner.classList.toggle("broken", Boolean(isRefused));
  banner.hidden = isConnected && navigator.onLine;
  if (isRefused) banner.textContent = words.refused;
  else banner.textContent = navigator.onLine ? words.reconnecting : words.offline;
}
