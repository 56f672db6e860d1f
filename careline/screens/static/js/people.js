/* What is done to a person: links on the desk and on their own page, renaming, joining, blocking, erasing. */

import { ask } from "./ask.js";
import { desk } from "./desk.js";
import { $ } from "./dom.js";
import { pick } from "./picker.js";
import { complain, toast, undoAt } from "./toasts.js";
import { say } from "./words.js";

let changed = () => location.reload();

/** On the desk a change is patched in; on a page of its own it is loaded again. */
export const onPersonChange = (work) => (changed = work);

const head = () => $("[data-person]")?.dataset || {};

async function act(path, body = {}, method = "POST") {
  try {
    const answer = await ask(method, path, body);
    if (!desk.root) sessionStorage.setItem("careline-said", JSON.stringify(answer));
    else toast(answer.words, answer.undo ? { undo: undoAt(answer.undo, changed) } : {});
    changed();
  } catch (error) {
    complain(error);
  }
}

/** What was done before the page was loaded again is still said, with its way back. */
export function sayWhatWasDone() {
  const kept = sessionStorage.getItem("careline-said");
  if (!kept || desk.root) return;
  sessionStorage.removeItem("careline-said");
  const answer = JSON.parse(kept);
  toast(answer.words, answer.undo ? { undo: undoAt(answer.undo, () => location.reload()) } : {});
}

async function join() {
  const { person } = head();
  const find = async (typed) => {
    const { cases } = typed.length > 1 ? await ask("GET", `search?q=${encodeURIComponent(typed)}`) : { cases: [] };
    const others = new Map(cases.filter((one) => one.person !== person).map((one) => [one.person, one]));
    return [...others.values()].map((one) => ({ words: one.name, note: one.words.slice(0, 40), value: one.person }));
  };
  const other = await pick({ title: say("join_with"), options: find, wait: 150 });
  if (other) act(`persons/${person}/join`, { other });
}

async function rename() {
  const typed = await pick({ title: say("new_name"), options: [], free: say("name_is") });
  if (typed?.typed) act(`persons/${head().person}/name`, { name: typed.typed });
}

async function erase() {
  const { person, name } = head();
  const typed = await pick({ title: say("erase_type_name", { name }), options: [], free: say("erase_for_ever") });
  if (!typed?.typed) return;
  try {
    const answer = await ask("POST", `persons/${person}/erasure`, { name: typed.typed });
    toast(answer.words);
    setTimeout(() => (location.href = $(".brand").href), 2500);
  } catch (error) {
    complain(error);
  }
}

const link = (verb) => (element) => act(`links/${element.dataset.link}/${verb}`);

export const peopleCommands = {
  "accept-link": link("acceptance"),
  "refuse-link": link("refusal"),
  unlink: link("undo"),
  "rename-person": rename,
  "join-person": join,
  "block-person": () => act(`persons/${head().person}/block`),
  "unblock-person": () => act(`persons/${head().person}/block`, undefined, "DELETE"),
  "erase-person": erase,
};
