/* Files: those of messages (fetched with the token, never by a bare address) and those waiting in the composer. */
import { CROSS, SHEET, at, icon, node } from "./nodes.js";

const SHOWN_BYTES = 4_000_000;

export function fileList(files, api, speech) {
  if (!files.length) return null;
  return node("ul", { class: "files" }, ...files.map((file) => node("li", {}, fileButton(file, api, speech))));
}

function fileButton(file, api, speech) {
  const isPicture = /^image\/(png|jpeg|gif|webp)$/.test(file.content_type) && file.size_bytes <= SHOWN_BYTES;
  const size = speech.size(file.size_bytes);
  const button = node("button", { type: "button", "aria-label": (isPicture ? speech.words.picture : speech.words.download)(file.name, size) });
  if (isPicture) showPicture(button, file, api);
  else button.append(icon(SHEET), node("span", { dir: "auto" }, `${file.name} · ${size}`));
  button.addEventListener("click", () => save(file, api));
  return button;
}

async function showPicture(button, file, api) {
  button.className = "picture";
  /* The place is taken before the picture comes, so nothing moves. */
  const image = node("img", { alt: file.name, width: file.width_px || undefined, height: file.height_px || undefined });
  button.append(image);
  try {
    image.src = URL.createObjectURL(await (await api.get(`/files/${file.id}`)).blob());
  } catch {
    button.className = "";
    button.replaceChildren(icon(SHEET), node("span", { dir: "auto" }, file.name));
  }
}

async function save(file, api) {
  try {
    const address = URL.createObjectURL(await (await api.get(`/files/${file.id}`)).blob());
    const link = node("a", { href: address, download: file.name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch {
    /* The button stays: it can be pressed again. */
  }
}

/* Files chosen, dropped or pasted: uploaded at once, shown as chips, handed over with the message. */
export class Chips {
  constructor(api, speech, limits, say) {
    this.api = api;
    this.speech = speech;
    this.limits = limits;
    this.say = say;
    this.root = at("chips");
    this.files = [];
  }

  add(chosen) {
    const words = this.speech.words;
    for (const file of chosen) {
      if (this.files.length >= this.limits.most_files) return this.say(words.tooManyFiles(this.limits.most_files));
      if (file.size > this.limits.longest_file) this.say(words.fileTooBig(file.name, this.speech.size(this.limits.longest_file)));
      else if (!file.size) this.say(words.fileEmpty(file.name));
      else this.start(file);
    }
  }

  start(file) {
    const entry = { file, name: file.name, abort: new AbortController(), failed: false, ticket: "" };
    entry.done = this.upload(entry);
    this.files.push(entry);
    this.draw();
  }

  async upload(entry) {
    entry.failed = false;
    try {
      const answer = await this.api.upload(`/files?name=${encodeURIComponent(entry.name)}`, entry.file, entry.abort.signal);
      entry.ticket = (await answer.json()).file;
    } catch (error) {
      if (error.name === "AbortError") return;
      entry.failed = true;
      this.say(error.status === 413 ? this.speech.words.fileTooBig(entry.name, this.speech.size(this.limits.longest_file)) : this.speech.words.fileFailed(entry.name));
    }
    this.draw();
  }

  /* Waits for what is under way and tries once more what failed. Returns the files, or null when one still fails. */
  async ready() {
    await Promise.all(this.files.map((entry) => entry.done));
    await Promise.all(this.files.filter((entry) => entry.failed).map((entry) => (entry.done = this.upload(entry))));
    return this.files.some((entry) => entry.failed) ? null : this.files;
  }

  clear() {
    this.files = [];
    this.draw();
  }

  remove(entry) {
    entry.abort.abort();
    this.files = this.files.filter((one) => one !== entry);
    this.draw();
    at("text").focus();
  }

  draw() {
    this.root.hidden = this.files.length === 0;
    this.root.replaceChildren(...this.files.map((entry) => this.chip(entry)));
  }

  chip(entry) {
    const words = this.speech.words;
    const button = node("button", { type: "button", class: "plain", "aria-label": words.fileRemove(entry.name) }, icon(CROSS));
    button.addEventListener("click", () => this.remove(entry));
    const name = node("span", { dir: "auto" }, entry.ticket || entry.failed ? entry.name : words.uploading(entry.name));
    return node("li", { class: entry.failed ? "failed" : "" }, name, button);
  }
}
