/* Ctrl K: every action, every view, any case or person, from one field. */

import { ask, at } from "./ask.js";
import { listed, run } from "./commands.js";
import { $$ } from "./dom.js";
import { keyOf } from "./keys.js";
import { pick } from "./picker.js";
import { say } from "./words.js";

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Open it. `openCase` shows a case on the desk; elsewhere the page is left. */
export async function openPalette(openCase) {
  const chosen = await pick({ title: say("search_or_do"), options: (typed) => find(typed), wait: 120 });
  if (!chosen) return;
  if (chosen.do) run(chosen.do);
  else if (chosen.number && openCase) openCase(chosen.number, { focus: true });
  else location.href = chosen.href || at(`cases/${chosen.number}`);
}

async function find(typed) {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const fits = (text) => words.every((word) => plain(text).includes(word));
  const acts = listed()
    .filter((one) => one.name !== "palette" && (!one.when || one.when()))
    .map((one) => ({ words: say(one.words), key: keyOf(one.name), group: say("actions"), value: { do: one.name } }));
  const places = $$(".menu-sheet a, [data-counts] a").map((link) => ({
    words: link.textContent.replace(/\s+/g, " ").trim(),
    group: say("places"),
    value: { href: link.href },
  }));
  const found = [...acts, ...places].filter((one) => fits(one.words));
  if (typed.length < 2) return found;
  const { cases } = await ask("GET", `search?q=${encodeURIComponent(typed)}`).catch(() => ({ cases: [] }));
  const hits = cases.map((one) => ({
    words: `${one.name} · ${one.words}`.slice(0, 90),
    note: String(one.number),
    group: say("cases"),
    value: { number: one.number },
  }));
  const all = { words: say("search_all", { words: typed }), group: say("cases"), value: { href: at(`search?q=${encodeURIComponent(typed)}`) } };
  return [...found.slice(0, 8), ...hits, all];
}
