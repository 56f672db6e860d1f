"""What is measured inside one process: digest, statements, list, open, search. Run by `benchmarks.__main__` with its own data folder; prints JSON."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from careline.cases.models import Case  # noqa: E402
from careline.cases.queries.listing import counts, list_page  # noqa: E402
from careline.cases.rows import ListFilters  # noqa: E402
from careline.channels import access  # noqa: E402
from careline.channels.models import Channel, Connection  # noqa: E402
from careline.intake import digest  # noqa: E402
from careline.intake.journal import NewRow, write_rows  # noqa: E402
from careline.kit import clock, ids  # noqa: E402
from careline.kit.bulk import insert_rows  # noqa: E402
from careline.kit.settling import settle  # noqa: E402
from careline.people.models import Identity, Person  # noqa: E402
from careline.screens.inbox.case_views import SHOWN_MESSAGES  # noqa: E402
from careline.threads import search  # noqa: E402
from careline.threads.models import Message, Thread  # noqa: E402
from careline.workspaces.models import Account, Agent, Brand, Team, Workspace  # noqa: E402
from careline.workspaces.sight import Viewer, viewer_of  # noqa: E402

WORDS = [
    "maleta",
    "vuelo",
    "retraso",
    "reembolso",
    "puntos",
    "billete",
    "apellido",
    "puerta",
    "asiento",
    "tarjeta",
    "equipaje",
    "conexión",
    "bag",
    "flight",
    "delay",
    "refund",
    "points",
    "ticket",
    "surname",
    "gate",
    "seat",
    "card",
    "luggage",
    "connection",
    "claim",
    "receipt",
    "voucher",
    "hotel",
    "desk",
    "phone",
    "answer",
    "waiting",
    "nobody",
    "please",
    "help",
    "thanks",
    "hours",
    "days",
    "again",
]


def world() -> tuple[Channel, Viewer]:
    """A workspace with one channel and its owner."""
    call_command("migrate", verbosity=0)
    air = Workspace.objects.create(slug="air", name="Air")
    brand = Brand.objects.create(workspace=air, name="Air")
    team = Team.objects.create(workspace=air, name="Social")
    sealed = access.seal_secrets({"hook_secret": "whsec_" + "QUJD" * 8, "token": "t"})
    link = Connection.objects.create(workspace=air, network="simulated", name="Simulated", sealed_secrets=sealed)
    channel = Channel.objects.create(
        workspace=air,
        connection=link,
        network="simulated",
        account_key="aurora",
        name="@aurora",
        brand=brand,
        team=team,
        is_simulated=True,
        settings={"gap_check_s": "0"},
    )
    account = Account.objects.create_user("owner@air.test")
    return channel, viewer_of(Agent.objects.create(workspace=air, account=account, name="Olga", role="owner"))


def event(number: int, thread: str, author: str, text: str) -> bytes:
    """One post of the simulated platform, about 600 bytes."""
    return json.dumps(
        {
            "id": f"e{number}", "account": "aurora", "kind": "message.created", "at": clock.now().isoformat(), "thread": thread,
            "conversation": {"place": "dm", "author_id": author, "root_id": "", "views": 0},
            "message": {"id": f"m{number}", "author": {"id": author, "handle": f"@{author}", "name": author.title()}, "text": text},
        }
    ).encode()  # fmt: skip


def measure_digest(channel: Channel, count: int) -> dict[str, float]:
    """Messages a CPU-second of a process that has started: half open cases, half join them. The limit: bare rows of the message table alone."""
    digest.warm_up()
    settle()
    chance = random.Random(1)
    write_rows(
        [
            NewRow(
                channel.workspace_id,
                channel.id,
                f"e{n}",
                f"t{n % (count // 2)}",
                event(n, f"t{n % (count // 2)}", f"p{n % (count // 2)}", " ".join(chance.choices(WORDS, k=18))),
            )
            for n in range(count)
        ]
    )
    begin = time.process_time()
    digest.digest_pending()
    digest_s = time.process_time() - begin
    thread = Thread.objects.first()
    bare = [
        Message(
            workspace_id=channel.workspace_id,
            thread=thread,
            channel_id=channel.id,
            platform_id=f"bare{n}",
            direction="inbound",
            text="x" * 120,
            at=clock.now(),
        )
        for n in range(count)
    ]
    begin = time.process_time()
    for start in range(0, count, 200):
        with transaction.atomic():
            insert_rows(bare[start : start + 200])
    bare_s = time.process_time() - begin
    Message.objects.filter(platform_id__startswith="bare").delete()
    return {"digest_per_cpu_s": count / digest_s, "bare_message_rows_per_cpu_s": count / bare_s}


def measure_statements(channel: Channel) -> float:
    """SQL statements a message, one batch of 200."""
    write_rows(
        [
            NewRow(
                channel.workspace_id,
                channel.id,
                f"s{n}",
                f"st{n}",
                event(10_000_000 + n, f"st{n}", f"sp{n}", "hello there, where is my bag"),
            )
            for n in range(200)
        ]
    )
    with CaptureQueriesContext(connection) as captured:
        digest.digest_pending()
    return len(captured.captured_queries) / 200


def fill(channel: Channel, cases: int) -> None:
    """Cases with ten messages each, straight into the tables."""
    chance = random.Random(2)
    now = clock.now()
    states = ("open", "waiting", "done", "done", "done", "done", "done", "done")
    number = 10_000_000
    for start in range(0, cases, 2000):
        persons, identities, threads, rows, messages, words = [], [], [], [], [], []
        for _ in range(min(2000, cases - start)):
            number += 1
            person = Person(workspace_id=channel.workspace_id, name=f"Person {number}")
            identity = Identity(
                workspace_id=channel.workspace_id,
                person=person,
                network="simulated",
                scope="simulated",
                key=f"q{number}",
                handle=f"@q{number}",
            )
            thread = Thread(workspace_id=channel.workspace_id, channel_id=channel.id, key=f"q{number}", surface="dm")
            state = chance.choice(states)
            case = Case(
                workspace_id=channel.workspace_id, number=number, person=person, channel_id=channel.id, network="simulated", surface="dm", state=state, person_name=person.name,
                title=" ".join(chance.choices(WORDS, k=6)), last_text=" ".join(chance.choices(WORDS, k=12)), team_id=channel.team_id, message_count=10, unanswered_count=1,
                queue_key=chance.randrange(10**15, 3 * 10**15), waiting_since=now, due_at=now, due_span_s=900, is_simulated=True,
            )  # fmt: skip
            for _ in range(10):
                message = Message(
                    workspace_id=channel.workspace_id, thread=thread, channel_id=channel.id, case_id=case.id, platform_id=f"q{ids.new_id()}", direction="inbound", surface="dm",
                    author_identity=identity, text=" ".join(chance.choices(WORDS, k=15)), at=now,
                )  # fmt: skip
                messages.append(message)
                words.append((message.id, channel.workspace_id, case.id, now, message.text))
            persons.append(person)
            identities.append(identity)
            threads.append(thread)
            rows.append(case)
        with transaction.atomic():
            for batch in (persons, identities, threads, rows, messages):
                insert_rows(batch)
            search.index_messages(words)


def percentile(work: Callable[[], object], times: int, share: float = 0.95) -> float:
    """Milliseconds of the slowest `1 - share` of runs."""
    work()
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begin) * 1000)
    return sorted(spent)[int(share * (times - 1))]


def long_case(channel: Channel) -> int:
    """A case of 500 messages."""
    write_rows(
        [
            NewRow(
                channel.workspace_id,
                channel.id,
                f"l{n}",
                "long",
                event(20_000_000 + n, "long", "longwinded", f"word {n}, where is my bag"),
            )
            for n in range(500)
        ]
    )
    digest.digest_pending()
    return Case.objects.get(person_name="Longwinded").number


def browser() -> Client:
    """The owner's, signed in."""
    settings.ALLOWED_HOSTS = ["*"]
    found = Client()
    found.force_login(Account.objects.get())
    return found


