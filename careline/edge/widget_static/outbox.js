/* What the visitor wrote and the server has not confirmed: kept on the shelf, sent in order, each with an id that makes repeats harmless. */
import { Offline } from "./api.js";

const LONGEST_WAIT_MS = 20_000;

export class Outbox {
  constructor(api, shelf, key, show) {
    this.api = api;
    this.shelf = shelf;
    this.lock = `careline:${key}`;
    this.show = show;
    this.tries = 0;
    this.timer = 0;
    this.turn = Promise.resolve();
    this.isOpen = false;
    addEventListener("online", () => this.pump());
  }

  get entries() {
    return this.shelf.get("outbox", []);
  }

  add(saying) {
    this.shelf.set("outbox", [...this.entries, saying]);
    this.show(saying, navigator.onLine ? "sending" : "waiting");
    this.pump();
  }

  /* The session is there: what the shelf holds goes out. Before it, nothing is sent, and nothing is lost. */
  restore() {
    this.isOpen = true;
    for (const entry of this.entries) this.show(entry, entry.failed ? "failed" : "sending", entry.failed);
    this.pump();
  }

  retry(clientId) {
    this.change(clientId, { failed: undefined });
    this.pump();
  }

  drop(clientId) {
    this.shelf.set("outbox", this.entries.filter((one) => one.client_id !== clientId));
  }

  change(clientId, facts) {
    this.shelf.set("outbox", this.entries.map((one) => (one.client_id === clientId ? { ...one, ...facts } : one)));
  }

  pump() {
    clearTimeout(this.timer);
    if (!this.isOpen) return this.turn;
    this.turn = this.turn.catch(() => {}).then(() => this.alone(() => this.sendAll()));
    return this.turn;
  }

  /* One tab at a time, where the browser can tell. A frame on another site may be refused locks as it is refused storage:
     without them the ids still keep each message once. */
  async alone(work) {
    let hasBegun = false;
    const begin = () => ((hasBegun = true), work());
    try {
      if (navigator.locks) return await navigator.locks.request(this.lock, begin);
    } catch (error) {
      if (hasBegun) throw error;
    }
    return work();
  }

  async sendAll() {
    for (const entry of this.entries.filter((one) => !one.failed)) {
      this.show(entry, "sending");
      try {
        const { names, failed, ...saying } = entry;
        await this.api.post("/messages", saying);
        this.tries = 0;
        this.drop(entry.client_id);
        this.show(entry, "sent");
      } catch (error) {
        if (!this.judge(entry, error)) return;
      }
    }
  }

  /* Whether the next one may be tried: a refusal concerns one message, a lost connection all of them. */
  judge(entry, error) {
    const isPassing = error instanceof Offline || error.status >= 500 || error.status === 429 || error.status === 408;
    if (!isPassing) {
      const reason = { code: error.code || "unreadable", field: error.field || "" };
      this.change(entry.client_id, { failed: reason });
      this.show(entry, "failed", reason);
      return true;
    }
    this.show(entry, "waiting");
    const waitMs = error.retryAfterS ? error.retryAfterS * 1000 : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** this.tries++);
    this.timer = setTimeout(() => this.pump(), waitMs);
    return false;
  }
}

export function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
