"""The pages of topics: the list, a new one, proposals, and one topic with what it would catch."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from careline.errors import Conflict, InputRefused, NotFound
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.pages import attempt, done, refused, render_settings, status_of
from careline.screens.triage import wording
from careline.screens.triage.forms import ExamplesForm, TopicForm
from careline.triage.actions.exemplifying import add_examples, judge_catch, remove_example
from careline.triage.actions.naming import discard_draft, draft_topic, rename_topic, retire_topic, use_topic
from careline.triage.catching import catch_of
from careline.triage.proposing import propose_topics
from careline.triage.topics import ENOUGH_EXAMPLES, access_topic, find_messages, list_examples, list_topics, state_of
from careline.workspaces.roles import check_may

_LONGEST_QUERY = 200
_THUMBS = {"up": True, "down": False, "none": None}


@require_safe
def show_topics(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """The list, reasons and root causes apart."""
    check_may(request.viewer.role, "manage_triage")
    facts = {"topics": list_topics(request.viewer.workspace_id), "words": wording}
    return render_settings(request, "triage/topics.html", "topics", facts)


@require_http_methods(["GET", "HEAD", "POST"])
def show_new(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """A new topic, from what is typed or from messages that a search finds."""
    viewer = request.viewer
    check_may(viewer.role, "manage_triage")
    query = _query(request)
    form = TopicForm(request.POST if request.method == "POST" else None)
    made: list[int] = []
    if request.method == "POST" and attempt(form, lambda: made.append(_draft(request, form))):
        return done(request, _("Made. It is used once you say so."), "topic", workspace=workspace, topic=made[0])
    found = find_messages(viewer.workspace_id, query)
    facts = {"form": form, "query": query, "found": found, "chosen": set(request.POST.getlist("messages"))}
    return render_settings(request, "triage/new.html", "topics", facts, status=status_of(form))


def _draft(request: WorkspaceRequest, form: TopicForm) -> int:
    said = form.cleaned_data
    return draft_topic(
        request.viewer, name=said["name"], facet=said["facet"], texts=form.lines(), message_ids=said["messages"]
    )


@require_safe
def show_proposals(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """Groups of messages without a topic."""
    check_may(request.viewer.role, "manage_triage")
    facts = {"proposals": propose_topics(request.viewer.workspace_id)}
    return render_settings(request, "triage/proposals.html", "topics", facts)


@require_safe
def show_topic(request: WorkspaceRequest, workspace: str, topic: int) -> HttpResponse:
    """One topic: its examples, messages to choose from, and what it would catch."""
    return _topic_page(request, topic, ExamplesForm())


@require_POST
def add(request: WorkspaceRequest, workspace: str, topic: int) -> HttpResponse:
    """More examples."""
    form = ExamplesForm(request.POST)
    counted: list[int] = []

    def act() -> None:
        said = form.cleaned_data["messages"]
        counted.append(add_examples(request.viewer, topic, texts=form.lines(), message_ids=said))

    if attempt(form, act):
        words = _("Added.") if counted[0] else _("Nothing new: these are examples already.")
        return done(request, words, "topic", workspace=workspace, topic=topic)
    return _topic_page(request, topic, form)


@require_POST
def rename(request: WorkspaceRequest, workspace: str, topic: int) -> HttpResponse:
    """Another name."""
    name = request.POST.get("name", "")
    return _act(request, topic, _("Renamed."), lambda: rename_topic(request.viewer, topic, name))


@require_POST
def remove(request: WorkspaceRequest, workspace: str, topic: int, example: int) -> HttpResponse:
    """One example less."""
    return _act(request, topic, _("Removed."), lambda: remove_example(request.viewer, topic, example))


@require_POST
def judge(request: WorkspaceRequest, workspace: str, topic: int, message: int) -> HttpResponse:
    """A thumb on what it would catch."""
    thumb = request.POST.get("thumb", "")
    if thumb not in _THUMBS:
        raise NotFound("page_not_found")
    words = _("Taken back.") if thumb == "none" else _("Noted: the topic learns from it.")
    return _act(
        request, topic, words, lambda: judge_catch(request.viewer, topic, message, is_of_topic=_THUMBS[thumb])
    )  # fmt: skip


@require_POST
def act_on_topic(request: WorkspaceRequest, workspace: str, topic: int, act: str) -> HttpResponse:
    """Use, retire, restore or throw away."""
    viewer = request.viewer
    if act == "use":
        return _act(request, topic, _("In use: it is said of the next messages."), lambda: use_topic(viewer, topic))
    if act == "retirement":
        return _act(request, topic, _("Retired. Cases keep it."), lambda: retire_topic(viewer, topic))
    if act == "removal":
        return _act(request, topic, _("Thrown away."), lambda: discard_draft(viewer, topic), "topics")
    raise NotFound("page_not_found")


def _act(
    request: WorkspaceRequest, topic: int, words: str, act: Callable[[], object], page: str = "topic"
) -> HttpResponse:
    """Do it, and say on the next page what was done, or why not."""
    slug = request.viewer.workspace_slug
    check_may(request.viewer.role, "manage_triage")
    access_topic(request.viewer.workspace_id, topic)
    try:
        act()
    except (InputRefused, Conflict) as kept_because:
        return refused(request, kept_because.message, "topic", workspace=slug, topic=topic)
    return done(request, words, page, workspace=slug, **({"topic": topic} if page == "topic" else {}))


def _topic_page(request: WorkspaceRequest, topic_id: int, form: ExamplesForm) -> HttpResponse:
    viewer = request.viewer
    check_may(viewer.role, "manage_triage")
    topic = access_topic(viewer.workspace_id, topic_id)
    query = _query(request)
    examples = list_examples(topic)
    facts = {
        "topic": topic,
        "state": state_of(topic),
        "examples": examples,
        "missing": max(0, ENOUGH_EXAMPLES - sum(1 for one in examples if one.is_of_topic)),
        "form": form,
        "query": query,
        "found": find_messages(viewer.workspace_id, query) if topic.facet == "reason" else [],
        "catch": catch_of(topic) if topic.facet == "reason" else None,
        "words": wording,
    }
    return render_settings(request, "triage/topic.html", "topics", facts, status=status_of(form))


def _query(request: WorkspaceRequest) -> str:
    return request.GET.get("q", "")[:_LONGEST_QUERY].strip()
