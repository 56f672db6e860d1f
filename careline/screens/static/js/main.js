/* Wakes what the page has: the desk with all its parts, or the few things every page needs. */

import { caseCommands } from "./acts.js";
import { bulkCommands, startBulk } from "./bulk.js";
import { forget, forgetAll, onOpen, refresh, startCase } from "./case.js";
import { learn, obeyClicks } from "./commands.js";
import { startComposer } from "./composer.js";
import { desk } from "./desk.js";
import { deskCommands, followLinks, recount, startFields, startFilters } from "./desk-commands.js";
import { $ } from "./dom.js";
import { resetKeys, showMap, startKeyPage, startKeys } from "./keys.js";
import { startList } from "./list.js";
import { messageCommands } from "./moderating.js";
import { noticeCommands, seeCase, startNotices } from "./notices.js";
import { openPalette } from "./palette.js";
import { onPersonChange, peopleCommands, sayWhatWasDone } from "./people.js";
import { look, startPresence } from "./presence.js";
import { deliveryCommands, startSending } from "./sending.js";
import { signCommands } from "./signs.js";
import { startSnippets } from "./snippets.js";
import { spikeCommands, startSpikes } from "./spikes.js";
import { on, openStream } from "./stream.js";
import { keepTime } from "./time.js";

keepTime();
obeyClicks();
learn({ ...noticeCommands, ...peopleCommands, ...spikeCommands, "reset-keys": resetKeys });
sayWhatWasDone();

if (desk.root) startDesk();
else startPage();

function startDesk() {
  learn({ ...deskCommands, ...caseCommands, ...bulkCommands, ...deliveryCommands, ...messageCommands, ...signCommands });
  startComposer();
  startSending();
  startSnippets();
  startBulk();
  startFilters();
  startFields();
  followLinks();
  onPersonChange(() => refresh());
  onOpen(look);
  onOpen(seeCase);
  startList((id, row) => {
    recount();
    if (id === null) forgetAll();
    else forget(row ? Number(row.dataset.number) : -1, id);
  });
  startCase();
  startKeys(desk.me.shortcuts !== false);
  on("hint", (event) => event.case_id && forget(-1, String(event.case_id)));
  for (const type of ["case", "hint"]) on(type, (event) => standsBeside(event) && forgetAll());
  on("gone", (event) => (standsBeside(event) || $(`a[href*="/cases/${event.number}"]`, desk.root)) && forgetAll());
  on("back", () => recount());
  on("agent", (event) => String(event.agent_id) === desk.me.agent && event.facts?.what !== "away" && location.reload());
  startPresence();
  startSpikes();
  openStream(desk.root.dataset.stream, desk.since, desk.root.dataset.worker);
  startNotices();
}

function startPage() {
  const { stream, since, worker } = $("[data-page-stream]")?.dataset || {};
  learn({
    palette: { run: () => openPalette(null), words: "search_or_do", key: "Ctrl K" },
    map: { run: showMap, words: "keyboard", key: "?" },
  });
  if (document.body.dataset.screen === "keyboard") {
    learn({ ...deskCommands, ...caseCommands, ...bulkCommands, ...messageCommands });
    startKeyPage();
  }
  startKeys(true);
  startSpikes();
  if (stream) (openStream(stream, Number(since), worker), startNotices());
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  });
}

/** Whether an event of something else shows in the open case: another case of the same person, a public thread, the words of the house. */
function standsBeside({ person_id, thread_id, kind }) {
  const open = desk.facts;
  if (["settings.changed", "channel.changed", "person.erased"].includes(kind)) return true;
  return Boolean(open) && (person_id === open.person_id || (thread_id && open.choices.some((choice) => choice.thread === thread_id)));
}
