/* What happens elsewhere: one stream per browser (SharedWorker), or per tab where there is none. Resumes by number, says when it is lost. */

import { ask, at } from "./ask.js";
import { $, announce } from "./dom.js";
import { span } from "./time.js";
import { count, say } from "./words.js";

const listeners = new Map();
const OFFLINE_AFTER_MS = 2500;
let send = () => {};
let ticket = "";
let last = 0;
let offlineSince = 0;
let offlineTimer = 0;
let tries = 0;

/** Call `work(data, n)` for every event of a type. */
export function on(type, work) {
  listeners.set(type, [...(listeners.get(type) || []), work]);
}

export const streamTicket = () => ticket;

/** Open the stream at the number the page is true for. */
export function openStream(firstTicket, since, workerAddress) {
  ticket = firstTicket;
  last = since;
  const join = { do: "join", address: address(), since };
  if (typeof SharedWorker === "undefined") plain(join);
  else shared(workerAddress, join);
  addEventListener("online", tryAgain);
  addEventListener("offline", () => showState("offline"));
  addEventListener("pagehide", () => send({ do: "leave" }));
  addEventListener("pageshow", (event) => event.persisted && send({ do: "join", address: address(), since: last }));
  setInterval(showHowLong, 1000);
}

const address = () => `${location.origin}${at("stream")}?ticket=${encodeURIComponent(ticket)}`;

function shared(workerAddress, join) {
  const { workspace, agent } = document.body.dataset;
  const worker = new SharedWorker(workerAddress, { name: `careline-${workspace}-${agent}` });
  worker.port.onmessage = ({ data }) => hear(data);
  worker.onerror = () => plain(join);
  send = (message) => worker.port.postMessage(message);
  worker.port.start();
  send(join);
}

function plain(join) {
  let source = null;
  const connect = (from) => {
    source?.close();
    source = new EventSource(`${address()}&since=${from}`);
    for (const type of ["case", "gone", "hint", "presence", "notice", "agent", "reset", "typing"])
      source.addEventListener(type, (event) => hear({ type, data: event.data, n: Number(event.lastEventId) || 0 }));
    source.addEventListener("open", () => hear({ type: "state", state: "live", tries: 0 }));
    source.addEventListener("error", () =>
      hear({ type: "state", state: source.readyState === EventSource.CLOSED ? "closed" : "offline", tries: tries + 1 }),
    );
  };
  send = (message) => (message.do === "leave" ? source?.close() : connect(last));
  connect(join.since);
}

function hear(message) {
  if (message.type === "state") return takeState(message);
  if (message.n) last = Math.max(last, message.n);
  if (message.type === "reset") return tell("reset", {}, message.n);
  tell(message.type, JSON.parse(message.data), message.n);
}

function tell(type, data, n) {
  for (const work of listeners.get(type) || []) work(data, n);
}

function takeState(message) {
  tries = message.tries;
  if (message.state === "live") return showState("live");
  if (message.state === "closed") renewTicket();
  if (message.state === "starting") return;
  if (!offlineTimer && !offlineSince) offlineTimer = setTimeout(() => showState("offline"), OFFLINE_AFTER_MS);
}

/** The ticket ended (or the server refused it): get a new one with the session, and go on where we were. */
async function renewTicket() {
  try {
    ticket = (await ask("GET", "tickets")).stream;
    send({ do: "again", address: address(), since: last });
  } catch {
    setTimeout(renewTicket, Math.min(30000, 2000 * (tries + 1)));
  }
}

/** At a person's word, or when the network came back. */
export function tryAgain() {
  showState("catching");
  send({ do: "again", address: address(), since: last });
}

function showState(state) {
  clearTimeout(offlineTimer);
  offlineTimer = 0;
  const wasOffline = offlineSince;
  if (state === "offline") offlineSince ||= Date.now();
  if (state === "live") offlineSince = 0;
  const light = $("[data-live]");
  if (light) {
    light.dataset.state = state;
    $("[data-live-words]", light).textContent = say({ live: "live", catching: "catching_up", offline: "offline" }[state]);
  }
  const row = $("[data-connection]");
  if (row) row.hidden = state !== "offline";
  document.body.classList.toggle("is-offline", state === "offline");
  showHowLong();
  if (state === "live") tell("live", {}, last);
  if (state === "live" && wasOffline) (announce(say("back_online")), tell("back", { after: Date.now() - wasOffline }, last));
}

function showHowLong() {
  const words = $("[data-connection-words]");
  if (words && offlineSince)
    words.textContent = `${say("lost_for", { span: span((Date.now() - offlineSince) / 1000) })} ${tries ? count("tries", tries) : ""} ${say("nothing_lost")}`;
}
