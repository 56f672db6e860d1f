/* Notifications: the count beside the bell, and, once allowed by a click, the computer's own when this page is not in front. */

import { ask, at } from "./ask.js";
import { $, $$, announce, atMost } from "./dom.js";
import { on } from "./stream.js";
import { complain } from "./toasts.js";

const badge = $("[data-notice-count]");

export function startNotices() {
  if (!badge) return;
  on("notice", (frame) => (frame.facts?.what === "seen" ? recount() : arrived()));
  on("reset", () => recount());
  recount();
  const allow = $("[data-allow]");
  if (allow) allow.hidden = !("Notification" in window) || Notification.permission !== "default";
}

const recount = atMost(async () => {
  const { unseen } = await ask("GET", "notices").catch(() => ({ unseen: 0 }));
  badge.textContent = unseen > 99 ? "99+" : unseen;
  badge.hidden = !unseen;
}, 300);

const arrived = atMost(async () => {
  const { unseen, newest } = await ask("GET", "notices").catch(() => ({ unseen: 0, newest: [] }));
  badge.textContent = unseen > 99 ? "99+" : unseen;
  badge.hidden = !unseen;
  if (!newest.length) return;
  announce(newest[0].words);
  if (document.hidden && "Notification" in window && Notification.permission === "granted") {
    const shown = new Notification("Careline", { body: newest[0].words, tag: newest[0].id });
    shown.onclick = () => (focus(), (location.href = at(`cases/${newest[0].number}`)));
  }
}, 200);

/** Opening a case sees what was said about it. */
export function seeCase(facts) {
  if (facts && badge && !badge.hidden) ask("POST", "notices/seen", { number: facts.number }).then(() => recount(), complain);
}

export const noticeCommands = {
  "allow-notices": async (element) => {
    await Notification.requestPermission();
    element.hidden = true;
  },
  "see-all": () =>
    ask("POST", "notices/seen", {}).then(() => {
      for (const line of $$(".notices .is-new")) line.classList.remove("is-new");
      recount();
    }, complain),
};
