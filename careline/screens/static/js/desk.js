/* What every part of the desk knows: who looks, at which view, which case is open. One object, changed only through its functions. */

import { ask } from "./ask.js";
import { $ } from "./dom.js";

const root = $("[data-desk]");
const pane = $("[data-list]");

export const desk = {
  root,
  me: root ? JSON.parse(root.dataset.preferences || "{}") : {},
  view: pane?.dataset.view || "mine",
  query: pane?.dataset.query || "view=mine",
  order: pane?.dataset.order || "queue",
  since: Number(pane?.dataset.n || -1),
  /** Facts of the open case (screens/inbox/facts.py), or null. */
  facts: null,
};

export const isPhone = () => matchMedia("(max-width: 720px)").matches;

/** Which of list and case a phone shows. */
export function showPane(name) {
  if (root) root.dataset.pane = name;
}

let choices = null;

/** Agents, teams, channels, tags, languages: asked for once, when first needed. */
export async function loadChoices(fresh = false) {
  if (fresh) choices = null;
  choices ||= ask("GET", "choices").catch((error) => {
    choices = null;
    throw error;
  });
  return choices;
}

const SEES_ALL = new Set(["owner", "admin", "lead", "analyst"]);

/** Whether the row's case is surely in my sight; "ask" when only the server knows (a colleague asked into a case). */
export function isInSight({ assignee, team }) {
  const { agent, teams, role } = desk.me;
  if (SEES_ALL.has(role) || assignee === agent) return true;
  if (role !== "colleague" && (team === "0" || teams.includes(team))) return true;
  return "ask";
}
