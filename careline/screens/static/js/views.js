/* Which rows a view lists and in which order: the same rules as cases/queries/narrowing.py, judged from a row's own data-*. */

import { desk, isInSight } from "./desk.js";

const VIEWS = {
  mine: (row) => row.state === "open" && row.assignee === desk.me.agent,
  team: (row) => row.state === "open" && (row.team === "0" || desk.me.teams.includes(row.team)),
  unassigned: (row) => row.state === "open" && row.assignee === "0",
  all: (row) => row.state === "open",
  waiting: (row) => row.state === "waiting" && row.reason !== "until",
  snoozed: (row) => row.state === "waiting" && row.reason === "until",
  done: (row) => row.state === "done" && row.outcome !== "spam",
  spam: (row) => row.state === "done" && row.outcome === "spam",
};

/* Only the server knows why a case left these; rows of other cases never come in by themselves. */
const STAYS = {
  aside: (row) => row.state === "done" && row.outcome === "no_answer_needed",
  audit: (row) => row.state === "done",
};

const FILTERS = {
  channel: (row, value) => row.channel === value,
  team: (row, value) => row.team === value,
  assignee: (row, value) => row.assignee === value,
  language: (row, value) => row.language === value,
  tag: (row, value) => row.tags.split("\n").includes(value),
  kind: (row, value) => row.kind === value,
  topic: (row, value) => row.topic === value,
  public: (row, value) => row.public === value,
};

/** Whether a row belongs in the list on screen: true or false; "listed" when only rows already there do (a search, mentions); "ask" when only the server can tell. */
export function belongs(row) {
  const rule = VIEWS[desk.view];
  const query = new URLSearchParams(desk.query);
  if (STAYS[desk.view]) return STAYS[desk.view](row) && "listed";
  if (!rule || query.has("q")) return "listed";
  for (const [name, value] of query) if (FILTERS[name] && !FILTERS[name](row, value)) return false;
  return rule(row) ? isInSight(row) : false;
}

/** Less than zero when `one` stands above `other`. Keys and ids are longer than a double holds. */
export function compare(one, other) {
  if (desk.order === "newest") return one.last === other.last ? sign(other.id, one.id) : one.last > other.last ? -1 : 1;
  return sign(one.key, other.key) || sign(one.id, other.id);
}

function sign(one, other) {
  const difference = BigInt(one || 0) - BigInt(other || 0);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
