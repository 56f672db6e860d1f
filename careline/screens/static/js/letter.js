/* A new e-mail to somebody who has not written: from which mailbox, to whom, about what. Every recipient stands there before it leaves. */

import { ask } from "./ask.js";
import { openCase } from "./case.js";
import { desk, loadChoices } from "./desk.js";
import { $, $$, make, newKey } from "./dom.js";
import { toast } from "./toasts.js";
import { say } from "./words.js";

const KEPT = "careline-letter";

/** Open the form; `start` fills it (a forwarded mail), with `files` of it that may go along. */
export async function writeLetter({ files = [], ...start } = {}) {
  const { mailboxes } = await loadChoices();
  if (!mailboxes.length) return toast(say("no_mailbox"), { bad: true });
  const key = newKey();
  const line = (name, label, input) => make("div", { class: "field" }, make("label", { for: `letter-${name}`, text: label }), input);
  const input = (name, more = {}) => make("input", { id: `letter-${name}`, name, dir: "auto", autocomplete: "off", ...more });
  const kept = { ...load(), ...start };
  const problem = make("p", { class: "problem", role: "alert" });
  const form = make(
    "form",
    { class: "sheet-body" },
    line(
      "channel",
      say("from_label"),
      make("select", { id: "letter-channel", name: "channel" }, ...mailboxes.map((one) => new Option(`${one.name} · ${one.note}`, one.id))),
    ),
    line("to", say("to_label"), input("to", { required: true, value: kept.to, inputmode: "email", placeholder: "ana@example.org, ben@example.org" })),
    line("copied", "CC", input("copied", { value: kept.copied, inputmode: "email" })),
    line("subject", say("subject_label"), input("subject", { required: true, value: kept.subject })),
    line("text", say("text_label"), make("textarea", { id: "letter-text", name: "text", rows: 9, dir: "auto", required: true })),
    ...(files.length ? [make("div", { class: "field" }, ...files.map(fileLine))] : []),
    problem,
    make(
      "div",
      { class: "form-acts" },
      make("button", { class: "button first", text: say("send_mail") }),
      make("button", { class: "button", type: "button", text: say("keep_for_later"), onclick: () => sheet.close() }),
    ),
  );
  const sheet = make(
    "dialog",
    { class: "sheet wide", "aria-label": say("new_mail") },
    make("div", { class: "sheet-head" }, make("h2", { text: say("new_mail") })),
    form,
  );
  form.elements.text.value = kept.text || "";
  form.addEventListener("input", () => save(form));
  form.addEventListener(
    "keydown",
    (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && (event.preventDefault(), form.requestSubmit()),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form));
    try {
      const along = $$("[data-along]:checked", form);
      const parts = { files: along.map((one) => one.value), names: along.map((one) => one.dataset.along) };
      const answer = await ask("POST", "letters", { ...values, ...parts, to: addresses(values.to), copied: addresses(values.copied), client_key: key });
      save(null);
      sheet.close();
      const undo = async () => (toast((await ask("DELETE", `deliveries/${answer.delivery}`)).words), writeLetter({ ...values, files }));
      toast(say("goes_out"), answer.delivery ? { undo, until: Date.now() + answer.undo_s * 1000 } : {});
      if (answer.number) openCase(answer.number);
    } catch (error) {
      problem.textContent = error.message;
      $(`[name="${CSS.escape(error.field || "")}"]`, form)?.focus();
    }
  });
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
  (kept.to ? form.elements.text : form.elements.to).focus();
}

/** A file of the forwarded mail: goes along unless it is unticked. It has no name in the form, so that what is kept for later holds words only. */
function fileLine(file) {
  const tick = make("input", { type: "checkbox", checked: true, value: file.id });
  tick.dataset.along = file.name;
  return make("label", { class: "check" }, tick, make("bdi", { text: file.name }));
}

/** Forward a mail of the timeline: its words quoted below, its files along, nobody named yet. */
export function forward(element) {
  const message = element.closest(".msg");
  const words = message.querySelector("iframe[data-mail]")?.contentDocument?.body?.innerText || message.querySelector(".bubble")?.innerText || "";
  const head = `${message.querySelector("header b")?.innerText || ""}, ${message.querySelector("time")?.title || ""}`;
  const subject = desk.facts?.choices.find((choice) => choice.is_mail)?.subject || "";
  const files = $$("[data-file-id]", message).map((one) => ({ id: one.dataset.fileId, name: one.dataset.fileName }));
  writeLetter({ files, to: "", copied: "", subject: `Fwd: ${subject}`, text: `\n\n${head}:\n${words.trim().replace(/^/gm, "> ")}` });
}

const addresses = (text) =>
  text
    .split(/[,;\n]/)
    .map((one) => one.trim())
    .filter(Boolean);

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) || {};
  } catch {
    return {};
  }
}

function save(form) {
  try {
    if (form) localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(new FormData(form))));
    else localStorage.removeItem(KEPT);
  } catch {
    /* a forbidden store: the form itself still holds the words while it is open */
  }
}
