"""Every kind of event there is, with what it says. docs/events.md lists them; a test holds the two together."""

from __future__ import annotations

KINDS: dict[str, str] = {
    "message.received": "A customer's message was digested; `message_id`, `thread_id`, `case_id` where it joined one.",
    "message.written": "An agent wrote a reply or a note; `message_id`, `agent_id`.",
    "message.echoed": "A post of ours made elsewhere (the platform's own app) was taken into its thread.",
    "message.edited": "The author changed a message; the earlier text is kept as a revision.",
    "message.deleted": "The author deleted a message; its words were purged and a tombstone stands.",
    "message.filed": "A file of a message arrived after it, or could not be fetched.",
    "message.reacted": "A reaction was added to or taken from a message.",
    "message.moderated": "We hid, liked, reacted to or deleted a message, or took that back; `facts.verb`, `facts.state`.",
    "message.judged": "Triage's verdicts of a message were kept and its case follows them.",
    "message.corrected": "An agent accepted or corrected a verdict; `facts.verdict`.",
    "thread.changed": "Something public was said, changed or counted in a thread: every open case that shows it draws it again; `thread_id`.",
    "case.opened": "A case began.",
    "case.changed": "Any field of a case changed: state, assignee, team, tags, priority, clocks; `facts.what` names the act.",
    "case.merged": "A case was merged into another; `facts.into`.",
    "case.split": "Messages left for a new case; `facts.into`.",
    "case.undone": "An act on a case was taken back; `facts.act`.",
    "delivery.changed": "A delivery moved to another state; `facts.state`.",
    "person.changed": "A person's identities or facts changed; `facts.what`.",
    "person.erased": "A person was erased on request.",
    "channel.changed": "A channel was connected, changed, held, failed or recovered; `facts.what`.",
    "channel.dead_letter": "A delivery of a platform could not be digested and waits as a dead letter.",
    "agent.changed": "An agent's role, teams or availability changed: open streams check their rights again.",
    "agent.notified": "An agent has a notification; `facts.what` is assigned, mention, reply or late.",
    "clock.fired": "A clock of a case fired; `facts.what`.",
    "draft.changed": "An agent's draft changed on another screen of theirs.",
    "topic.changed": "A topic was drafted, used, renamed, retired, or its examples changed; `facts.what`, `facts.topic`.",
    "triage.learned": "A head of the workspace was fitted, refused or gone back to; `facts.name`, `facts.version`, `facts.state`.",
    "settings.changed": "Workspace settings changed; `facts.what`.",
}
