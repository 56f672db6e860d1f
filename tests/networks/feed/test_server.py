"""A channel visits a real web server: only for what is new, where it moved, when it may, and whatever the server answers."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from careline.channels.base import ChannelView, Deleted, Edited, ForeignPayload, Health, Introduced, Said, Tools
from careline.channels.feed import NETWORK
from careline.channels.feed.tests.server import FeedServer, serving
from careline.errors import ChannelError
from careline.kit import clock
from careline.kit.http import guarded_client

KIND = {"Content-Type": "application/rss+xml"}


def rss(*items: str, head: str = "") -> str:
    return (
        '<rss version="2.0" xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
        f' xmlns:at="http://purl.org/atompub/tombstones/1.0"><channel><title>Quejas</title>{head}{"".join(items)}</channel></rss>'
    )


def item(guid: str, text: str = "words", *, author: str = "Marta", more: str = "") -> str:
    at = (clock.now() + timedelta(seconds=2)).strftime("%d %b %Y %H:%M:%S GMT")
    return (
        f'<item><guid isPermaLink="false">{guid}</guid><author>{author}</author><pubDate>{at}</pubDate>'
        f"<description>{text}</description>{more}</item>"
    )


class Desk:
    """A channel and its cursor, read as the reader reads it: again from the cursor each time."""

    def __init__(self, feeds: str, **settings: object) -> None:
        self.channel = ChannelView(
            7,
            1,
            "feed",
            "f",
            "Quejas",
            "",
            {"feeds": feeds, "every_min": 10, **settings},
            {},
            history_before=clock.now(),
        )
        self.cursor: Mapping[str, object] = {}
        self.dead: list[str] = []

    def look(self, *, after_min: float = 0) -> list[str]:
        """Every feed that is due `after_min` from now; what it told, as words."""
        with clock.travel(timedelta(minutes=after_min)):
            return asyncio.run(self._look())

    async def _look(self) -> list[str]:
        told: list[str] = []
        async with guarded_client(allow_private=True, timeout_s=5) as client:
            news = NETWORK.listen(self.channel, self.cursor, Tools(http=client))
            while True:
                try:
                    fetched = await asyncio.wait_for(anext(news), 1.0)
                except TimeoutError:
                    return told
                self.cursor = fetched.cursor
                for part in fetched.parts:
                    told += self._words(part)

    def _words(self, part: object) -> list[str]:
        try:
            happened = NETWORK.normalise(part, self.channel)  # type: ignore[arg-type]
        except ForeignPayload as dead:
            self.dead.append(dead.message)
            return []
        kinds = {Edited: "edited: ", Deleted: "deleted"}
        return [
            kinds.get(type(one), "") + getattr(one, "text", "")
            for one in happened
            if isinstance(one, Said | Edited | Deleted)
        ]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FeedServer]:
    with serving(tmp_path / "www") as found:
        yield found


def ask(feeds: str) -> Health:
    async def run() -> Health:
        async with guarded_client(allow_private=True, timeout_s=5) as client:
            return await NETWORK.check(Desk(feeds).channel, Tools(http=client))

    return asyncio.run(run())


def introduce(feeds: str) -> Introduced:
    async def run() -> Introduced:
        async with guarded_client(allow_private=True, timeout_s=5) as client:
            return await NETWORK.introduce(Desk(feeds).channel, "", Tools(http=client))

    return asyncio.run(run())


def test_an_unchanged_feed_is_asked_for_by_etag_and_date_and_not_read_again(server: FeedServer) -> None:
    desk = Desk(server.write("f.xml", rss(item("1", "uno"))))
    assert desk.look() == ["uno"]
    assert desk.look(after_min=11) == []
    first, second = server.visits("/f.xml")
    assert "if-none-match" not in first
    assert second["if-none-match"]
    assert second["if-modified-since"]
    server.write("f.xml", rss(item("2", "dos y más"), item("1", "uno")))
    assert desk.look(after_min=22) == ["dos y más"]


def test_nobody_is_asked_before_it_is_due(server: FeedServer) -> None:
    desk = Desk(server.write("f.xml", rss(item("1"))))
    desk.look()
    desk.look(after_min=9)
    assert len(server.visits("/f.xml")) == 1


@pytest.mark.parametrize(
    ("head", "headers"),
    [("<ttl>60</ttl>", {}), ("", {"Cache-Control": "public, max-age=3600"}), ("", {"Retry-After": "3600"})],
)
def test_the_feed_says_how_often(server: FeedServer, head: str, headers: dict[str, str]) -> None:
    server.headers["/f.xml"] = headers
    desk = Desk(server.write("f.xml", rss(item("1"), head=head)))
    desk.look()
    desk.look(after_min=58)
    assert len(server.visits("/f.xml")) == 1
    desk.look(after_min=61)
    assert len(server.visits("/f.xml")) == 2


def test_hours_to_skip_are_skipped(server: FeedServer) -> None:
    due = clock.now() + timedelta(minutes=10)
    hours = f"<skipHours><hour>{due.hour}</hour></skipHours>"
    desk = Desk(server.write("f.xml", rss(item("1"), head=hours)))
    desk.look()
    to_next_hour_min = 60 - due.minute + 10
    desk.look(after_min=to_next_hour_min - 2)
    assert len(server.visits("/f.xml")) == 1
    desk.look(after_min=to_next_hour_min + 1)
    assert len(server.visits("/f.xml")) == 2


@pytest.mark.parametrize(("status", "is_kept"), [(301, True), (308, True), (302, False), (307, False)])
def test_a_move_for_good_is_remembered_and_another_is_not(server: FeedServer, status: int, is_kept: bool) -> None:
    server.write("new.xml", rss(item("1", "uno")))
    server.moved["/old.xml"] = (status, "/new.xml")
    desk = Desk(f"{server.address}/old.xml")
    assert desk.look() == ["uno"]
    desk.look(after_min=11)
    assert len(server.visits("/old.xml")) == (1 if is_kept else 2)
    assert len(server.visits("/new.xml")) == 2


def test_what_moved_and_is_missing_there_is_looked_for_where_it_was(server: FeedServer) -> None:
    other = server.write("other.xml", rss())
    server.write("new.xml", rss(item("1", "uno")))
    server.moved["/old.xml"] = (301, "/new.xml")
    desk = Desk(f"{server.address}/old.xml {other}")
    desk.look()
    server.moved.clear()
    (server.folder / "new.xml").unlink()
    server.write("old.xml", rss(item("2", "dos")))
    desk.look(after_min=11)
    assert desk.look(after_min=60) == ["dos"]


def test_circles_end(server: FeedServer) -> None:
    server.moved["/a"], server.moved["/b"] = (301, "/b"), (301, "/a")
    assert ask(f"{server.address}/a").code == "feed_loops"


def test_a_feed_that_is_gone_for_good_is_left_alone_and_said_once(server: FeedServer) -> None:
    other = server.write("other.xml", rss())
    server.answers["/f.xml"] = (410, b"", {})
    desk = Desk(f"{server.address}/f.xml {other}")
    desk.look()
    desk.look(after_min=600)
    assert len(server.visits("/f.xml")) == 1
    desk.look(after_min=25 * 60)
    assert len(server.visits("/f.xml")) == 2
    assert len(desk.dead) == 1
    assert "410" in desk.dead[0]


def test_a_server_that_wants_peace_gets_it(server: FeedServer) -> None:
    other = server.write("other.xml", rss())
    server.answers["/f.xml"] = (429, b"", {"Retry-After": "7200"})
    desk = Desk(f"{server.address}/f.xml {other}")
    desk.look()
    desk.look(after_min=119)
    assert len(server.visits("/f.xml")) == 1
    desk.look(after_min=121)
    assert len(server.visits("/f.xml")) == 2


def test_when_nothing_can_be_read_the_channel_is_failing(server: FeedServer) -> None:
    server.answers["/f.xml"] = (429, b"", {"Retry-After": "7200"})
    with pytest.raises(ChannelError) as failing:
        Desk(f"{server.address}/f.xml").look()
    assert failing.value.code == "feed_busy"
    assert failing.value.retry_after_s == pytest.approx(7200, abs=5)
    with pytest.raises(ChannelError) as away:
        Desk("http://127.0.0.1:1/f.xml").look()
    assert away.value.code == "unreachable"


def test_one_feed_that_fails_does_not_stop_the_others(server: FeedServer) -> None:
    server.answers["/bad.xml"] = (500, b"", {})
    good = server.write("good.xml", rss(item("1", "uno")))
    assert Desk(f"{server.address}/bad.xml {good}").look() == ["uno"]


def test_a_broken_feed_is_read_as_far_as_it_goes_and_said_once(server: FeedServer) -> None:
    whole = rss(item("1", "uno"), item("2", "dos"))
    desk = Desk(server.write("f.xml", whole[: whole.rindex("</item>")]))
    assert sorted(desk.look()) == ["dos", "uno"]
    server.write("f.xml", whole[: whole.rindex("</item>") - 1] + " ")
    desk.look(after_min=11)
    assert len(desk.dead) == 1
    assert "not well-formed" in desk.dead[0]


def test_gzip_is_read_and_a_gzip_bomb_is_not(server: FeedServer) -> None:
    packed = {**KIND, "Content-Encoding": "gzip"}
    server.answers["/f.xml"] = (200, gzip.compress(rss(item("1", "uno")).encode()), packed)
    assert Desk(f"{server.address}/f.xml").look() == ["uno"]
    server.answers["/bomb.xml"] = (200, gzip.compress(b"<rss>" + b" " * 50_000_000), packed)
    assert ask(f"{server.address}/bomb.xml").code == "feed_too_large"
    server.answers["/torn.xml"] = (200, b"\x1f\x8b no gzip", packed)
    assert ask(f"{server.address}/torn.xml").code == "answer_unreadable"


def test_fifty_megabytes_are_not_read(server: FeedServer) -> None:
    server.answers["/large.xml"] = (200, b"<rss version='2.0'><channel>" + b" " * 50_000_000, KIND)
    assert ask(f"{server.address}/large.xml").code == "feed_too_large"


def test_comments_of_posts_are_read_when_their_count_changes(server: FeedServer) -> None:
    def post(count: int) -> str:
        return rss(
            item(
                "p",
                "la queja",
                more=f"<slash:comments>{count}</slash:comments><wfw:commentRss>{server.address}/c.xml</wfw:commentRss>",
            )
        )

    server.write("c.xml", rss(item("c1", "yo también", author="Otro")))
    desk = Desk(server.write("f.xml", post(1)))
    assert desk.look() == ["la queja", "yo también"]
    desk.look(after_min=11)
    assert len(server.visits("/c.xml")) == 1
    server.write("c.xml", rss(item("c2", "y yo"), item("c1", "yo también", author="Otro")))
    server.write("f.xml", post(12))
    assert desk.look(after_min=22) == ["y yo"]


def test_comments_are_left_where_that_was_chosen(server: FeedServer) -> None:
    post = item("p", "la queja", more=f"<wfw:commentRss>{server.address}/c.xml</wfw:commentRss>")
    Desk(server.write("f.xml", rss(post)), comments=False).look()
    assert server.visits("/c.xml") == []


def test_a_stranger_cannot_send_us_into_the_house(server: FeedServer, tmp_path: Path) -> None:
    """Redirects and comment feeds lead to public addresses only, except on the host that an administrator typed."""
    with serving(tmp_path / "inside") as inside:
        inside.write("secret.xml", rss(item("s", "secret")))
        server.moved["/moved.xml"] = (302, f"{inside.address}/secret.xml")
        post = item("p", "hola", more=f"<wfw:commentRss>{inside.address}/secret.xml</wfw:commentRss>")
        assert Desk(server.write("f.xml", rss(post))).look() == ["hola"]
        assert ask(f"{server.address}/moved.xml").code == "address_refused"
        assert inside.asked == []


def test_edits_and_deletions_are_told(server: FeedServer) -> None:
    desk = Desk(server.write("f.xml", rss(item("1", "mala"))))
    desk.look()
    server.write("f.xml", rss(item("1", "muy mala")))
    assert desk.look(after_min=11) == ["edited: muy mala"]
    server.write("f.xml", rss('<at:deleted-entry ref="1" when="2026-11-21T10:00:00Z"/>'))
    assert desk.look(after_min=22) == ["deleted"]


def test_a_page_leads_to_its_feed(server: FeedServer) -> None:
    feed = server.write("blog/feed.xml", rss(item("1", "uno")))
    page = server.write(
        "blog/index.html", '<html><head><link rel="alternate" type="application/rss+xml" href="feed.xml"></head></html>'
    )
    found = introduce(page)
    assert (found.name, found.settings) == ("Quejas", {"feeds": feed})
    desk = Desk(page)
    assert desk.look() == ["uno"]
    desk.look(after_min=11)
    assert len(server.visits("/blog/index.html")) == 2, "once by the introduction, once by the desk"


@pytest.mark.parametrize(
    ("path", "status", "body", "code"),
    [
        ("a", 404, b"", "feed_missing"),
        ("b", 410, b"", "feed_gone"),
        ("c", 403, b"", "feed_forbidden"),
        ("d", 503, b"", "feed_busy"),
        ("e", 500, b"", "feed_failing"),
        ("f", 200, b"<html><body>no feed</body></html>", "page_without_feed"),
        ("g", 200, b"\x89PNG", "feed_unreadable"),
    ],
)
def test_the_live_check_says_what_is_wrong(server: FeedServer, path: str, status: int, body: bytes, code: str) -> None:
    server.answers[f"/{path}"] = (status, body, {})
    good = server.write("good.xml", rss())
    assert ask(good).ok
    assert ask(f"{good} {server.address}/{path}").code == code


def test_no_address_is_no_feed() -> None:
    assert ask("ftp://x").code == "feeds_none"
    assert ask("").code == "feeds_none"


def test_times_are_the_items_own(server: FeedServer) -> None:
    old = item("1", "viejo").replace(str(datetime.now(UTC).year), "2020")
    desk = Desk(server.write("f.xml", rss(old)))
    assert desk.look() == ["viejo"]
