"""The demo is believable, safe and the same at every start: judged by the rows a newcomer will see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from careline.cases.models import Case
from careline.channels.models import Channel, Connection
from careline.errors import Conflict
from careline.intake.models import JournalRow
from careline.outbox.models import Delivery
from careline.people.models import Identity, Person
from careline.simulator import prepare_demo, run_simulator
from careline.simulator.demo.entering import DemoInfo
from careline.simulator.ledger import Ledger
from careline.threads.models import Message
from careline.workspaces.models import Account, Agent, Brand, Workspace

BASE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any, _folder: Path) -> Iterator[DemoInfo]:
    """One filled demo for all tests of this module; they only read it. Removed at the end."""
    from django.conf import settings

    before = settings.DATA_DIR
    with django_db_blocker.unblock():
        settings.DATA_DIR = _folder
        try:
            yield prepare_demo(BASE)
        finally:
            settings.DATA_DIR = before
            _empty()


def _empty() -> None:
    from django.core.management import call_command

    call_command("flush", interactive=False, verbosity=0)


pytestmark = [pytest.mark.usefixtures("demo"), pytest.mark.django_db]


def states() -> Counter[str]:
    return Counter(Case.objects.values_list("state", flat=True))


def test_a_few_hundred_cases_stand_in_all_states() -> None:
    assert sum(states().values()) >= 300
    assert states()["done"] >= 150
    assert states()["open"] >= 40
    assert states()["waiting"] >= 30
    assert set(Case.objects.values_list("waiting_reason", flat=True)) == {"", "customer", "department", "until"}
    assert {"solved", "heard", "spam"} <= set(Case.objects.values_list("outcome", flat=True))


def test_both_languages_and_every_channel_are_there() -> None:
    languages = Counter(Case.objects.values_list("language", flat=True))
    assert languages["es"] >= 80
    assert languages["en"] >= 80
    networks = set(Case.objects.values_list("network", flat=True))
    assert networks == {"simulated", "email", "webchat", "intake_form"}
    assert {"post", "reply", "comment", "dm"} <= set(Message.objects.values_list("surface", flat=True))


def test_everything_is_marked_simulated() -> None:
    assert not Channel.objects.filter(is_simulated=False).exists()
    assert not Case.objects.filter(is_simulated=False).exists()


def test_nothing_is_left_to_digest_or_to_send() -> None:
    assert not JournalRow.objects.exclude(state=JournalRow.DONE).exists()
    assert not Delivery.objects.exclude(state__in=["sent", "read"]).exists()


def test_marta_stands_on_top_of_anas_list() -> None:
    ana = Agent.objects.get(name="Ana")
    mine = list(Case.objects.filter(assignee_id=ana.id, state="open").order_by("queue_key", "id"))
    assert mine[0].person_name == "Marta Ruiz Gil"
    assert (mine[0].is_public, mine[0].language, mine[0].reach) == (True, "es", 4100)
    assert len(mine) >= 5
    assert all(case.first_answered_at is None for case in mine)


def test_her_failed_contacts_are_on_the_same_person() -> None:
    marta = Person.objects.get(identities__key="u_marta")
    networks = set(Identity.objects.filter(person=marta).values_list("network", flat=True))
    assert networks == {"simulated", "email", "intake_form"}
    told = {case.network: (case.state, case.outcome) for case in Case.objects.filter(person=marta)}
    assert told["intake_form"] == ("done", "heard")
    assert told["email"] == ("open", "")
    assert Case.objects.get(person=marta, network="email").first_answered_at is None


def test_a_bystander_of_her_thread_has_no_case() -> None:
    otro = Person.objects.get(identities__key="u_otro")
    assert not Case.objects.filter(person=otro).exists()


def test_the_cast_has_its_roles_and_no_password_is_a_constant(demo: DemoInfo) -> None:
    roles = dict(Agent.objects.values_list("name", "role"))
    assert (roles["Ana"], roles["Ben"], roles["Olga"], roles["Tom"]) == ("agent", "lead", "owner", "trainee")
    assert Account.objects.get(email="ana@aurora.example").check_password(demo.password)
    assert demo.password in demo.text()
    assert len(demo.password) >= 16


def test_the_password_belongs_to_the_folder_and_its_owner_alone(demo: DemoInfo, _folder: Path, tmp_path: Path) -> None:
    from careline.simulator.demo.entering import folder_password

    assert folder_password(_folder) == demo.password
    assert folder_password(tmp_path) != demo.password
    assert (_folder / "demo-password").stat().st_mode & 0o077 == 0


def test_the_wall_tells_the_same_story_as_the_desk(demo: DemoInfo) -> None:
    ledger = Ledger(demo.ledger_path)
    ours = {row.id for row in ledger.messages(origin="api")}
    ledger.close()
    sent = Message.objects.filter(direction="outbound", channel_id__in=simulated_channels(), is_echo=False)
    assert ours == set(sent.values_list("platform_id", flat=True))
    assert len(ours) > 150


def simulated_channels() -> list[int]:
    return list(Channel.objects.filter(network="simulated").values_list("id", flat=True))


def test_the_past_lies_in_the_past_and_spans_days() -> None:
    times = sorted(Message.objects.values_list("at", flat=True))
    assert (times[-1] - times[0]).days >= 5
    answered = Case.objects.filter(first_answer_s__isnull=False)
    assert answered.count() > 150
    assert not answered.filter(first_answer_s__lt=0).exists()


def test_a_second_start_opens_the_same_demo(demo: DemoInfo, _folder: Path) -> None:
    from django.conf import settings

    before, cases, settings.DATA_DIR = settings.DATA_DIR, Case.objects.count(), _folder
    again = prepare_demo("http://127.0.0.1:8040")
    settings.DATA_DIR = before
    assert (again.password, Case.objects.count()) == (demo.password, cases)
    assert Workspace.objects.count() == 1
    apis = {str(one.settings["api"]) for one in Channel.objects.filter(network="simulated")}
    assert apis == {f"{again.simulator_address}/api"}
    ledger = Ledger(demo.ledger_path)
    assert all(app.hook_url.startswith("http://127.0.0.1:8040/hooks/") for app in ledger.apps())
    ledger.close()


def test_the_network_starts_at_the_announced_port_and_stops(demo: DemoInfo, _folder: Path) -> None:
    from django.conf import settings

    before, settings.DATA_DIR = settings.DATA_DIR, _folder
    again = prepare_demo(BASE)
    settings.DATA_DIR = before
    running = run_simulator(again, hook_base_url=BASE, is_quiet=True)
    assert running.address == again.simulator_address
    running.stop()


def test_a_folder_with_a_real_channel_is_refused() -> None:
    """And nothing of it is touched."""
    workspace = Workspace.objects.get()
    brand = Brand.objects.filter(workspace=workspace).first()
    connection = Connection.objects.create(workspace=workspace, network="generic", name="Shop")
    real = Channel.objects.create(
        workspace=workspace, connection=connection, network="generic", account_key="shop", name="Shop", brand=brand
    )
    cases = Case.objects.count()
    try:
        with pytest.raises(Conflict) as refused:
            prepare_demo(BASE)
        assert refused.value.code == "demo_refused"
        assert Case.objects.count() == cases
    finally:
        real.delete()
        connection.delete()


def test_a_folder_with_a_real_workspace_is_refused() -> None:
    real = Workspace.objects.create(slug="sea", name="Sea")
    try:
        with pytest.raises(Conflict, match="real workspace"):
            prepare_demo(BASE)
    finally:
        real.delete()


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_fill_is_begun_again(_folder: Path) -> None:
    """Last of this module: it empties the database and fills it once more."""
    from django.conf import settings

    before, settings.DATA_DIR = settings.DATA_DIR, _folder
    (_folder / "demo-complete").unlink()
    Case.objects.filter(state="done").delete()
    try:
        prepare_demo(BASE)
    finally:
        settings.DATA_DIR = before
    assert states()["done"] >= 150
    assert Workspace.objects.count() == 1
