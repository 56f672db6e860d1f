/* Subject, To and CC of a mail answer: shown before sending, every recipient in full, all of them editable. */

import { $ } from "./dom.js";

const box = $("[data-mail-fields]");
const subject = $("[data-subject]");
const to = $("[data-to]");
const copied = $("[data-copied]");
let filledFor = "";

/** Fill for a way to answer; edits stay while the way stays the same. */
export function fillMail(choice) {
  if (!choice?.is_mail) return ((filledFor = ""), showMail(null));
  const key = `${choice.thread} ${choice.reply_to}`;
  if (key === filledFor) return;
  filledFor = key;
  subject.value = /^(re|rv|aw)\s*:/i.test(choice.subject) || !choice.subject ? choice.subject : `Re: ${choice.subject}`;
  to.value = choice.recipient;
  copied.value = choice.copied.join(", ");
}

export function showMail(choice) {
  if (box) box.hidden = !choice?.is_mail;
}

/** What stands in the fields, for the server; {} where there are none. */
export function mailParts(choice) {
  if (!choice?.is_mail) return {};
  return { subject: subject.value.trim(), to: addresses(to.value), copied: addresses(copied.value) };
}

const addresses = (text) =>
  text
    .split(/[,;\n]/)
    .map((one) => one.trim())
    .filter(Boolean);
