/* Until when, or for whom, a case is set aside: the usual times, or one that is typed. */

import { pick } from "./picker.js";
import { toast } from "./toasts.js";
import { say } from "./words.js";

const at = (days, hour) => {
  const moment = new Date();
  moment.setDate(moment.getDate() + days);
  moment.setHours(hour, 0, 0, 0);
  return moment;
};
const daysToMonday = () => (8 - new Date().getDay()) % 7 || 7;

/** What to wait for, chosen or typed; null for nothing. */
export async function pickSnooze() {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const times = [
    ["in_20_minutes", new Date(Date.now() + 12e5)],
    ["in_1_hour", new Date(Date.now() + 36e5)],
    ["in_3_hours", new Date(Date.now() + 108e5)],
    ["tomorrow_morning", at(1, 9)],
    ["tomorrow_afternoon", at(1, 15)],
    ["next_monday", at(daysToMonday(), 9)],
  ];
  const options = [
    ...times.map(([key, time]) => ({ words: say(key), note: format.format(time), group: say("until_a_time"), value: { until: time.toISOString() } })),
    { words: say("another_time"), group: say("until_a_time"), value: "ask" },
    { words: say("until_customer"), group: say("waiting_for"), value: { reason: "customer" } },
    { words: say("until_department"), group: say("waiting_for"), value: { reason: "department" } },
  ];
  let chosen = await pick({ title: say("snooze_until"), options });
  if (chosen === "ask") chosen = await askTime();
  return chosen;
}

/** Typed: 18:30, 25.12. 9:00 or 2026-12-25 09:00. */
async function askTime() {
  const typed = await pick({ title: say("type_a_time"), options: [], free: say("until"), placeholder: "18:30, 2026-12-25 09:00" });
  const moment = typed?.typed ? readTime(typed.typed) : null;
  if (typed && !moment) toast(say("time_not_understood"), { bad: true });
  return moment && { until: moment.toISOString() };
}

function readTime(words) {
  const clock = /^(\d{1,2})[:.h](\d{2})$/.exec(words);
  const whole = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{1,2}):(\d{2}))?$/.exec(words);
  let moment = null;
  if (clock) {
    moment = at(0, 0);
    moment.setHours(Number(clock[1]), Number(clock[2]));
    if (moment < new Date()) moment.setDate(moment.getDate() + 1);
  } else if (whole) moment = new Date(Number(whole[1]), Number(whole[2]) - 1, Number(whole[3]), Number(whole[4] || 9), Number(whole[5] || 0));
  return moment && !Number.isNaN(moment.getTime()) ? moment : null;
}
