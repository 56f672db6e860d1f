/* "Get the answer by e-mail if you leave": asked once something was said, kept, and changeable. */
import { at, node } from "./nodes.js";

export class Mail {
  constructor(speech, api, shelf) {
    this.speech = speech;
    this.api = api;
    this.shelf = shelf;
    this.form = at("mail");
    this.input = at("email");
    this.note = at("email-note");
    this.opener = at("mail-open");
    this.isOffered = false;
    this.isAsking = false;
    this.form.querySelector("label").textContent = speech.words.mailLabel;
    this.opener.textContent = speech.words.mailLabel;
    this.form.querySelector("[type=submit]").textContent = speech.words.mailSave;
    this.opener.addEventListener("click", () => this.ask());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
  }

  get address() {
    return this.shelf.get("email", "");
  }

  /* One quiet line; the field itself when nobody is there to answer now. */
  offer(isOffered, isUrgent) {
    if (isOffered && !this.isOffered) this.isAsking = isUrgent;
    this.isOffered = isOffered;
    this.form.hidden = !isOffered;
    if (isOffered) this.draw();
  }

  ask() {
    this.isAsking = true;
    this.input.value = this.address;
    this.draw();
    this.input.focus();
  }

  draw() {
    const isKept = Boolean(this.address) && !this.isAsking;
    this.form.querySelector(".row").hidden = !this.isAsking;
    this.form.querySelector("label").hidden = !this.isAsking;
    this.opener.hidden = this.isAsking || isKept;
    this.opener.setAttribute("aria-expanded", String(this.isAsking));
    this.note.classList.remove("wrong");
    this.input.removeAttribute("aria-invalid");
    this.note.replaceChildren();
    if (!isKept) return;
    const change = node("button", { type: "button", class: "link" }, this.speech.words.mailChange);
    change.addEventListener("click", () => this.ask());
    this.note.append(this.speech.words.mailSaved(this.address), " ", change);
  }

  async save() {
    const email = this.input.value.trim();
    if (!/^[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+$/.test(email)) return this.refuse();
    this.shelf.set("email", email);
    this.isAsking = false;
    this.draw();
    await this.tell();
  }

  /* A message carries the address as well, so a refusal here (nothing said yet, no connection) loses nothing. */
  async tell() {
    try {
      await this.api.post("/address", { email: this.address });
    } catch (error) {
      if (error.field === "email") this.refuse();
    }
  }

  refuse() {
    this.shelf.set("email", "");
    this.isAsking = true;
    this.draw();
    this.note.textContent = this.speech.words.mailWrong;
    this.note.classList.add("wrong");
    this.input.setAttribute("aria-invalid", "true");
    this.input.focus();
  }
}
