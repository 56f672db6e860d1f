/* The chat's fixed words and colours, and what its head says of waiting. */
import { at } from "./nodes.js";

export function dress(words, { color, ink, greeting, simulated }) {
  document.documentElement.style.setProperty("--own", color);
  document.documentElement.style.setProperty("--own-ink", ink);
  at("close").setAttribute("aria-label", words.close);
  at("log").setAttribute("aria-label", words.log);
  at("scroller").setAttribute("aria-label", words.log);
  at("earlier").textContent = words.earlier;
  at("typing").lastElementChild.textContent = words.typing;
  at("welcome").textContent = greeting || words.welcome;
  at("simulated").hidden = !simulated;
  at("simulated").textContent = words.simulated;
}

/* Nothing is promised that was not measured: hours from the calendar, waits from the answers given lately. */
export function showAvailability(speech, { is_open: isStaffed, opens_at: opensAt, median_wait_s: waitS }) {
  const words = speech.words;
  const when = opensAt && speech.moment(new Date(opensAt));
  at("state").classList.toggle("closed", !isStaffed);
  if (isStaffed) at("state").textContent = waitS === null ? words.open : words.openWait(speech.span(waitS));
  else at("state").textContent = when ? words.closedUntil(when) : words.closed;
  if (!isStaffed) at("welcome").textContent = when ? words.closedNote(when) : words.closedNoteOpen;
}
