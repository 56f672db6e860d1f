/* The commands of the desk that are not acts on a case: moving, writing, showing. And the filters of the list. */

import { ask } from "./ask.js";
import { openCase, refresh } from "./case.js";
import { setMode } from "./composer.js";
import { desk, loadChoices, showPane } from "./desk.js";
import { $, $$, atMost } from "./dom.js";
import { showMap } from "./keys.js";
import { forward, writeLetter } from "./letter.js";
import { neighbour } from "./list.js";
import { openPalette } from "./palette.js";
import { send, sendThenPrivate } from "./sending.js";
import { offerSnippets } from "./snippets.js";
import { tryAgain } from "./stream.js";
import { jump } from "./timeline.js";
import { complain, toast, undoNewest } from "./toasts.js";

const hasCase = () => Boolean(desk.facts);

function step(by) {
  const row = neighbour(by);
  if (row) openCase(Number(row.dataset.number));
}

function write(mode) {
  setMode(mode);
  $("[data-text]").focus();
}

function togglePerson() {
  const pane = $("[data-person-pane]");
  if (pane.classList.toggle("is-open")) pane.focus();
}

async function toggleFilters(element) {
  const form = $("[data-filters]");
  form.hidden = !form.hidden;
  element?.setAttribute("aria-expanded", String(!form.hidden));
  if (form.hidden || form.dataset.filled) return;
  form.dataset.filled = "1";
  const choices = await loadChoices().catch(complain);
  for (const select of $$("[data-choices]", form)) {
    for (const one of choices?.[select.dataset.choices] || [])
      select.add(typeof one === "string" ? new Option(one, one) : new Option(one.note ? `${one.name} · ${one.note}` : one.name, one.id));
    select.value = select.dataset.chosen;
    if (!choices?.[select.dataset.choices]?.length) select.closest("label").hidden = true;
  }
  form.querySelector("select").focus();
}

/** Empty filters do not belong in the address. */
export function startFilters() {
  $("[data-filters]")?.addEventListener("submit", (event) => {
    for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
  });
}

/** Counts of the bar, some moments after something changed. */
export const recount = atMost(async () => {
  const { counts } = await ask("GET", "counts").catch(() => ({ counts: {} }));
  for (const [view, number] of Object.entries(counts)) {
    const place = $(`[data-count="${view}"] b`);
    if (place) place.textContent = number;
  }
}, 1500);

/** Fields of the case are saved when they are left. */
export function startFields() {
  document.addEventListener("submit", (event) => event.target.matches("[data-fields]") && (event.preventDefault(), document.activeElement?.blur()));
  document.addEventListener("change", async (event) => {
    if (!event.target.matches("[data-field]") || !desk.facts) return;
    const line = event.target.closest(".field-line");
    line.querySelector(".problem")?.remove();
    try {
      const answer = await ask("POST", `cases/${desk.facts.number}/fields`, { values: { [event.target.name]: event.target.value.trim() } });
      toast(answer.words);
      refresh();
    } catch (error) {
      const words = document.createElement("span");
      words.className = "problem";
      words.textContent = error.message;
      line.append(words);
    }
  });
}

const showEarlier = () => import("./earlier.js").then((one) => one.showEarlier()).catch(complain);
const jumpBack = async () => jump(-1) || ((await showEarlier()) && jump(-1));

export const deskCommands = {
  next: { run: () => step(1), words: "next_case", key: "j", group: "list" },
  previous: { run: () => step(-1), words: "previous_case", key: "k", group: "list" },
  public: { run: () => write("public"), when: hasCase, words: "write_public_key", key: "r", group: "write" },
  private: { run: () => write("private"), when: hasCase, words: "write_private_key", key: "d", group: "write" },
  note: { run: () => write("note"), when: hasCase, words: "write_note_key", key: "n", group: "write" },
  send: { run: (element, event) => (event?.shiftKey ? sendThenPrivate() : send()), when: () => hasCase() && !document.querySelector("dialog[open]"), words: "send_key", key: "Ctrl Enter", group: "write" },
  "send-then-private": { run: () => sendThenPrivate(), when: hasCase, words: "public_then_private" },
  "send-done": { run: () => send({ then: "done" }), when: hasCase, words: "send_and_done" },
  "slash-key": { run: () => (hasCase() ? offerSnippets() : openPalette(openCase)), words: "snippet_or_search", key: "/", group: "write" },
  snippet: () => offerSnippets(),
  template: () => import("./templates.js").then((one) => one.offerTemplates()).catch(complain),
  attach: { run: () => $("[data-file]").click(), when: hasCase, words: "attach_file", group: "write" },
  "jump-next": { run: () => jump(1), when: hasCase, words: "next_own_message", key: "]", group: "case" },
  "jump-previous": { run: jumpBack, when: hasCase, words: "previous_own_message", key: "[", group: "case" },
  earlier: showEarlier,
  person: { run: togglePerson, when: hasCase, words: "show_person", key: "i", group: "case" },
  undo: { run: undoNewest, words: "undo_last", key: "z", group: "everything" },
  palette: { run: () => openPalette(openCase), words: "search_or_do", key: "Ctrl K", group: "everything" },
  map: { run: showMap, words: "keyboard", key: "?", group: "everything" },
  compose: { run: () => writeLetter(), when: () => Boolean($("[data-do=compose]")), words: "new_mail", key: "c", group: "everything" },
  forward,
  filters: { run: toggleFilters, words: "narrow_list", key: "f", group: "list" },
  back: () => (showPane("list"), history.pushState({}, "", `?${desk.query}`), $(".row-open[aria-current]")?.focus()),
  reconnect: () => tryAgain(),
};

/** Clicks on rows and on links to other cases open them in place. */
export function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".row-open, [data-open], .failed a, .meta a[href*='/cases/'], .banner a[href*='/cases/']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const number = Number(/cases\/(\d+)/.exec(link.href)[1]);
    openCase(number);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const pane = $("[data-person-pane].is-open");
    if (pane) pane.classList.remove("is-open");
    else if (document.activeElement?.matches("textarea, input"))
      (document.activeElement.blur(), $("[data-timeline-scroll]")?.focus({ preventScroll: true }));
  });
}
