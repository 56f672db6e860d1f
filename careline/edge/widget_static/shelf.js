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

/* Tokens stay in memory until the visitor speaks: nobody is remembered for merely looking. */
export class Shelf {
  constructor(key) {
    this.name = `careline:${key}`;
    this.visitor = "";
    this.tokens = read(`${this.name}:tokens`) || [];
    this.isKept = this.tokens.length > 0;
  }

  arrive(visitor, tokens) {
    this.visitor = visitor;
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
