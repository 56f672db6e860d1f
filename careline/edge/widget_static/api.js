/* Requests to our own server, each with the visitor's token; a token that ran out is renewed once, silently. */
export class Refusal extends Error {
  constructor(status, error, retryAfterS) {
    super(error.code);
    this.status = status;
    this.code = error.code;
    this.field = error.field || "";
    this.retryAfterS = retryAfterS;
  }
}

export class Offline extends Error {}

export class Api {
  constructor(key) {
    this.base = `/widget/api/${key}`;
    this.token = "";
    this.renew = null;
  }

  async post(path, value) {
    return this.call(path, { method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });
  }

  async get(path, options = {}) {
    return this.call(path, options);
  }

  async upload(path, file, signal) {
    return this.call(path, { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" }, signal });
  }

  async call(path, options, isSecondTry = false) {
    const sentWith = this.token;
    const answer = await this.fetch(path, options);
    if (answer.ok) return answer;
    const refusal = await refusalOf(answer);
    if (answer.status === 401 && this.renew && !isSecondTry && path !== "/session") {
      if (this.token === sentWith) await this.renew();
      return this.call(path, options, true);
    }
    throw refusal;
  }

  async fetch(path, options) {
    const headers = { ...options.headers, ...(this.token && { Authorization: `Bearer ${this.token}` }) };
    try {
      return await fetch(this.base + path, { ...options, headers, cache: "no-store", credentials: "omit" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Offline(error.message);
    }
  }
}

async function refusalOf(answer) {
  const retryAfterS = Number(answer.headers.get("Retry-After")) || 0;
  try {
    return new Refusal(answer.status, (await answer.json()).error, retryAfterS);
  } catch {
    return new Refusal(answer.status, { code: "unreadable" }, retryAfterS);
  }
}
