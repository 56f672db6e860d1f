/* Answers as they come: an event stream over fetch, so that the token travels in a header; resumed by number after any break. */
import { Refusal } from "./api.js";

const SILENCE_MS = 50_000;
const LONGEST_WAIT_MS = 15_000;

export class Stream {
  constructor(api, hear, setConnected) {
    this.api = api;
    this.hear = hear;
    this.setConnected = setConnected;
    this.after = 0;
    this.abort = null;
    this.wake = null;
    this.isWanted = false;
    for (const what of ["online", "pageshow"]) addEventListener(what, () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  start(after) {
    this.after = after;
    if (this.isWanted) return;
    this.isWanted = true;
    this.run();
  }

  stop() {
    this.isWanted = false;
    this.abort?.abort();
  }

  hurry() {
    this.wake?.();
  }

  async run() {
    let tries = 0;
    while (this.isWanted) {
      try {
        await this.follow(() => (tries = 0));
      } catch (error) {
        if (error instanceof Refusal && error.status < 500 && error.status !== 429) return this.setConnected(false, error);
      }
      if (!this.isWanted) return;
      /* One break is nothing to talk about: a proxy or a restart; the second is said. */
      if (tries > 0) this.setConnected(false);
      await this.pause(Math.min(LONGEST_WAIT_MS, 500 * 2 ** tries++) * (0.7 + Math.random() * 0.6));
    }
  }

  async follow(isAlive) {
    this.abort = new AbortController();
    const answer = await this.api.get("/stream", { signal: this.abort.signal, headers: { "Last-Event-ID": String(this.after) } });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    this.setConnected(true);
    let text = "";
    let silence = 0;
    const watch = () => {
      clearTimeout(silence);
      silence = setTimeout(() => this.abort.abort(), SILENCE_MS);
    };
    try {
      for (watch(); ; watch()) {
        const { value, done } = await reader.read();
        if (done) return;
        isAlive();
        const events = (text + value).split("\n\n");
        text = events.pop();
        events.forEach((one) => this.take(one));
      }
    } finally {
      clearTimeout(silence);
    }
  }

  take(block) {
    const event = { type: "message", data: "" };
    for (const line of block.split("\n")) {
      const [, name, value] = /^(\w*): ?(.*)$/.exec(line) || [];
      if (name === "data") event.data += value;
      else if (name === "event") event.type = value;
      else if (name === "id") event.id = value;
    }
    if (!event.data) return;
    this.hear(event.type, JSON.parse(event.data));
    /* Only what was shown counts as had. */
    if (event.id) this.after = event.id;
  }

  pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }).finally(() => (this.wake = null));
  }
}
