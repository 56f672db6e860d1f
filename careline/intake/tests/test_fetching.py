"""Files named by address: fetched through the guard, kept by content, and given up in words when they cannot be had."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from careline.channels import registry
from careline.channels.base import ChannelView, FileSource, SettingField, Tools
from careline.channels.models import Channel
from careline.conftest import DM, Air, TestNetwork, make_thread, say
from careline.errors import ChannelError
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.files.models import StoredFile
from careline.files.storing import read_file
from careline.files.tests.test_typing_content import picture
from careline.intake import fetching
from careline.intake.fetching import Fetcher, Wanted, keep_fetched
from careline.intake.tests.inline import inline_pool, run_beside
from careline.kit import clock
from careline.kit.http import GuardedClient
from careline.kit.tests.sites import Site
from careline.threads import editing
from careline.threads.models import Attachment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(fetching, "POLL_S", 0.01)
    monkeypatch.setattr(fetching, "PAUSE_S", 0.01)
    with override_settings(DATA_DIR=tmp_path):
        yield


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def other() -> Iterator[Site]:
    server = Site()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(air: Air, site: Site) -> Iterator[Site]:
    """The site is the address an administrator typed into the channel."""
    network = TestNetwork()
    network.fields = (SettingField("api", "Address", kind="address"), SettingField("note", "Note"))
    registry.add_for_tests(network)
    Channel.objects.filter(id=air.channel.id).update(settings={"api": site.address, "note": "http://127.0.0.1:9"})
    yield site
    registry.add_for_tests(TestNetwork())


def attach(air: Air, *urls: str) -> list[Attachment]:
    message = say(make_thread(air.channel, DM), air.marta_identity, "look")
    return [
        Attachment.objects.create(workspace_id=air.workspace.id, message=message, name=f"file-{number}", fetch_url=url)
        for number, url in enumerate(urls)
    ]


def fetch_all(*rows: Attachment) -> list[Attachment]:
    """Run a fetcher until each of these has a file or a problem."""

    async def work() -> None:
        in_house, outside = GuardedClient(allow_private=True, timeout_s=2), GuardedClient(timeout_s=2)
        try:
            await Fetcher(Tools(http=in_house), outside, inline_pool()).run()
        finally:
            await in_house.close()
            await outside.close()

    ids = [row.id for row in rows]
    run_beside(work, lambda: not Attachment.objects.filter(id__in=ids).exclude(fetch_url="").exists())
    return list(Attachment.objects.filter(id__in=ids).order_by("id"))


def test_a_file_is_fetched_typed_by_content_counted_and_told(air: Air, house: Site) -> None:
    house.pages["/photo"] = (200, {"Content-Type": "text/html"}, picture("PNG"))
    (row,) = fetch_all(*attach(air, f"{house.address}/photo"))
    assert row.file is not None
    assert (row.file.content_type, row.file.width_px, row.file.reference_count, row.problem, row.fetch_url) == (
        "image/png",
        40,
        1,
        "",
        "",
    )
    assert read_file(air.workspace.id, row.file.id)[1] == picture("PNG")
    assert Event.objects.get(kind="message.filed").message_id == row.message_id


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x",
        "http://169.254.169.254/latest/",
        "http://localhost/",
        "http://[::ffff:10.0.0.1]/",
        "http://[oops",
        "ftp://example.com/x",
        "x",
    ],
)
def test_an_address_a_customer_names_never_reaches_into_the_house(air: Air, house: Site, url: str) -> None:
    (row,) = fetch_all(*attach(air, url))
    assert (row.file, row.problem) == (None, "address_refused")
    assert house.asked == []


def test_one_malformed_address_does_not_keep_others_waiting(air: Air, house: Site) -> None:
    rows = fetch_all(*attach(air, *["http://[oops"] * 9, f"{house.address}/fine", "http://a..b/"))
    assert [row.problem for row in rows] == ["address_refused"] * 9 + ["", "address_refused"]
    assert rows[9].file is not None


def test_a_house_that_is_not_this_channels_is_refused(air: Air, house: Site, other: Site) -> None:
    (row,) = fetch_all(*attach(air, f"{other.address}/x"))
    assert (row.problem, other.asked) == ("address_refused", [])


def test_the_house_may_send_us_on_within_itself_but_no_further_into_the_house(
    air: Air, house: Site, other: Site
) -> None:
    house.pages["/a"] = (302, {"Location": "/b"}, b"")
    house.pages["/out"] = (302, {"Location": f"{other.address}/secret"}, b"")
    house.pages["/round"] = (302, {"Location": "/round"}, b"")
    house.pages["/oops"] = (302, {"Location": "http://[oops"}, b"")
    rows = fetch_all(*attach(air, *(f"{house.address}{path}" for path in ("/a", "/out", "/round", "/oops"))))
    assert [row.problem for row in rows] == ["", "address_refused", "address_refused", "address_refused"]
    assert other.asked == []


def test_what_fails_is_given_up_with_its_reason_and_the_passing_trouble_is_tried_again(air: Air, house: Site) -> None:
    house.pages |= {"/gone": (404, {}, b""), "/down": (503, {}, b""), "/long": (200, {}, b"x" * 2000)}
    with override_settings(UPLOAD_LIMIT_BYTES=1000):
        rows = fetch_all(*attach(air, f"{house.address}/gone", f"{house.address}/down", f"{house.address}/long"))
    assert [row.problem for row in rows] == ["status_404", "status_503", "too_large"]
    assert [asked[1] for asked in house.asked].count("/down") == fetching.TRIES
    assert Event.objects.filter(kind="message.filed").count() == 3


def test_a_slow_server_does_not_hold_up_the_others(air: Air, house: Site) -> None:
    house.slow["/slow"] = threading.Event()
    slow, *quick = attach(air, f"{house.address}/slow", *(f"{house.address}/{number}" for number in range(20)))
    assert all(row.file is not None for row in fetch_all(*quick))
    assert Attachment.objects.get(id=slow.id).fetch_url
    house.slow["/slow"].set()


def test_a_file_of_a_message_deleted_meanwhile_is_not_kept(air: Air) -> None:
    (row,) = attach(air, "http://example.com/x")
    wanted = Wanted(row.id, air.workspace.id, row.fetch_url, row.name, frozenset())
    with unit_of_work():
        editing.purge_words([row.message], clock.now())
    keep_fetched(wanted, b"content")
    assert not StoredFile.objects.exists() and not Attachment.objects.exists()


def test_fetching_twice_counts_once(air: Air) -> None:
    (row,) = attach(air, "http://example.com/x")
    wanted = Wanted(row.id, air.workspace.id, row.fetch_url, row.name, frozenset())
    for _ in range(2):
        keep_fetched(wanted, b"content")
    assert StoredFile.objects.get().reference_count == 1
    assert Event.objects.filter(kind="message.filed").count() == 1


class Locked(TestNetwork):
    """Files of this network are asked for, and lie behind a token."""

    fields = (SettingField("api", "Address", kind="address"),)

    async def locate_file(self, address: str, channel: ChannelView, tools: Tools) -> FileSource:
        if address == "testnet:gone":
            raise ChannelError("file_gone", "Too old.", permanent=True)
        return FileSource(f"{channel.setting('api')}/{address.removeprefix('testnet:')}", {"Authorization": "Bearer t"})


def test_a_file_of_the_networks_own_naming_is_asked_for_and_fetched_with_its_headers(air: Air, house: Site) -> None:
    registry.add_for_tests(Locked())
    house.pages["/photo"] = (200, {}, picture("PNG"))
    kept, gone = fetch_all(*attach(air, "testnet:photo", "testnet:gone"))
    assert kept.file is not None and kept.file.content_type == "image/png"
    assert (gone.file, gone.problem) == (None, "file_gone")
    assert [headers.get("authorization") for _, path, headers in house.asked if path == "/photo"] == ["Bearer t"]
