/* Where the visitor writes: grows with the text, counts near the limit, sends on Enter, keeps a draft until it is sent. */
import { at } from "./nodes.js";
import { newClientId } from "./outbox.js";

const TYPING_EVERY_MS = 4000;
const COUNT_FROM = 200;

export class Composer {
  constructor(speech, { send, typing, keepDraft }) {
    this.speech = speech;
    this.acts = { send, typing, keepDraft };
    this.form = at("composer");
    this.text = at("text");
    this.problem = at("problem");
    this.longest = 8000;
    this.chips = null;
    this.early = [];
    this.begun = new Promise((resolve) => (this.begin = resolve));
    this.typedAt = 0;
    this.isSending = false;
    this.label();
    this.listen();
  }

  label() {
    const words = this.speech.words;
    this.form.querySelector("label").textContent = words.write;
    this.text.placeholder = words.writeHere;
    at("send").setAttribute("aria-label", words.send);
    at("attach").setAttribute("aria-label", words.attach);
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("keydown", (event) => {
      /* While an input method composes a word, Enter belongs to it. */
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("input", () => this.changed());
    at("attach").addEventListener("click", () => at("file").click());
    at("file").addEventListener("change", (event) => {
      this.add([...event.target.files]);
      event.target.value = "";
    });
    this.text.addEventListener("paste", (event) => this.takeFiles(event, event.clipboardData));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => this.takeFiles(event, event.dataTransfer));
  }

  takeFiles(event, carried) {
    if (!carried?.files.length) return;
    event.preventDefault();
    this.add([...carried.files]);
  }

  /* Files chosen before the session is open wait for its limits. */
  add(files) {
    if (this.chips) this.chips.add(files);
    else this.early.push(...files);
  }

  welcome(chips, longest) {
    this.chips = chips;
    this.longest = longest;
    this.chips.add(this.early.splice(0));
    this.begin();
  }

  get length() {
    return [...this.text.value].length;
  }

  changed() {
    this.say("");
    this.draw();
    this.acts.keepDraft(this.text.value);
    if (!this.text.value || Date.now() - this.typedAt < TYPING_EVERY_MS) return;
    this.typedAt = Date.now();
    this.acts.typing();
  }

  draw() {
    this.text.style.blockSize = "auto";
    this.text.style.blockSize = `${Math.min(160, this.text.scrollHeight)}px`;
    const left = this.longest - this.length;
    const words = this.speech.words;
    at("left").hidden = left > COUNT_FROM;
    at("left").textContent = left < 0 ? words.tooLong(-left) : words.left(left);
    this.form.classList.toggle("over", left < 0);
    at("send").setAttribute("aria-disabled", String(left < 0));
  }

  say(problem) {
    this.problem.textContent = problem;
    this.problem.hidden = !problem;
    this.text.setAttribute("aria-invalid", String(Boolean(problem)));
  }

  fill(text) {
    this.text.value = text;
    this.draw();
  }

  async submit() {
    if (this.isSending) return;
    const text = this.text.value.trim();
    if (this.length > this.longest) return this.say(this.speech.words.tooLong(this.length - this.longest));
    if (!text && !this.early.length && !this.chips?.files.length) return this.say(this.speech.words.empty);
    this.isSending = true;
    try {
      if (this.early.length) await this.begun;
      const files = this.chips ? await this.chips.ready() : [];
      if (files === null) return;
      this.acts.send({
        client_id: newClientId(),
        text,
        files: files.map((one) => one.ticket),
        names: files.map((one) => one.name),
        website: at("website").value,
      });
      this.chips?.clear();
      this.fill("");
      this.acts.keepDraft("");
      this.typedAt = 0;
    } finally {
      this.isSending = false;
    }
  }
}
