/* The conversation on the page: messages of the server merged by id and version, the visitor's own unsent ones after them. */
import { at, linked, node } from "./nodes.js";
import { fileList } from "./attachments.js";

export class Log {
  constructor(speech, api, { retry, edit }) {
    this.speech = speech;
    this.api = api;
    this.acts = { retry, edit };
    this.root = at("log");
    this.scroller = at("scroller");
    this.known = new Map();
    this.pending = new Map();
  }

  clear() {
    this.root.replaceChildren();
    this.known.clear();
    this.pending.clear();
  }

  get oldestId() {
    return [...this.known.keys()].reduce((oldest, id) => (oldest && BigInt(oldest) < BigInt(id) ? oldest : id), "");
  }

  get isEmpty() {
    return this.known.size === 0 && this.pending.size === 0;
  }

  /* Returns the messages that were new here. `isHistory`: keep what is being read where it is, and announce nothing. */
  merge(shown, isHistory = false) {
    const wasAtEnd = this.isAtEnd;
    const height = this.scroller.scrollHeight - this.scroller.scrollTop;
    this.root.setAttribute("aria-live", isHistory ? "off" : "polite");
    const fresh = shown.filter((one) => this.take(one));
    this.markDays();
    if (isHistory && !wasAtEnd) this.scroller.scrollTop = this.scroller.scrollHeight - height;
    else if (wasAtEnd) this.toEnd();
    return fresh;
  }

  take({ message, receipt }) {
    const before = this.known.get(message.id);
    if (before && before.message.version > message.version) return false;
    const drawn = this.draw(message);
    if (before) before.drawn.replaceWith(drawn);
    else this.place(message, drawn);
    this.known.set(message.id, { message, receipt, drawn });
    if (message.client_id) this.settle(message.client_id);
    return !before;
  }

  place(message, drawn) {
    const time = Date.parse(message.at);
    const later = [...this.root.querySelectorAll(".message")].find((one) => one.dataset.pending || Number(one.dataset.time) > time);
    this.root.insertBefore(drawn, later || null);
  }

  draw(message) {
    const when = new Date(message.at);
    const own = !message.is_ours;
    const body = message.is_deleted ? this.speech.words.deleted : "";
    const files = message.is_deleted ? null : fileList(message.files, this.api, this.speech);
    const drawn = node("div", { class: `message${own ? " own" : ""}${message.is_deleted ? " deleted" : ""}`, "data-time": when.getTime() });
    const author = own ? this.speech.words.you : message.author || this.speech.words.us;
    drawn.append(node("p", { class: own ? "who unseen" : "who", dir: "auto" }, author));
    if (body || message.text) drawn.append(node("div", { class: "bubble", dir: "auto" }, ...(body ? [body] : linked(message.text))));
    if (files) drawn.append(files);
    const time = node("time", { datetime: when.toISOString() }, this.speech.time(when));
    const extra = message.is_edited && !message.is_deleted ? ` · ${this.speech.words.edited}` : own ? ` · ${this.speech.words.sent}` : "";
    drawn.append(node("p", { class: "foot" }, time, extra));
    return drawn;
  }

  /* The visitor's own message before the server's stream shows it. `state`: sending, waiting, sent, failed. */
  showPending(entry, state, problem = "") {
    const words = this.speech.words;
    const drawn = node("div", { class: `message own ${state}`, "data-pending": entry.client_id });
    drawn.append(node("p", { class: "who unseen" }, words.you));
    if (entry.text) drawn.append(node("div", { class: "bubble", dir: "auto" }, ...linked(entry.text)));
    const names = (entry.names || []).map((name) => node("li", {}, node("span", { dir: "auto" }, name)));
    if (names.length) drawn.append(node("ul", { class: "files" }, ...names));
    const foot = node("p", { class: "foot" }, state === "failed" ? `${words.failed} ${problem} ` : words[state]);
    if (state === "failed") foot.append(this.act(words.again, "retry", entry), " ", this.act(words.edit, "edit", entry));
    drawn.append(foot);
    const before = this.pending.get(entry.client_id);
    if (before) before.replaceWith(drawn);
    else if (!this.has(entry.client_id)) this.root.append(drawn);
    else return;
    this.pending.set(entry.client_id, drawn);
    if (!before) this.toEnd();
  }

  act(word, name, entry) {
    const button = node("button", { type: "button" }, word);
    button.addEventListener("click", () => this.acts[name](entry));
    return button;
  }

  has(clientId) {
    return [...this.known.values()].some(({ message }) => message.client_id === clientId);
  }

  settle(clientId) {
    this.pending.get(clientId)?.remove();
    this.pending.delete(clientId);
  }

  markDays() {
    this.root.querySelectorAll(".day").forEach((one) => one.remove());
    let last = "";
    for (const one of this.root.querySelectorAll(".message[data-time]")) {
      const day = this.speech.day(new Date(Number(one.dataset.time)));
      if (day !== last) one.before(node("p", { class: "day" }, day));
      last = day;
    }
  }

  get isAtEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 80;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}
