/* Files for an answer: by button, drop or paste, each with its progress, checked against what the network takes. */

import { ask, at } from "./ask.js";
import { desk } from "./desk.js";
import { $, icon, make } from "./dom.js";
import { complain } from "./toasts.js";
import { say } from "./words.js";

const list = $("[data-uploads]");
let ticket = desk.root?.dataset.uploadTicket || "";
let files = [];
let rules = null;

/** Ids of files that are whole; and whether some are still on their way. */
export const fileIds = () => files.filter((file) => file.id).map((file) => file.id);
export const fileNames = () => files.filter((file) => file.id).map((file) => file.name);
export const fileAlts = () => files.filter((file) => file.id).map((file) => file.alt?.value || "");
export const isUploading = () => files.some((file) => file.request);
export const hasProblem = () => files.some((file) => file.problem);

/** What the present choice takes: {most_files, files: [{types, most_bytes}]}; null takes anything (notes). */
export function setRules(next) {
  rules = next;
  for (const file of files) check(file);
  draw();
}

export function clearFiles() {
  for (const file of files) file.request?.abort();
  files = [];
  draw();
}

/** Take files in, up to what may be sent. */
function addFiles(added) {
  for (const blob of added) {
    const file = { name: blob.name || say("pasted_picture"), size: blob.size, type: blob.type, share: 0, id: "", problem: "" };
    files.push(file);
    check(file);
    if (!file.problem) send(file, blob);
  }
  draw();
}

function check(file) {
  if (file.id === "" && !file.request && file.share) return;
  const most = rules?.most_files ?? 20;
  const index = files.indexOf(file);
  const rule = rules ? rules.files.find((one) => one.types.some((type) => fits(file.type, type))) : { most_bytes: 0 };
  file.problem = "";
  if (index >= most) file.problem = most ? say("too_many_files", { num: most }) : say("no_files_here");
  else if (!rule && rules.files.length) file.problem = say("wrong_file_kind");
  else if (rule?.most_bytes && file.size > rule.most_bytes) file.problem = say("file_too_large", { size: `${Math.floor(rule.most_bytes / 1e6)} MB` });
}

const fits = (type, wanted) => wanted === "*/*" || type === wanted || (wanted.endsWith("/*") && type.startsWith(wanted.slice(0, -1)));

/** One file by itself, beside those of the composer. Gives it with its id, or with what went wrong. */
export function uploadAlone(blob) {
  return new Promise((settle) => send({ name: blob.name, size: blob.size, type: blob.type, share: 0, id: "", problem: "", settle }, blob));
}

function send(file, blob, isSecondTry = false) {
  const request = new XMLHttpRequest();
  file.request = request;
  request.open("POST", `${at("files")}?ticket=${encodeURIComponent(ticket)}&name=${encodeURIComponent(file.name)}`);
  request.upload.addEventListener("progress", (event) => ((file.share = event.loaded / event.total), drawOne(file)));
  request.addEventListener("load", () => arrived(file, blob, request, isSecondTry));
  request.addEventListener("error", () => fail(file, say("upload_lost")));
  request.addEventListener("abort", () => (file.request = null));
  request.send(blob);
}

async function arrived(file, blob, request, isSecondTry) {
  file.request = null;
  const answer = parsed(request.responseText);
  if (request.status === 401 && !isSecondTry) {
    ticket = (await ask("GET", "tickets").catch(() => ({}))).upload || "";
    return send(file, blob, true);
  }
  if (request.status >= 300) return fail(file, answer.message || say("upload_lost"));
  file.id = answer.file_id;
  file.type = answer.content_type || file.type;
  draw();
  file.settle?.(file);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function fail(file, words) {
  file.request = null;
  file.problem = words;
  draw();
  file.settle?.(file);
}

function remove(file) {
  file.request?.abort();
  files = files.filter((other) => other !== file);
  for (const other of files) check(other);
  draw();
}

function draw() {
  if (!list) return;
  list.replaceChildren(
    ...files.map((file) => {
      file.bar = file.request ? make("progress", { max: 1, value: file.share, "aria-label": say("uploading", { name: file.name }) }) : null;
      return make(
        "span",
        { class: file.problem ? "upload is-bad" : "upload", title: file.problem || file.name },
        icon(file.problem ? "circle-alert" : "paperclip"),
        make("span", { text: file.problem ? `${file.name}: ${file.problem}` : file.name, dir: "auto" }),
        file.bar,
        described(file),
        make(
          "button",
          { class: "act", type: "button", "aria-label": say("remove_file", { name: file.name }), onclick: () => remove(file) },
          icon("x"),
        ),
      );
    }),
  );
  list.dispatchEvent(new CustomEvent("uploads", { bubbles: true }));
}

/** What the picture shows, for those who cannot see it: where the network takes such words. */
function described(file) {
  if (!rules?.alt_texts || !file.type.startsWith("image/") || file.problem) return null;
  file.alt ||= make("input", { type: "text", class: "alt", maxlength: 1500, dir: "auto", placeholder: say("alt_text"), "aria-label": say("alt_text_of", { name: file.name }) });
  return file.alt;
}

function drawOne(file) {
  if (file.bar) file.bar.value = file.share;
}

/** Drop and paste on the composer. */
export function watchFiles(form, text) {
  const input = $("[data-file]", form);
  input.addEventListener("change", () => (addFiles(input.files), (input.value = "")));
  text.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files];
    if (pasted.length) (event.preventDefault(), addFiles(pasted));
  });
  const pane = form.closest("main");
  pane.addEventListener(
    "dragover",
    (event) => event.dataTransfer.types.includes("Files") && (event.preventDefault(), form.classList.add("is-dropping")),
  );
  pane.addEventListener("dragleave", () => form.classList.remove("is-dropping"));
  pane.addEventListener("drop", (event) => {
    form.classList.remove("is-dropping");
    if (!event.dataTransfer.files.length || !desk.facts) return;
    event.preventDefault();
    try {
      addFiles(event.dataTransfer.files);
    } catch (error) {
      complain(error);
    }
  });
}
