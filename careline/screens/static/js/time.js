/* Moments in the reader's own zone and language. Every <time data-form> on the page is dressed here and kept true. */

import { $$ } from "./dom.js";
import { say } from "./words.js";

const language = document.documentElement.lang || "en";
const form = (options) => new Intl.DateTimeFormat(language, options);
const CLOCK = form({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = form({ weekday: "long", day: "numeric", month: "long" });
const DATE = form({ day: "numeric", month: "short", year: "numeric" });
const STAMP = form({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const SHORT = form({ day: "numeric", month: "short" });
const WEEKDAY = form({ weekday: "short" });
const FULL = form({ dateStyle: "full", timeStyle: "medium" });
const MINUTE = 60;
const HOUR = 3600;
const DAY_S = 86400;
const SOON_SHARE = 0.25;

/** A span in its largest whole unit: 40 s, 12 min, 3 h, 2 d. */
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < MINUTE) return `${s} s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min`;
  if (s < 2 * DAY_S) return `${Math.floor(s / HOUR)} h`;
  return `${Math.floor(s / DAY_S)} d`;
}

const dayName = (date) => (isSameDay(date, new Date()) ? say("today") : DAY.format(date));
const isSameDay = (one, other) => one.toDateString() === other.toDateString();
export const clockTime = (date) => CLOCK.format(date);

/** Today the time, this week the weekday with it, else the date. */
export function near(date) {
  const days = Math.abs(Date.now() - date) / 864e5;
  if (isSameDay(date, new Date())) return CLOCK.format(date);
  return days < 6 ? `${WEEKDAY.format(date)} ${CLOCK.format(date)}` : `${SHORT.format(date)} ${CLOCK.format(date)}`;
}

const FORMS = {
  clock: near,
  soon: near,
  day: dayName,
  date: (date) => DATE.format(date),
  stamp: (date) => STAMP.format(date),
  ago: (date) => ago(date),
  due: (date) => due(date),
  countdown: (date) => span((date - Date.now()) / 1000),
};

function ago(date) {
  const seconds = (Date.now() - date) / 1000;
  if (seconds < MINUTE) return say("now");
  return seconds < 7 * DAY_S ? span(seconds) : SHORT.format(date);
}

function due(date) {
  const seconds = (date - Date.now()) / 1000;
  return seconds < 0 ? say("late_by", { span: span(-seconds) }) : span(seconds);
}

/** Write every moment below `root`, and mark clocks that are late or nearly so. */
export function dress(root = document) {
  for (const element of $$("time[data-form]", root)) write(element);
  for (const element of $$("[data-due]", root)) mark(element);
}

function write(element) {
  const date = new Date(element.dateTime);
  if (Number.isNaN(date.getTime())) return;
  const words = (FORMS[element.dataset.form] || near)(date);
  if (element.textContent !== words) element.textContent = words;
  if (element.dataset.shown === undefined) {
    element.title = FULL.format(date);
    element.dataset.shown = "";
  }
}

function mark(element) {
  const left = (new Date(element.dataset.due) - Date.now()) / 1000;
  const whole = Number(element.dataset.span) || 0;
  element.classList.toggle("is-late", left < 0);
  element.classList.toggle("is-soon", left >= 0 && left <= Math.max(MINUTE, whole * SOON_SHARE));
}

/** Keep everything true: each second where seconds are shown, else every ten. */
export function keepTime() {
  dress();
  let beat = 0;
  setInterval(() => {
    beat += 1;
    if (document.hidden) return;
    if (beat % 10 === 0) return dress();
    for (const element of $$("time[data-form=countdown], time[data-form=due]")) {
      const seconds = Math.abs(new Date(element.dateTime) - Date.now()) / 1000;
      if (seconds < 90) (write(element), element.parentElement?.matches("[data-due]") && mark(element.parentElement));
    }
  }, 1000);
}

/** Put the name of the day before the first message of each day. */
export function markDays(timeline) {
  for (const old of $$(":scope > .day", timeline)) old.remove();
  let last = null;
  for (const child of [...timeline.children]) {
    const moment = child.matches(".failed, .parent, .earlier, .typing-line") ? null : child.querySelector("time[datetime]");
    if (!moment) continue;
    const date = new Date(moment.dateTime);
    if (last && isSameDay(date, last)) continue;
    last = date;
    const line = document.createElement("div");
    line.className = "day";
    line.textContent = dayName(date);
    child.before(line);
  }
}