def opening(number: int) -> Callable[[], object]:
    """What an agent waits for who clicks on the case: its regions by the server, queries and templates and all, with the newest messages."""
    client = browser()
    return lambda: _asked(client, number, "case", "")


def reading_all(number: int) -> Callable[[], object]:
    """The same to the very first message, as scrolling up all the way fetches it."""
    client = browser()

    def read() -> None:
        said = _asked(client, number, "case", "")
        while b'data-do="earlier"' in said:
            said = _asked(client, number, "earlier", said.partition(b'data-message="')[2].partition(b'"')[0].decode())

    return read


def _asked(client: Client, number: int, fragment: str, before: str) -> bytes:
    answer = client.get(f"/w/air/cases/{number}?before={before}", headers={"X-Fragment": fragment})
    assert answer.status_code == 200, answer.content
    return bytes(answer.content)


def main() -> None:
    """Arguments: messages to digest, cases to fill."""
    digested, cases = int(sys.argv[1]), int(sys.argv[2])
    channel, owner = world()
    found: dict[str, float] = measure_digest(channel, digested)
    found["statements"] = measure_statements(channel)
    number = long_case(channel)
    fill(channel, cases)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as captured:
        list_page(owner, ListFilters(view="all"))
        counts(owner)
    found["list_queries"] = len(captured.captured_queries)
    found["list_ms"] = percentile(lambda: list_page(owner, ListFilters(view="all")), 60)
    found["counts_ms"] = percentile(lambda: counts(owner), 20)
    found["opened"] = SHOWN_MESSAGES
    found["open_ms"], found["open_all_ms"] = percentile(opening(number), 40), percentile(reading_all(number), 10)
    found["search_common_ms"] = percentile(lambda: list_page(owner, ListFilters(view="all", query="maleta")), 40)
    found["search_two_ms"] = percentile(lambda: list_page(owner, ListFilters(view="all", query="maleta refund")), 40)
    found["search_rare_ms"] = percentile(lambda: list_page(owner, ListFilters(view="all", query="longwinded")), 40)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
