/* What this browser remembers of a chat: storage that may be refused, read back as it was written or not at all. */
const memory = new Map();

function read(name) {
  try {
    const text = localStorage.getItem(name);
    return text === null ? (memory.get(name) ?? null) : JSON.parse(text);
  } catch {
    return memory.get(name) ?? null;
  }
}

function write(name, value) {
  memory.set(name, value);
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    /* Full or refused: it lives as long as this page. */
  }
}

function forget(name) {
  memory.delete(name);
  try {
    localStorage.removeItem(name);
  } catch {
    /* Refused: there was nothing to take away. */
  }
}

/* Tokens stay in memory until the visitor speaks: nobody is remembered for merely looking. */
export class Shelf {
  constructor(key) {
    this.name = `careline:${key}`;
    this.visitor = "";
    this.tokens = read(`${this.name}:tokens`) || [];
    this.isKept = this.tokens.length > 0;
  }

  /* What was written before the server said who this is goes with them. */
  arrive(visitor, tokens) {
    const early = this.visitor ? {} : { outbox: this.get("outbox", []), draft: this.get("draft", "") };
    this.visitor = visitor;
    if (early.outbox?.length) this.set("outbox", [...this.get("outbox", []), ...early.outbox]);
    if (early.draft) this.set("draft", early.draft);
    for (const what of Object.keys(early)) forget(`${this.name}::${what}`);
    this.tokens = tokens;
    if (this.isKept) this.keep();
  }

  keep() {
    this.isKept = true;
    write(`${this.name}:tokens`, this.tokens);
  }

  get(what, fallback) {
    return read(`${this.name}:${this.visitor}:${what}`) ?? fallback;
  }

  set(what, value) {
    write(`${this.name}:${this.visitor}:${what}`, value);
  }
}
