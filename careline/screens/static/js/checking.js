/* What stands between words and their sending: length, a closed window, personal data in public, something new that was not read. */

import { words, writing } from "./composer.js";
import { personalData, prepare, price, room } from "./counting.js";
import { desk } from "./desk.js";
import { $, $$ } from "./dom.js";
import { closedWords, overWords, warn } from "./guard.js";
import { stop } from "./stops.js";
import { say } from "./words.js";

/* The link into a private conversation is ours: its numbers are nobody's card. */
const ownWords = () => words().replaceAll(writing.choice?.private_link || "\0", "");

/** Count, warn, and allow sending or not. */
export function check() {
  const line = $("[data-length]");
  const send = $("[data-send]");
  const choice = writing.choice;
  if (choice) prepare(choice.unit)?.then(check);
  const used = choice ? room(words(), choice) : { used: 0, limit: 0, over: 0 };
  line.textContent = [used.limit ? `${used.used} / ${used.limit}` : "", price(words(), choice)].filter(Boolean).join(" · ");
  line.className = used.over ? "over" : "";
  const closed = closedWords(choice);
  const personal = writing.mode === "public" ? personalData(ownWords()) : "";
  if (closed || used.over) warn("over", closed || overWords(choice, used));
  else if (personal) warn("warn", say("personal_warning", { what: say(`personal_${personal}`) }));
  else warn("ok", writing.mode === "public" && words() ? say("no_personal_data") : "");
  send.disabled = Boolean(closed) || (writing.mode !== "note" && !choice);
}

/** Ask once before personal data becomes public. Returns whether it stopped. */
export function stopPersonal(go) {
  const what = personalData(ownWords());
  if (!what || writing.allowed === words()) return false;
  stop(
    say("personal_stop", { what: say(`personal_${what}`) }),
    [],
    [
      [say("public_anyway"), () => ((writing.allowed = words()), go())],
      [say("keep_writing"), () => $("[data-text]").focus()],
    ],
  );
  return true;
}

/** Something was said while someone writes: show it, and let them say that they read it. */
export function tellNews(after) {
  const fresh = $$(".msg[data-message]:not(.note)").filter((one) => BigInt(one.dataset.message) > BigInt(after) && !one.matches(".ours, .other"));
  if (!fresh.length) return;
  writing.news.push(...fresh.map((one) => $(".bubble", one)?.textContent.trim() || say("a_file")));
  stop(say("news_while_writing"), writing.news, [[say("i_have_read_it"), () => acknowledge()]]);
}

/** The writer has read what is new. */
export function acknowledge() {
  writing.news = [];
  writing.seen = desk.facts?.version || 0;
  $("[data-text]").focus();
}
