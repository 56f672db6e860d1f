/* Several cases at once: chosen by their boxes or with x, done in one stroke, taken back in one. */

import { ask } from "./ask.js";
import { loadChoices } from "./desk.js";
import { $, $$ } from "./dom.js";
import { currentRow, picked } from "./list.js";
import { pick } from "./picker.js";
import { complain, toast, undoAct } from "./toasts.js";
import { count, say } from "./words.js";

const bar = $("[data-bulk]");

export function startBulk() {
  $("[data-rows]")?.addEventListener("change", (event) => event.target.matches("[data-pick]") && show());
}

function show() {
  const numbers = picked();
  bar.hidden = !numbers.length;
  $("[data-bulk-count]").textContent = count("chosen", numbers.length);
}

function none() {
  for (const box of $$("[data-pick]:checked")) box.checked = false;
  $("[data-list-scroll]").classList.remove("is-picking");
  show();
}

async function actOn(body) {
  try {
    const answer = await ask("POST", "bulk", { ...body, numbers: picked() });
    toast(answer.words, answer.act ? { undo: undoAct(answer.act) } : {});
    none();
  } catch (error) {
    complain(error);
  }
}

async function assign() {
  const { agents, teams } = await loadChoices();
  const chosen = await pick({
    title: say("assign_to"),
    options: [
      ...agents.map((one) => ({
        words: one.name,
        note: one.away ? say("away") : "",
        group: say("agents"),
        value: { verb: "assign", agent: one.id },
      })),
      ...teams.map((one) => ({ words: one.name, group: say("teams"), value: { verb: "move", team: one.id } })),
    ],
  });
  if (chosen) actOn(chosen);
}

async function tag() {
  const { tags } = await loadChoices();
  const chosen = await pick({ title: say("add_tag"), options: tags.map((name) => ({ words: name, value: name })), free: say("new_tag") });
  if (chosen) actOn({ verb: "tag", add: [chosen.typed || chosen] });
}

async function close() {
  const options = ["solved", "heard", "no_answer_needed", "spam"].map((value) => ({ words: say(`outcome_${value}`), value }));
  const outcome = await pick({ title: say("how_did_it_end"), options });
  if (outcome) actOn({ verb: "close", outcome });
}

export const bulkCommands = {
  pick: () => $("[data-list-scroll]").classList.toggle("is-picking"),
  "pick-none": none,
  "pick-this": {
    run: () => {
      const box = $("[data-pick]", currentRow());
      if (box) ((box.checked = !box.checked), show());
    },
    when: () => Boolean(currentRow()),
    words: "choose_this",
    key: "x",
    group: "list",
  },
  "bulk-assign": assign,
  "bulk-tag": tag,
  "bulk-close": close,
};
