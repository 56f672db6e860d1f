"""Approved templates: kept as the platform has them, sent where nothing else may be, filled in whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from careline.cases.actions.replying import write_reply
from careline.cases.models import Case, Draft
from careline.cases.queries.opening import open_case
from careline.cases.queries.templates import templates_for
from careline.channels import registry, templates
from careline.channels.access import view_of
from careline.channels.base import ChannelView, MessageTemplate, Tools
from careline.channels.capabilities import AttachmentKind, Capabilities
from careline.channels.models import Channel, Template
from careline.channels.templates import Templates, due_channels, keep_templates, media_of
from careline.conftest import DM, Air, TestNetwork, make_case, make_channel
from careline.errors import ChannelError, InputRefused, NotFound
from careline.files.storing import prepare_file, save_files
from careline.intake.tests.inline import inline_pool, run_beside
from careline.kit import clock
from careline.kit.http import GuardedClient
from careline.outbox.loading import load_outgoing
from careline.outbox.models import Delivery
from careline.threads.models import Message
from careline.workspaces.sight import Viewer

NEWS = MessageTemplate(
    "t1", "news", "es", "Hola {{name}}, hay novedades sobre {{subject}}.", ("name", "subject"), footer="Aurora Air"
)
LABEL = MessageTemplate(
    "t3", "label", "es", "La etiqueta de tu maleta.", media=AttachmentKind("image", ("image/png", "image/jpeg"), 1000)
)
SOLVED = MessageTemplate("t2", "solved", "en", "Is it solved?")


class ApprovingNetwork(TestNetwork):
    """The network of tests, whose private surface wants an approved template after its window."""

    __test__ = False
    capabilities = Capabilities(
        proof="A", surfaces=(msgspec.structs.replace(DM, templates_required_after_window=True),)
    )

    def __init__(self) -> None:
        self.approved: tuple[MessageTemplate, ...] = (NEWS, SOLVED)
        self.is_away = False

    async def templates(self, channel: ChannelView, tools: Tools) -> tuple[MessageTemplate, ...]:
        if self.is_away:
            raise ChannelError("platform_away", "away")
        return self.approved


@pytest.fixture
def network() -> Iterator[ApprovingNetwork]:
    made = ApprovingNetwork()
    registry.add_for_tests(made)
    yield made
    registry.add_for_tests(TestNetwork())


@pytest.fixture
def case(air: Air, network: ApprovingNetwork) -> Case:
    """Marta wrote in private eight days ago."""
    found = make_case(air.channel, air.marta_identity, surface=DM, at=clock.now() - timedelta(days=8))
    keep_templates(view_of(air.channel.id), (NEWS, SOLVED))
    return found


def write(viewer: Viewer, case: Case, name: str, *values: str, **more: object) -> Message:
    thread = open_case(viewer, case.number).threads[0].id
    template_id = Template.objects.get(name=name).id
    fields = {"thread_id": thread, "text": "", "mode": "private", "template_id": template_id, "values": values}
    return write_reply(viewer, case.number, **(fields | more))  # type: ignore[arg-type] # the composer's fields by name


def test_after_the_window_a_text_is_stopped_and_a_template_goes_out_filled_in(air: Air, case: Case) -> None:
    assert open_case(air.ana, case.number).threads[0].closed_code == "window_needs_template"
    with pytest.raises(InputRefused) as refused:
        write(air.ana, case, "news", text="Hola", template_id=0)
    assert refused.value.code == "window_needs_template"

    message = write(air.ana, case, "news", " Marta ", "tu\nmaleta {{name}}")
    assert message.text == "Hola Marta, hay novedades sobre tu maleta {{name}}.\nAurora Air"
    assert message.facts["template"] == "news"
    sent = load_outgoing(Delivery.objects.get(message=message).id, 1)
    assert sent.template is not None
    assert (sent.template.key, sent.template.language) == ("t1", "es")
    assert dict(zip(sent.template.parameters, sent.template.values, strict=True)) == {
        "name": "Marta", "subject": "tu maleta {{name}}",
    }  # fmt: skip
    assert sent.text == message.text


@pytest.mark.parametrize("values", [(), ("Marta",), ("Marta", "  "), ("a", "b", "c")])
def test_a_template_with_a_hole_is_not_sent(air: Air, case: Case, values: tuple[str, ...]) -> None:
    with pytest.raises(InputRefused) as refused:
        write(air.ana, case, "news", *values)
    assert refused.value.code == "template_value_missing"
    assert not Delivery.objects.exists()


def test_a_template_leaves_the_half_written_answer_alone_and_a_repeated_click_sends_once(air: Air, case: Case) -> None:
    Draft.objects.create(
        workspace_id=case.workspace_id, case_id=case.id, agent_id=air.ana.agent_id, mode="private", text="half"
    )
    first = write(air.ana, case, "solved", client_key="k")
    again = write(air.ana, case, "solved", client_key="k")
    assert first.id == again.id
    assert Draft.objects.filter(text="half").exists()


def test_a_template_of_another_account_or_workspace_is_not_there(air: Air, case: Case, cleo: Viewer) -> None:
    other = make_channel(air.workspace, air.care, name="second")
    keep_templates(view_of(other.id), (msgspec.structs.replace(NEWS, name="elsewhere"),))
    with pytest.raises(NotFound):
        write(air.ana, case, "elsewhere", "a", "b")
    thread = open_case(air.ana, case.number).threads[0].id
    with pytest.raises(NotFound):
        templates_for(cleo, case.number, thread)
    with pytest.raises(NotFound):
        templates_for(air.ana, case.number, thread + 1)


def test_templates_in_the_customers_language_come_first(air: Air, case: Case) -> None:
    thread = open_case(air.ana, case.number).threads[0].id
    for language, names in (("en", ["solved", "news"]), ("es", ["news", "solved"])):
        Case.objects.update(language=language)
        assert [one.name for one in templates_for(air.ana, case.number, thread)] == names


def test_what_the_platform_has_now_replaces_what_it_had(air: Air, case: Case) -> None:
    kept = Template.objects.get(name="news").id
    keep_templates(view_of(air.channel.id), (msgspec.structs.replace(NEWS, body="Nuevo {{name}} {{subject}}"),))
    assert list(Template.objects.values_list("id", "body")) == [(kept, "Nuevo {{name}} {{subject}}")]


@pytest.mark.django_db(transaction=True)
def test_accounts_that_use_templates_are_asked_each_quarter_of_an_hour_and_an_outage_forgets_nothing(
    air: Air, network: ApprovingNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "SCAN_S", 0.01)
    room = Templates(Tools(http=GuardedClient.__new__(GuardedClient)), inline_pool())
    run_beside(room.run, lambda: Template.objects.count() == 2)
    assert due_channels() == []
    with clock.travel(timedelta(seconds=templates.ASKED_EVERY_S + 1)):
        assert [one.id for one in due_channels()] == [air.channel.id]
    network.is_away = True
    asyncio.run(room._ask(view_of(air.channel.id)))
    assert Template.objects.count() == 2
    Channel.objects.update(state="off")
    with clock.travel(timedelta(hours=1)):
        assert due_channels() == []


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"


def kept(air: Air, content: bytes) -> int:
    prepared = prepare_file(air.workspace.id, content)
    return save_files([prepared])[(air.workspace.id, prepared.sha256)]


def test_a_template_that_begins_with_a_file_wants_it_and_goes_out_with_it(air: Air, case: Case) -> None:
    keep_templates(view_of(air.channel.id), (LABEL,))
    assert media_of(Template.objects.get()) == LABEL.media
    with pytest.raises(InputRefused) as refused:
        write(air.ana, case, "label")
    assert refused.value.code == "template_file_missing"
    message = write(air.ana, case, "label", file_ids=(kept(air, PNG),), file_names=("label.png",))
    sent = load_outgoing(Delivery.objects.get(message=message).id, 1)
    assert sent.template is not None
    assert sent.template.media == LABEL.media
    assert [(one.name, one.content_type) for one in sent.files] == [("label.png", "image/png")]


@pytest.mark.parametrize(
    ("content", "code"), [(b"%PDF-1.4 words", "file_kind"), (PNG + b"\0" * 2000, "file_too_large")]
)
def test_a_file_of_another_kind_or_too_large_is_refused(air: Air, case: Case, content: bytes, code: str) -> None:
    keep_templates(view_of(air.channel.id), (LABEL,))
    with pytest.raises(InputRefused) as refused:
        write(air.ana, case, "label", file_ids=(kept(air, content),))
    assert refused.value.code == code
    assert not Delivery.objects.exists()


def test_a_template_of_words_takes_no_file_and_another_workspaces_is_not_found(
    air: Air, cleo: Viewer, case: Case
) -> None:
    with pytest.raises(InputRefused) as refused:
        write(air.ana, case, "solved", file_ids=(kept(air, PNG),))
    assert refused.value.code == "files_not_here"
    keep_templates(view_of(air.channel.id), (LABEL,))
    prepared = prepare_file(cleo.workspace_id, PNG)
    hers = save_files([prepared])[(cleo.workspace_id, prepared.sha256)]
    with pytest.raises(NotFound):
        write(air.ana, case, "label", file_ids=(hers,))
