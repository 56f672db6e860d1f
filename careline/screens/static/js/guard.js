/* Who will read this: the row above the text. PUBLIC cannot be missed; nothing here is ever shortened. */

import { desk } from "./desk.js";
import { $, icon, make } from "./dom.js";
import { near, span } from "./time.js";
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

const note = () => [icon("sticky-note"), words(say("note_readers")), ...elsewhere(desk.facts?.page)];

/** Where to answer what is only read here. */
function elsewhere(page) {
  if (!page) return [];
  // Taking the focus would open the composer, and the link would slip away from under the pointer.
  const onmousedown = (event) => event.preventDefault();
  const link = make("a", { onmousedown, href: page, target: "_blank", rel: "noopener noreferrer", "data-page": "", text: say("open_page") });
  return [make("span", { class: "from", text: ` · ${say("answer_on_page")} ` }), link];
}

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
    words(say(choice.is_mail ? "mail_readers" : choice.admins_read ? "admin_readers" : "private_readers", { name: `${name}${address}${copied}` })),
    from(choice),
    ...closing(choice),
  ];
}

/** How long the window stays open and how much of it is used, where there is one; what a private answer to a public word begins. */
function closing(choice) {
  const said = [];
  if (choice.opens_from) said.push(say("opens_private"));
  const left = (new Date(choice.closes_at || 0) - Date.now()) / 1000;
  if (left > 0 && !choice.closed) said.push(say("window_until", { time: near(new Date(choice.closes_at)), span: span(left) }));
  if (choice.allows) said.push(say("window_counts", choice));
  return said.length ? [make("span", { class: "from window", text: ` · ${said.join(" · ")}` })] : [];
}

/** The countdown goes on while the composer stands open. */
export function keepCounting(current) {
  setInterval(() => {
    const { mode, choice } = current();
    if (choice?.closes_at && !document.hidden) showReaders(mode, choice);
  }, 20000);
}

/** Why nothing can be written here, in words; "" when it can. */
export function closedWords(choice) {
  if (!choice?.closed) return "";
  if (choice.closed === "window_used_up") return say(choice.opens_from || choice.allows === 1 ? "closed_comment_used_up" : "closed_window_used_up", choice);
  return knows(`closed_${choice.closed}`) ? say(`closed_${choice.closed}`) : say("closed_window");
}

/** What being too long means on this channel. */
export function overWords(choice, used) {
  const known = { truncate: "will_be_cut", split: "will_be_split", multi_post: "will_be_posts" };
  return choice.overflow === "reject" ? say("over_by", { num: used.over }) : say(known[choice.overflow]);
}

/** The line below the text: ok, warn or over. */
export function warn(tone, said) {
  const line = $("[data-warning]");
  line.className = tone;
  line.textContent = said;
}
