/* Loaded for cases longer than they open with. What was said before: fetched by its button, on the way up, and for a link to one message. */

import { askHtml } from "./ask.js";
import { desk } from "./desk.js";
import { $, announce, parse } from "./dom.js";
import { dressTimeline, land } from "./timeline.js";
import { dress } from "./time.js";
import { say } from "./words.js";

const NEAR_TOP_PX = 400;
const scroll = $("[data-timeline-scroll]");
const timeline = $("[data-region=timeline]");
const button = () => $(":scope > .earlier", timeline);
const oldest = () => $(".msg", timeline)?.dataset.message || "";
let reach = "";
let coming = null;
let top = scroll.scrollTop;

/** The first message on screen, where more than the opening was fetched: who draws the case anew asks from there on. */
export const reached = () => reach;

/** Another case is on screen. */
export const startAnew = () => ((reach = ""), (coming = null));

/** Put what was said before above the first message (back to message `from`, where one is named); whoever reads keeps their place.
    Returns whether anything came. */
export function showEarlier(from = "") {
  if (!button()) return Promise.resolve(false);
  const mine = (coming ||= fetchEarlier(from));
  return mine.finally(() => mine === coming && (coming = null));
}

async function fetchEarlier(from) {
  const number = desk.facts?.number;
  const first = oldest();
  const fresh = parse(await askHtml(`cases/${number}?before=${first}&from=${from}`, "earlier"));
  if (number !== desk.facts?.number || first !== oldest()) return false;
  const isFocused = document.activeElement === button();
  const below = scroll.scrollHeight - scroll.scrollTop;
  if (!$(".earlier", fresh)) button().remove();
  $(".earlier", fresh)?.remove();
  const place = $(':scope > :is([data-key^="message-"], [data-key^="fold-"], [data-key^="act-"])', timeline);
  place.before(fresh);
  reach = oldest();
  dress();
  dressTimeline(timeline);
  scroll.scrollTop = scroll.scrollHeight - below;
  if (isFocused) $(`[data-message="${first}"]`, timeline).focus({ preventScroll: true });
  announce(say("earlier_shown"));
  return true;
}

/** Show one message, also one from before: for links to it. */
async function reveal(id) {
  const find = () => $(`.msg[data-message="${id}"]`, timeline);
  while (!find() && (await showEarlier(id)));
  if (find()) land(find());
}

/* Reading upwards brings what was said before; an address may name a message. The button is still there when it fails. */
scroll.addEventListener("scroll", () => {
  const isUp = scroll.scrollTop < top;
  top = scroll.scrollTop;
  if (isUp && top < NEAR_TOP_PX) showEarlier().catch(() => {});
}, { passive: true });
const linked = /^#message-(\d+)$/.exec(location.hash)?.[1];
if (linked && desk.facts) reveal(linked).catch(() => {});
