/* Tells the server which answers arrived and which were seen; each once, together where several come at once. */
const GATHER_MS = 250;

export class Receipts {
  constructor(api) {
    this.api = api;
    this.waiting = { delivered: new Map(), read: new Map() };
    this.told = { delivered: new Set(), read: new Set() };
    this.timer = 0;
  }

  add(state, shown) {
    for (const { message, receipt } of shown) {
      if (!receipt || message.is_read || this.told[state].has(message.platform_id)) continue;
      this.waiting[state].set(message.platform_id, receipt);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), GATHER_MS);
  }

  async tell() {
    for (const state of ["delivered", "read"]) {
      const seen = [...this.waiting[state]].slice(0, 50).map(([id, receipt]) => ({ id, receipt }));
      if (!seen.length) continue;
      try {
        await this.api.post("/receipts", { state, seen });
      } catch {
        /* Said again with the next one. */
        return;
      }
      for (const { id } of seen) {
        this.waiting[state].delete(id);
        this.told[state].add(id);
      }
    }
  }
}
