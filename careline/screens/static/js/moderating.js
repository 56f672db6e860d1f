/* What is done to one message: like, react, hide, delete ours, unfold what it said before; by button or by key on the message in focus. */

import { ask } from "./ask.js";
import { refresh } from "./case.js";
import { desk } from "./desk.js";
import { $, $$, make } from "./dom.js";
import { pick } from "./picker.js";
import { complain, toast, undoAt } from "./toasts.js";
import { say } from "./words.js";

const hasCase = () => Boolean(desk.facts);
const moderates = () => hasCase() && desk.facts.may_moderate;

/** The message a key means: the one in focus or jumped to, else the newest that has such a button. */
function meant(name) {
  const focused = document.activeElement?.closest?.(".msg") || $(".msg.is-jumped");
  const within = focused || document;
  return $$(`[data-do="${name}"]`, within).at(-1) || null;
}

/** Do it, say it, offer the way back. */
async function act(message, body) {
  const refused = await tryTo(message, body);
  if (refused) complain(refused);
}

/** Gives back the refusal, if there was one. */
async function tryTo(message, body) {
  try {
    const answer = await ask("POST", `cases/${desk.facts.number}/messages/${message}/moderations`, body);
    toast(answer.words, { undo: undoAt(answer.undo, () => refresh()), until: answer.undo_s ? Date.now() + answer.undo_s * 1000 : 0 });
    refresh();
    return null;
  } catch (error) {
    return error;
  }
}

async function react(button) {
  const { message, ours, emojis } = button.dataset;
  const options = emojis.split(" ").map((emoji) => ({ words: emoji, value: emoji }));
  if (ours) options.unshift({ words: say("take_reaction_back", { emoji: ours }), value: "" });
  const chosen = await pick({ title: say("react_with"), options });
  if (chosen === "") act(message, { verb: "unreact" });
  else if (chosen) act(message, { verb: "react", emoji: chosen });
}

/** New words for a message of ours, which stands: the platform shows that it was edited. */
function edit({ dataset }) {
  const text = make("textarea", { id: "edit-text", rows: 6, dir: "auto", required: true, "aria-label": say("your_words") });
  text.value = dataset.words;
  const problem = make("p", { class: "problem", role: "alert" });
  const acts = make(
    "div",
    { class: "form-acts" },
    make("button", { class: "button first", text: say("edit_save") }),
    make("button", { class: "button", type: "button", text: say("keep_it"), onclick: () => sheet.close() }),
  );
  const form = make("form", { class: "sheet-body" }, make("div", { class: "field" }, text), problem, acts);
  const title = say("edit_message");
  const sheet = make("dialog", { class: "sheet", "aria-label": title }, make("div", { class: "sheet-head" }, make("h2", { text: title })), form);
  form.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && (event.preventDefault(), form.requestSubmit()));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const refused = await tryTo(dataset.message, { verb: "edit", text: text.value });
    if (refused) problem.textContent = refused.message;
    else sheet.close();
  });
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
  text.focus();
}

async function settle(path, body) {
  try {
    toast((await ask("POST", path, body)).words);
    refresh();
  } catch (error) {
    complain(error);
  }
}

/** By button the element is given; by key it is looked for. */
const on = (name, work) => (element) => {
  const button = element || meant(name);
  if (button) work(button);
};

function unfold(element) {
  const focused = document.activeElement?.closest?.(".msg") || $(".msg.is-jumped");
  const folds = $$("details.revisions", focused || document);
  const fold = element || folds.at(-1);
  if (!fold) return toast(say("never_edited"));
  fold.open = !fold.open;
  fold.querySelector("summary").focus({ preventScroll: true });
  if (fold.open) fold.scrollIntoView({ block: "nearest" });
}

export const messageCommands = {
  like: { run: on("like", ({ dataset }) => act(dataset.message, { verb: dataset.verb })), when: moderates, words: "like_message", key: "u", group: "case" },
  react: { run: on("react", react), when: moderates, words: "react_message", key: "y", group: "case" },
  hide: { run: on("hide", ({ dataset }) => act(dataset.message, { verb: dataset.verb })), when: moderates, words: "hide_message", key: "w", group: "case" },
  "edit-ours": { run: on("edit-ours", edit), when: moderates, words: "edit_message", key: "o", group: "case" },
  "delete-ours": {
    run: on("delete-ours", ({ dataset }) => act(dataset.message, { verb: "delete" })),
    when: moderates,
    words: "delete_message",
    key: "Delete",
    group: "case",
  },
  "earlier-words": { run: () => unfold(), when: hasCase, words: "show_revisions", key: "v", group: "case" },
  "undo-moderation": ({ dataset }) => undoAt(`moderations/${dataset.moderation}/undo`, () => refresh())().catch(complain),
  "redo-moderation": ({ dataset }) =>
    stateOf(dataset.moderation) === "unknown"
      ? settle(`moderations/${dataset.moderation}/outcome`, { was_done: false })
      : settle(`moderations/${dataset.moderation}/attempts`, {}),
  "was-done": ({ dataset }) => settle(`moderations/${dataset.moderation}/outcome`, { was_done: true }),
};

const stateOf = (id) => $(`.delivery[data-moderation="${id}"]`)?.dataset.state;
