/* Who will read this: the row above the text. PUBLIC cannot be missed; nothing here is ever shortened. */

import { $, icon, make } from "./dom.js";
import { clockTime, span } from "./time.js";
import { knows, say } from "./words.js";

const row = $("[data-who-reads]");

/** Say who reads what is written now. `choice` is null for a note. */
export function showReaders(mode, choice) {
  const parts = mode === "note" ? note() : !choice ? nobody(mode) : mode === "public" ? everyone(choice) : one(choice);
  const [sign, ...said] = parts;
  const tag = choice?.simulated && mode !== "note" ? make("span", { class: "tag simulated", text: say("SIMULATED") }) : null;
  row.replaceChildren(sign, make("p", {}, ...said), ...(tag ? [tag] : []));
}

const words = (text) => make("span", { text, dir: "auto" });
const from = (choice) => make("span", { class: "from", text: ` · ${say("from", { sender: choice.handle || choice.channel })}`, dir: "auto" });

const note = () => [icon("sticky-note"), words(say("note_readers"))];

const nobody = (mode) => [icon("circle-alert"), words(say(mode === "public" ? "no_public_way" : "no_private_way"))];

function everyone(choice) {
  const seen = choice.reach
    ? say("public_readers_reach", { reach: choice.reach.toLocaleString(document.documentElement.lang) })
    : say("public_readers");
  return [icon("globe"), words(seen), from(choice), ...closing(choice)];
}

function one(choice) {
  const name = choice.person || choice.recipient || say("the_customer");
  // A mail address tells people apart; other networks' keys tell nobody anything.
  const address = choice.is_mail && choice.recipient && choice.recipient !== name ? ` (${choice.recipient})` : "";
  const copied = choice.copied.length ? ` ${say("and_copied", { names: choice.copied.join(", ") })}` : "";
  return [
    icon(choice.is_mail ? "mail" : "lock"),
    words(say(choice.is_mail ? "mail_readers" : "private_readers", { name: `${name}${address}${copied}` })),
    from(choice),
    ...closing(choice),
  ];
}

/** How long the window stays open, where there is one. */
function closing(choice) {
  if (!choice.closes_at || choice.closed) return [];
  const left = (new Date(choice.closes_at) - Date.now()) / 1000;
  return left > 0 && left < 86400
    ? [make("span", { class: "from", text: ` · ${say("window_until", { time: clockTime(new Date(choice.closes_at)), span: span(left) })}` })]
    : [];
}

/** Why nothing can be written here, in words; "" when it can. */
export function closedWords(choice) {
  if (!choice?.closed) return "";
  return knows(`closed_${choice.closed}`) ? say(`closed_${choice.closed}`) : say("closed_window");
}

/** What being too long means on this channel. */
export function overWords(choice, used) {
  return choice.overflow === "reject" ? say("over_by", { num: used.over }) : say(choice.overflow === "truncate" ? "will_be_cut" : "will_be_split");
}

/** The line below the text: ok, warn or over. */
export function warn(tone, said) {
  const line = $("[data-warning]");
  line.className = tone;
  line.textContent = said;
}
