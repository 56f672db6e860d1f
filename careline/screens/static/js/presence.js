/* Who else is here: which case each colleague looks at, and whether they write. Frames without a number; nothing is kept. */

import { at } from "./ask.js";
import { desk } from "./desk.js";
import { $, make } from "./dom.js";
import { on, streamTicket } from "./stream.js";
import { say } from "./words.js";

const BEAT_MS = 20000;
const GONE_AFTER_MS = 50000;
const TYPING_FADES_MS = 6000;
const here = new Map();
const customers = new Map();
let saidTyping = 0;
let lastCase = "";

/** Tell colleagues which case is on screen, and keep telling. */
export function startPresence() {
  on("presence", (frame) => frame.agent !== desk.me.agent && hear(frame));
  on("typing", (frame) => {
    customers.set(frame.case, Date.now());
    show();
  });
  on("live", () => say_(false, ""));
  setInterval(() => (document.hidden ? null : say_(false, ""), show()), BEAT_MS);
  setInterval(show, 2000);
  addEventListener("pagehide", () => say_(false, "", ""));
}

/** Another case is on screen. */
export function look(facts) {
  lastCase = facts?.id || "";
  saidTyping = 0;
  say_(false, "");
  show();
}

/** At most once every few seconds while typing. */
export function sayPresence(isTyping, mode) {
  if (isTyping && Date.now() - saidTyping < 3000) return;
  saidTyping = isTyping ? Date.now() : 0;
  say_(isTyping, mode);
}

function say_(isTyping, mode, shownCase = lastCase) {
  const ticket = streamTicket();
  if (!ticket || document.body.classList.contains("is-offline")) return;
  const body = JSON.stringify({ case: shownCase, typing: isTyping, mode });
  fetch(`${at("presence")}?ticket=${encodeURIComponent(ticket)}`, {
    method: "POST",
    body,
    keepalive: true,
    headers: { "Content-Type": "application/json" },
  }).catch(() => {});
}

function hear(frame) {
  const wasHere = here.get(frame.agent)?.case;
  here.set(frame.agent, { ...frame, at: Date.now() });
  show();
  if (frame.case && frame.case === lastCase && wasHere !== frame.case) say_(false, "");
}

function show() {
  const now = Date.now();
  for (const [agent, frame] of here) if (now - frame.at > GONE_AFTER_MS) here.delete(agent);
  const with_us = [...here.values()].filter((frame) => lastCase && frame.case === lastCase);
  const line = $("[data-here]");
  if (line) line.replaceChildren(...with_us.map(face));
  const typing = with_us.filter((frame) => frame.typing && now - frame.at < TYPING_FADES_MS);
  const words = $("[data-here-said]");
  if (!words) return;
  const isCustomerTyping = now - (customers.get(lastCase) || 0) < TYPING_FADES_MS;
  words.hidden = !typing.length && !isCustomerTyping;
  if (isCustomerTyping) words.textContent = say("writes_customer");
  else if (typing.length)
    words.textContent = say(typing[0].mode === "note" ? "writes_note" : "writes_answer", { name: typing.map((frame) => frame.name).join(", ") });
}

function face(frame) {
  const isTyping = frame.typing && Date.now() - frame.at < TYPING_FADES_MS;
  const letters = frame.name
    .split(/\s+/)
    .map((word) => word[0] || "")
    .join("")
    .slice(0, 2)
    .toUpperCase();
  return make("span", {
    class: `avatar own hue-${hue(frame.name)}${isTyping ? " is-typing" : ""}`,
    title: say("is_here", { name: frame.name }),
    role: "img",
    "aria-label": say("is_here", { name: frame.name }),
    text: letters,
  });
}

/** The same colour as on the server (crc32 modulo twelve). */
function hue(name) {
  let crc = ~0;
  for (const byte of new TextEncoder().encode(name.trim().toLowerCase())) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return (~crc >>> 0) % 12;
}
