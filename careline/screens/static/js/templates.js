/* Approved templates: where a platform takes nothing else any more, one is chosen, filled in, read as a whole, and sent. */

import { ask } from "./ask.js";
import { writing } from "./composer.js";
import { make, newKey } from "./dom.js";
import { pick } from "./picker.js";
import { sendTemplate } from "./sending.js";
import { complain, toast } from "./toasts.js";
import { uploadAlone } from "./uploads.js";
import { say } from "./words.js";

/** The button, or its command. */
export async function offerTemplates() {
  const { number, choice } = writing;
  if (!choice?.templates) return;
  try {
    const found = await ask("GET", `cases/${number}/templates?thread=${choice.thread}`);
    if (!found.length) return toast(say("no_templates"), { bad: true });
    const one = await pick({ title: say("templates"), options: found.map((row) => ({ words: row.name, note: row.language, value: row })) });
    if (one && writing.number === number) fill(one);
  } catch (error) {
    complain(error);
  }
}

/** A field for each place that is left open, one for the file it begins with, and the words as the customer will read them. */
function fill(one) {
  const fields = one.parameters.map((name, index) =>
    make("input", { id: `template-${index}`, name, required: true, dir: "auto", autocomplete: "off", placeholder: one.examples[index] || "" }),
  );
  const body = make("div", { class: "template-words", dir: "auto", lang: one.language, role: "status" });
  const problem = make("p", { class: "problem", role: "alert" });
  const key = newKey();
  const show = () => body.replaceChildren(...wording(one, fields));
  const file = one.media && make("input", { id: "template-file", type: "file", required: true, accept: one.media.types.join(",") });
  const begins = file ? [[file, say(`template_${one.media.kind}`)]] : [];
  const lines = [...begins, ...fields.map((field) => [field, label(field.name)])].map(([field, words]) =>
    make("div", { class: "field" }, make("label", { for: field.id, text: words }), field),
  );
  const acts = make(
    "div",
    { class: "form-acts" },
    make("button", { class: "button first", text: say("send_template") }),
    make("button", { class: "button", type: "button", text: say("keep_writing"), onclick: () => sheet.close() }),
  );
  let whole = null;
  const deliver = async () => {
    if (file && whole?.chosen !== file.files[0]) whole = { ...(await uploadAlone(file.files[0])), chosen: file.files[0] };
    if (whole?.problem) return whole.problem;
    const values = fields.map((field) => field.value);
    return (await sendTemplate(one.id, values, whole, key))?.message;
  };
  const form = make("form", { class: "sheet-body" }, ...lines, body, problem, acts);
  const sheet = make("dialog", { class: "sheet", "aria-label": one.name }, make("div", { class: "sheet-head" }, make("h2", { text: one.name })), form);
  form.addEventListener("input", show);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const refused = await deliver();
    if (refused) problem.textContent = refused;
    else sheet.close();
  });
  sheet.addEventListener("close", () => sheet.remove());
  show();
  document.body.append(sheet);
  sheet.showModal();
}

const label = (name) => (/^\d+$/.test(name) ? say("template_field", { num: name }) : name.replaceAll("_", " "));

/** Heading, body with what is typed so far, footer, and buttons that go along. */
function wording(one, fields) {
  const values = new Map(fields.map((field) => [field.name, field.value.trim()]));
  const pieces = one.body.split(/\{\{([^{}]+)\}\}/).map((piece, index) => (index % 2 ? value(values.get(piece.trim()), piece) : piece));
  const around = (text) => (text ? [make("p", { class: "muted", text })] : []);
  return [...around(one.heading), make("p", {}, ...pieces), ...around(one.footer), ...around(one.buttons.map((words) => `[${words}]`).join(" "))];
}

const value = (typed, name) => (typed ? make("b", { text: typed }) : make("span", { class: "gap", text: `{{${name}}}` }));
