"""What is said of a case, as a resource: what may be said, an agent's word on it; and the hidden words of a message."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _

from careline.cases.actions import causing, correcting, revealing
from careline.cases.queries.alike import alike_cases
from careline.cases.queries.visible import access_case
from careline.screens.inbox import sign_wording
from careline.screens.inbox.resources import done, one_id, read_body, resource, said
from careline.screens.middleware import WorkspaceRequest
from careline.screens.templating import fragment
from careline.triage.queries import topic_names


class Word(msgspec.Struct, frozen=True):
    """An agent's word: everything proposed is right, or what one verdict is ('' refuses what was proposed)."""

    accept: bool = False
    verdict: str = ""
    value: str = ""


class Offered(msgspec.Struct, frozen=True):
    """One thing that may be said."""

    verdict: str
    value: str
    words: str
    group: str


class Choices(msgspec.Struct, frozen=True):
    offered: tuple[Offered, ...]


def show_choices(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`GET cases/<n>/signs`: everything that may be said of a case, the workspace's topics among it."""
    access_case(request.viewer, number)
    fixed = [(name, value) for name, values in correcting.CHOICES.items() for value in values]
    fixed += [(name, "") for name in correcting.CHOICES if name in correcting.REFUSABLE]
    offered = [
        Offered(name, value, sign_wording.value_words(name, value), sign_wording.name_words(name))
        for name, value in fixed
    ]
    topics = topic_names(request.viewer.workspace_id)
    offered += [Offered("topic", str(key), name, sign_wording.name_words("topic")) for key, name in topics.items()]
    causes = {0: sign_wording.value_words("root_cause", "")} | topic_names(request.viewer.workspace_id, "root_cause")
    if len(causes) > 1:
        group = sign_wording.name_words("root_cause")
        offered += [Offered("root_cause", str(key or ""), name, group) for key, name in causes.items()]
    return said(Choices(tuple(offered)))


def say_sign(request: WorkspaceRequest, number: int) -> HttpResponse:
    """`POST cases/<n>/signs`."""
    word = read_body(request, Word)
    if word.accept:
        act_id = correcting.accept_signs(request.viewer, number)
        return done(_("Right: triage learns from it"), act_id, number)
    if word.verdict == "root_cause":
        act_id = causing.set_root_cause(request.viewer, number, one_id(word.value) or None)
        return done(_("The root cause is noted"), act_id, number)
    act_id = correcting.correct_sign(request.viewer, number, word.verdict, word.value)
    return done(_("Corrected: triage learns from it"), act_id, number)


def show_alike(request: WorkspaceRequest, workspace: str, number: int) -> HttpResponse:
    """`GET cases/<n>/alike`: solved cases of the same meaning, as the fragment of the pane."""
    found = alike_cases(request.viewer, number)
    return HttpResponse(fragment("inbox/signs.html", "alike_list", found, workspace))


class Why(msgspec.Struct, frozen=True):
    reason: str = ""


def reveal(request: WorkspaceRequest, number: int, message: int) -> HttpResponse:
    """`POST cases/<n>/messages/<id>/words`: what is hidden in a message, for a stated reason."""
    return said(revealing.reveal_message(request.viewer, number, message, read_body(request, Why).reason))


words_of_message = resource(POST=reveal)
signs_of_case = resource(GET=show_choices, POST=say_sign)
