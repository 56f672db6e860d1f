/* One way to ask the server: JSON in, JSON or HTML out, refusals as errors with the server's own words. */

import { say } from "./words.js";

export class Refused extends Error {
  constructor(status, body) {
    super(body.message || say("went_wrong"));
    this.status = status;
    this.code = body.code || "";
    this.field = body.field || "";
    this.body = body;
  }
}

const workspace = document.body.dataset.workspace || "";

/** The address of a resource of this workspace. */
export const at = (path) => `/w/${workspace}/${path}`;

/** Ask for JSON. Raises Refused; code "offline" when nothing came back. */
export async function ask(method, path, body, options = {}) {
  const answer = await reach(method, path, body, { Accept: "application/json" }, options);
  return answer.status === 204 ? {} : answer.json();
}

/** Ask for a fragment of HTML by its name. */
export async function askHtml(path, fragment, options = {}) {
  return (await reach("GET", path, undefined, { "X-Fragment": fragment }, options)).text();
}

async function reach(method, path, body, headers, options) {
  const sent = { method, headers: { ...headers }, credentials: "same-origin", ...options };
  if (method !== "GET") sent.headers["X-CSRFToken"] = document.querySelector("meta[name=csrf]")?.content || "";
  if (body !== undefined) {
    sent.headers["Content-Type"] = "application/json";
    sent.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(at(path), sent);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, { code: "offline", message: say("offline_try_again") });
  }
  if (answer.ok) return answer;
  if (answer.status === 401) location.reload();
  throw new Refused(answer.status, await answer.json().catch(() => ({})));
}
