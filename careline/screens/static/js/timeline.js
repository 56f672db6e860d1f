/* The timeline once it is on screen: days, mail frames of the right height, jumps between the customer's own words. */

import { $, $$ } from "./dom.js";
import { markDays } from "./time.js";

const MOST_FRAME_PX = 6000;

/** Whoever reads the end keeps reading the end when the composer grows. */
export function keepEnd(scroll) {
  let isAtEnd = true;
  scroll.addEventListener("scroll", () => (isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40), { passive: true });
  new ResizeObserver(() => isAtEnd && (scroll.scrollTop = scroll.scrollHeight)).observe(scroll);
}

/** A case opens at its end; where others went on talking below the customer's last words, at those words. */
export function rest(scroll) {
  scroll.scrollTop = scroll.scrollHeight;
  const last = $$('.msg[data-customer="1"]', scroll).at(-1);
  const above = last ? scroll.getBoundingClientRect().top - last.getBoundingClientRect().top : 0;
  if (above > 0) scroll.scrollTop -= above + 16;
}

/** After every change of the timeline. */
export function dressTimeline(timeline) {
  markDays(timeline);
  for (const frame of $$("iframe[data-mail]:not([data-fitted])", timeline)) {
    frame.dataset.fitted = "";
    frame.addEventListener("load", () => fit(frame));
    if (frame.contentDocument?.readyState === "complete") fit(frame);
  }
}

/** The frame runs no script, so we measure it from here (same origin, sandboxed without scripts). */
function fit(frame) {
  const inside = frame.contentDocument?.documentElement;
  if (!inside || !inside.querySelector("body")) return;
  const measure = () => (frame.style.blockSize = `${Math.min(MOST_FRAME_PX, inside.querySelector("body").scrollHeight + 18)}px`);
  measure();
  for (const image of $$("img", inside)) image.addEventListener("load", measure, { once: true });
}

/** `]` and `[`: the next or previous message of the customer themselves. Returns false where the first one on screen was passed. */
export function jump(by) {
  const scroll = $("[data-timeline-scroll]");
  const own = $$('.msg[data-customer="1"]', scroll);
  if (!own.length) return by > 0;
  const now = $(".is-jumped", scroll);
  const edge = scroll.getBoundingClientRect().top + 24;
  let index = own.indexOf(now);
  if (index < 0)
    index =
      by > 0
        ? own.findIndex((one) => one.getBoundingClientRect().top > edge) - 1
        : own.findLastIndex((one) => one.getBoundingClientRect().top < edge) + 1;
  land(own[Math.min(own.length - 1, Math.max(0, index + by))]);
  return index + by >= 0;
}

/** Bring one message before the reader's eyes. */
export function land(message) {
  $(".is-jumped")?.classList.remove("is-jumped");
  message.classList.add("is-jumped");
  message.closest("details")?.setAttribute("open", "");
  message.scrollIntoView({ block: "start" });
  message.focus({ preventScroll: true });
}
