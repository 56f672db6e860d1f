"""Asking who somebody is: noted by the digest, put by a room of the network loop, outside any unit of work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from careline.channels import registry
from careline.channels.base import Author, AuthorFacts, ChannelView, Said, Tools, UnnamedAuthor
from careline.channels.capabilities import Capabilities, IdentityRule
from careline.errors import ChannelError
from careline.intake import asking, channel_facts, digest
from careline.intake.asking import Asking
from careline.intake.tests.conftest import Mouth, PlainNetwork
from careline.intake.tests.inline import inline_pool, run_beside
from careline.kit import clock
from careline.kit.http import GuardedClient
from careline.people.models import Identity, NameQuestion, Person

pytestmark = pytest.mark.django_db


@dataclass
class Asked:
    """Whom the platform was asked about, and what it refuses."""

    authors: list[UnnamedAuthor] = field(default_factory=list)
    refuses: bool = False


class ShyNetwork(PlainNetwork):
    """Tells the names of those who write in private when asked."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def effective(self, channel: ChannelView) -> Capabilities:
        rule = IdentityRule(names="asked")
        surfaces = tuple(
            msgspec.structs.replace(one, identity=rule) if one.name == "dm" else one
            for one in self.capabilities.surfaces
        )
        return msgspec.structs.replace(self.capabilities, surfaces=surfaces)

    async def who_is(self, author: UnnamedAuthor, channel: ChannelView, tools: Tools) -> AuthorFacts:
        self._asked.authors.append(author)
        if self._asked.refuses:
            raise ChannelError("name_withheld", permanent=True)
        return AuthorFacts(f"Name of {author.key}")


@pytest.fixture
def asked(mouth: Mouth, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    monkeypatch.setattr(asking, "SCAN_S", 0.01)
    monkeypatch.setattr(asking, "PAUSE_S", 0.01)
    made = Asked()
    registry.add_for_tests(ShyNetwork(made))
    channel_facts.forget()
    yield made
    registry.add_for_tests(PlainNetwork())


def say(mouth: Mouth, key: str, *, surface: str = "dm", name: str = "") -> None:
    platform_id = f"m{len(mouth.said)}"
    mouth.said.append(platform_id)
    mouth.happen(Said(platform_id, f"t-{key}", surface, Author(key, name=name), "hola", clock.now()))


def room() -> Asking:
    return Asking(Tools(http=GuardedClient.__new__(GuardedClient)), inline_pool())


def test_who_came_without_a_name_is_asked_for_once_and_named(asked: Asked, mouth: Mouth) -> None:
    say(mouth, "7001")
    say(mouth, "7001")
    digest.digest_pending()
    assert Person.objects.get(identities__key="7001").name == "7001"
    run_beside(room().run, lambda: Identity.objects.filter(name="Name of 7001").exists())
    assert asked.authors == [UnnamedAuthor("7001", "dm", "t-7001", "m0")]
    assert Person.objects.get(identities__key="7001").name == "Name of 7001"
    say(mouth, "7001")
    digest.digest_pending()
    assert [row.state for row in NameQuestion.objects.all()] == ["told"]


def test_a_name_that_came_along_and_a_surface_that_tells_names_are_not_asked_about(asked: Asked, mouth: Mouth) -> None:
    say(mouth, "7001", name="Marta Ruiz")
    say(mouth, "7002", surface="post")
    digest.digest_pending()
    assert not NameQuestion.objects.exists()


def test_many_strangers_in_a_batch_cost_two_statements(asked: Asked, mouth: Mouth) -> None:
    for number in range(20):
        say(mouth, f"70{number}")
    with CaptureQueriesContext(connection) as queries:
        digest.digest_pending()
    about = [one["sql"] for one in queries.captured_queries if "people_namequestion" in one["sql"]]
    assert NameQuestion.objects.count() == 20
    assert ["INSERT" in sql for sql in about] == [True, False], "all in one, and one for those refused long ago"


def test_a_refusal_ends_the_question_and_nothing_else(asked: Asked, mouth: Mouth) -> None:
    asked.refuses = True
    say(mouth, "7001")
    say(mouth, "7002")
    digest.digest_pending()
    run_beside(room().run, lambda: NameQuestion.objects.filter(state="refused").count() == 2)
    assert sorted(one.key for one in asked.authors) == ["7001", "7002"]
    mouth.channel.refresh_from_db()
    assert mouth.channel.state == "active"
