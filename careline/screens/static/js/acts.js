/* What is done to the open case: each act at once, said in words, with its way back instead of a question before. */

import { ask } from "./ask.js";
import { openCase, openNext, refresh } from "./case.js";
import { desk, loadChoices } from "./desk.js";
import { $, $$ } from "./dom.js";
import { leave } from "./list.js";
import { pick } from "./picker.js";
import { pickSnooze } from "./snoozing.js";
import { complain, toast, undoAct } from "./toasts.js";
import { say } from "./words.js";

const isOpen = () => Boolean(desk.facts);
const manages = () => isOpen() && desk.facts.may_manage;

/** Do it, say it, offer the way back, show what changed. */
async function act(path, body = {}, { method = "POST", then = () => refresh() } = {}) {
  const { number } = desk.facts;
  try {
    const answer = await ask(method, `cases/${number}/${path}`, body);
    toast(answer.words, answer.act ? { undo: undoAct(answer.act, () => (desk.facts ? refresh() : openCase(number))) } : {});
    await then(answer);
    return answer;
  } catch (error) {
    complain(error);
    return null;
  }
}

const OUTCOMES = ["solved", "heard", "no_answer_needed", "spam"];

/** Done. After an answer of ours it is solved; without one the agent says how it ended. */
async function close(element, event) {
  const outcome =
    desk.facts.is_answered && !event?.shiftKey
      ? "solved"
      : await pick({ title: say("how_did_it_end"), options: OUTCOMES.map((value) => ({ words: say(`outcome_${value}`), value })) });
  if (outcome) closeAs(outcome);
}

const closeAs = (outcome) => {
  const { id } = desk.facts;
  return act("closing", { outcome }, { then: () => (["done", "spam"].includes(desk.view) ? refresh() : (openNext(), leave(id))) });
};

async function assign() {
  const { agents, teams } = await loadChoices();
  const me = agents.find((one) => one.id === desk.me.agent);
  const others = agents.filter((one) => one !== me);
  const options = [
    ...(me ? [{ words: say("to_me"), note: me.name, value: { agent: me.id } }] : []),
    ...(desk.facts.assignee ? [{ words: say("back_to_team"), value: { agent: "" } }] : []),
    ...others.map((one) => ({ words: one.name, note: one.away ? say("away") : "", group: say("agents"), value: { agent: one.id } })),
    ...teams.map((one) => ({ words: one.name, group: say("teams"), value: { team: one.id } })),
  ];
  const chosen = await pick({ title: say("assign_to"), options });
  if (chosen) act("assignment", chosen);
}

/** Enter: mine, and ready to write. */
async function take() {
  if (desk.facts.assignee !== desk.me.agent) await act("assignment", { take: true });
  $("[data-text]").focus();
}

async function snooze() {
  const chosen = await pickSnooze();
  const { id } = desk.facts || {};
  if (chosen) act("snooze", chosen, { then: () => (["waiting", "snoozed"].includes(desk.view) ? refresh() : (openNext(), leave(id))) });
}

async function tag() {
  const { tags } = await loadChoices();
  const options = tags.filter((name) => !desk.facts.tags.includes(name)).map((name) => ({ words: name, value: name }));
  const chosen = await pick({ title: say("add_tag"), options, free: say("new_tag") });
  if (chosen) (await act("tags", { add: [chosen.typed || chosen] }), chosen.typed && loadChoices(true));
}

async function merge() {
  const find = async (typed) => {
    if (!typed) return [];
    const { cases } = await ask("GET", `search?q=${encodeURIComponent(typed)}`);
    const direct = /^\d+$/.test(typed) ? [{ words: say("case_number", { number: typed }), value: Number(typed) }] : [];
    return [
      ...direct,
      ...cases
        .filter((one) => one.number !== desk.facts.number)
        .map((one) => ({ words: `${one.number} · ${one.name}`, note: one.words.slice(0, 40), value: one.number })),
    ];
  };
  const into = await pick({ title: say("merge_into"), options: find, wait: 150 });
  if (into) act("merge", { into }, { then: (answer) => openCase(answer.number) });
}

/** Messages are chosen in the timeline by clicking them; then they leave for a case of their own. */
async function split() {
  const messages = $$(".timeline .msg:not(.other):not(.note)")
    .map((one) => ({
      words: $(".bubble", one)?.textContent.trim().slice(0, 90) || say("a_file"),
      note: $("time", one)?.textContent,
      value: one.dataset.message,
    }))
    .reverse();
  const first = await pick({ title: say("split_off"), options: messages });
  if (first) act("split", { messages: [first] }, { then: (answer) => openCase(answer.number) });
}

async function more() {
  const options = [
    { words: say("add_tag"), key: "t", value: "tag" },
    { words: say("change_title"), value: "title" },
    { words: say("confirm_harm"), value: "harm" },
    { words: say("merge_into"), value: "merge" },
    { words: say("split_off"), value: "split" },
    ...(desk.facts.may_block ? [{ words: say("spam_and_block"), value: "block" }] : []),
    { words: say("copy_address"), value: "copy-address" },
    { words: say("print_case"), value: "print" },
  ];
  const chosen = await pick({ title: say("more_actions"), options });
  if (chosen) caseCommands[chosen].run();
}

async function title() {
  const typed = await pick({ title: say("change_title"), options: [], free: say("title_is") });
  if (typed?.typed) act("fields", { title: typed.typed });
}

const block = () => {
  const { id } = desk.facts;
  return act("block", {}, { then: () => (openNext(), leave(id)) });
};

export const caseCommands = {
  take: { run: take, when: manages, words: "take_case", key: "Enter", group: "case" },
  close: { run: close, when: manages, words: "done_case", key: "e", group: "case" },
  reopen: { run: () => act("closing", undefined, { method: "DELETE" }), when: manages, words: "reopen_case", group: "case" },
  assign: { run: assign, when: manages, words: "assign_case", key: "a", group: "case" },
  snooze: { run: snooze, when: manages, words: "snooze_case", key: "s", group: "case" },
  tag: { run: tag, when: manages, words: "add_tag", key: "t", group: "case" },
  merge: { run: merge, when: manages, words: "merge_into", group: "case" },
  split: { run: split, when: manages, words: "split_off", group: "case" },
  block: { run: block, when: () => manages() && desk.facts.may_block, words: "spam_and_block", key: "!", group: "case" },
  title: { run: title, when: manages, words: "change_title", group: "case" },
  harm: { run: () => act("fields", { is_harm: !$(".case-head .tag.harm") }), when: manages, words: "confirm_harm", group: "case" },
  more: { run: more, when: isOpen },
  print: { run: () => print(), when: isOpen, words: "print_case", group: "case" },
  "copy-address": {
    run: () => navigator.clipboard?.writeText(location.href.split("?")[0]).then(() => toast(say("copied"))),
    when: isOpen,
    words: "copy_address",
    group: "case",
  },
  "join-first": {
    run: () => $("[data-do=join-case]").click(),
    when: () => manages() && Boolean($("[data-do=join-case]")),
    words: "join_first",
    key: "m",
    group: "case",
  },
  untag: (element) => act("tags", { remove: [element.dataset.tag] }),
  "join-case": (element) =>
    act("join", { other: Number(element.dataset.number) }, { then: (answer) => openCase(answer.number).then(() => refresh()) }),
  "undo-act": (element) => undoAct(element.dataset.act, () => refresh())().catch(complain),
};
