/* An agent's word on what triage says: right in one key, corrected in two, brought back in one. */

import { ask, askHtml } from "./ask.js";
import { openNext, refresh } from "./case.js";
import { desk } from "./desk.js";
import { $, parse } from "./dom.js";
import { leave } from "./list.js";
import { pick } from "./picker.js";
import { complain, toast, undoAct } from "./toasts.js";
import { say } from "./words.js";

const manages = () => Boolean(desk.facts?.may_manage);

async function tell(body) {
  try {
    const answer = await ask("POST", `cases/${desk.facts.number}/signs`, body);
    toast(answer.words, answer.act ? { undo: undoAct(answer.act, () => refresh()) } : {});
    const { id } = desk.facts;
    if (desk.view !== "audit") return void (await refresh());
    await openNext();
    leave(id);
  } catch (error) {
    complain(error);
  }
}

async function correct() {
  const { offered } = await ask("GET", `cases/${desk.facts.number}/signs`);
  const options = offered.map((one) => ({ words: one.words, group: one.group, note: one.group, value: one }));
  const chosen = await pick({ title: say("what_is_it"), options });
  if (chosen) await tell({ verdict: chosen.verdict, value: chosen.value });
}

const REASONS = ["identify", "solve", "fraud", "request"];

/** The hidden words of a message, in this page only, until it is drawn again. */
async function reveal({ dataset }) {
  const options = REASONS.map((value) => ({ words: say(`reveal_${value}`), value }));
  const reason = await pick({ title: say("reveal_why"), options });
  if (!reason) return;
  const { text } = await ask("POST", `cases/${desk.facts.number}/messages/${dataset.message}/words`, { reason });
  const message = $(`[data-message="${dataset.message}"].msg`);
  $(".bubble", message).textContent = text;
  $(".hidden-kinds", message)?.remove();
}

/* Solved cases of the same meaning are looked for when somebody wants to see them. */
document.addEventListener("toggle", async ({ target }) => {
  if (!target.open || !target.dataset?.alike || target.dataset.told) return;
  target.dataset.told = "1";
  const list = $("[data-alike-list]", target);
  try {
    list.replaceChildren(parse(await askHtml(`cases/${target.dataset.alike}/alike`, "alike")));
  } catch (error) {
    delete target.dataset.told;
    list.textContent = error.message;
  }
}, true);

export const signCommands = {
  "accept-signs": { run: () => tell({ accept: true }), when: manages, words: "accept_signs", key: "b", group: "case" },
  "correct-signs": { run: () => correct().catch(complain), when: manages, words: "correct_signs", key: "q", group: "case" },
  "bring-back": {
    run: () => tell({ verdict: "needs_answer", value: "yes" }),
    when: () => manages() && Boolean($("[data-do=say-sign][data-verdict=needs_answer]")),
    words: "bring_back",
    key: "g",
    group: "case",
  },
  reveal: (element) => reveal(element).catch(complain),
  "say-sign": (element) => tell({ verdict: element.dataset.verdict, value: element.dataset.value }),
};
