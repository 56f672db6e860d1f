/* Spikes: the line above everything, for those who may see it, and the lists of their page; drawn again when one fires, grows or ends. */

import { ask, askHtml } from "./ask.js";
import { $, $$, announce, atMost } from "./dom.js";
import { on } from "./stream.js";
import { dress } from "./time.js";
import { complain, toast } from "./toasts.js";

/* The page of spikes shows them all: no line above it. */
const regions = () => $$("[data-spikes]").filter((one, _, all) => one.dataset.spikes === "list" || all.length === 1);

export function startSpikes() {
  if (!regions().length) return;
  on("hint", ({ kind }) => kind?.startsWith("spike.") && redraw());
  for (const type of ["reset", "back"]) on(type, redraw);
  for (const region of regions()) if (region.dataset.spikes === "banner") draw(region).catch(() => {});
}

const redraw = atMost(() => {
  for (const region of regions()) draw(region).catch(() => {});
}, 500);

async function draw(region) {
  const wanted = region.dataset.spikes;
  const html = await askHtml(`spikes?${region.dataset.query || ""}`, wanted);
  const open = new Set($$("details[open]", region).map(nameOf));
  const before = $("[data-spike-bar]", region)?.dataset.spikeBar;
  region.innerHTML = html;
  for (const details of $$("details", region)) details.open = open.has(nameOf(details));
  dress(region);
  if (wanted !== "banner") return;
  const bar = $("[data-spike-bar]", region);
  region.hidden = !bar;
  if (bar && bar.dataset.spikeBar !== before) announce($("summary", bar).innerText);
}

const nameOf = (details) => details.dataset.spikeBar || details.closest("[id]")?.id;

async function judge(method, { dataset }) {
  const path = `spikes/${dataset.spike}/dismissal`;
  try {
    const { words } = await ask(method, path, {});
    const undo = async () => {
      const answer = await ask(method === "POST" ? "DELETE" : "POST", path, {});
      toast(answer.words);
      redraw();
    };
    toast(words, { undo });
    redraw();
  } catch (error) {
    complain(error);
  }
}

export const spikeCommands = {
  "dismiss-spike": (element) => judge("POST", element),
  "restore-spike": (element) => judge("DELETE", element),
};
