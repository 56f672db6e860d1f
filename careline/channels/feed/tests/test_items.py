"""What a document means for the desk: which items are told, as whose words, in which thread; and what no feed can do to another."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from careline.channels.base import ChannelView, Deleted, Edited, Happening, Said
from careline.channels.feed import NETWORK, cutting, formats
from careline.channels.feed.listening import load
from careline.channels.feed.wire import Entry, FeedState, Root
from careline.errors import ChannelError, ForeignPayload

FEED = "http://forum.example/feed"


def channel(**settings: object) -> ChannelView:
    before = datetime(2026, 11, 20, tzinfo=UTC)
    return ChannelView(7, 1, "feed", "f", "Forum", "", {"feeds": FEED, **settings}, {}, history_before=before)


def rss(*items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>Forum</title>{"".join(items)}</channel></rss>'.encode()


def item(
    guid: str = "1", title: str = "", text: str = "words", author: str = "Marta", day: str = "21", more: str = ""
) -> str:
    who = f"<author>{author}</author>" if author else ""
    when = f"<pubDate>{day} Nov 2026 10:00:00 GMT</pubDate>" if day else ""
    named = f'<guid isPermaLink="false">{guid}</guid>' if guid else ""
    return f"<item>{named}<title>{title}</title>{who}{when}<description>{text}</description>{more}</item>"


class Reader:
    """Reads one document after the other."""

    def __init__(self, feed: str = FEED, root: Root | None = None, **settings: object) -> None:
        self.channel, self.feed = channel(**settings), feed
        self.state = FeedState(root=root)

    def read(self, document: bytes) -> list[Happening]:
        read = formats.read(document, "application/xml", self.feed)
        self.state, letters = cutting.cut(self.feed, self.state, read, self.channel)
        parts = [cutting.part_of(one, "f") for one in letters]
        return [one for part in parts for one in NETWORK.normalise(part, self.channel)]

    def said(self, document: bytes) -> Said:
        (one,) = self.read(document)
        assert isinstance(one, Said)
        return one


def test_a_post_carries_its_title_page_and_author() -> None:
    said = Reader().said(
        rss(item(title="Mi maleta", text="&lt;b&gt;rota&lt;/b&gt;", more="<link>http://forum.example/1</link>"))
    )
    assert (said.text, said.surface, said.thread.subject) == ("Mi maleta\n\nrota", "post", "Mi maleta")
    assert (said.thread.permalink, said.author.name) == ("http://forum.example/1", "Marta")
    assert said.html.endswith("<b>rota</b>")
    assert said.is_addressed
    assert not said.is_history


def test_a_link_that_is_no_web_address_leads_nowhere() -> None:
    said = Reader().said(rss(item(more="<link>javascript:alert(1)</link>")))
    assert said.thread.permalink == ""


def test_what_is_older_than_the_connection_or_has_no_date_is_history() -> None:
    assert Reader().said(rss(item(day="19"))).is_history
    assert Reader().said(rss(item(day=""))).is_history


def test_an_item_without_a_date_that_appears_later_is_news() -> None:
    reader = Reader()
    reader.read(rss(item("1", day="")))
    assert not reader.said(rss(item("2", day=""), item("1", day=""))).is_history


def test_everything_in_a_feed_that_was_added_later_is_history() -> None:
    feeds = load({"feeds": {"http://other.example/": {"is_met": True}}}, channel(feeds=f"http://other.example/ {FEED}"))
    reader = Reader()
    reader.state = feeds[FEED]
    assert reader.said(rss(item())).is_history


def test_other_words_are_an_edit_also_back_and_forth() -> None:
    reader = Reader()
    reader.read(rss(item(text="a")))
    states, told = [], []
    for text in ("b", "a", "b", "b"):
        before = reader.state
        told += reader.read(rss(item(text=text)))
        states.append(before)
    assert [one.text for one in told if isinstance(one, Edited)] == ["b", "a", "b"]
    read = formats.read(rss(item(text="b")), "application/xml", FEED)
    names = {
        cutting.part_of(cutting.cut(FEED, state, read, reader.channel)[1][0], "f").platform_event_id
        for state in (states[0], states[2])
    }
    assert len(names) == 2


def test_only_what_names_the_brand_is_told() -> None:
    reader = Reader(words="Aurora Air, auroraair")
    assert reader.read(rss(item("1", text="Otra aerolínea"), item("2", text="La aurora aire"))) == []
    assert reader.said(rss(item("3", text="Con AURÓRA  Air no vuelvo"))).is_addressed


def test_an_item_that_comes_to_name_the_brand_appears_then() -> None:
    reader = Reader(words="Aurora")
    reader.read(rss(item(text="Una aerolínea", day="19")))
    said = reader.said(rss(item(text="Aurora, digo", day="19")))
    assert not said.is_history
    assert [type(one) for one in reader.read(rss(item(text="Nada", day="19")))] == [Edited]


def test_comments_under_a_post_that_names_the_brand_are_shown_and_only_its_author_is_addressed() -> None:
    root = Root("thread", FEED, "Mi maleta", "Marta", "rota", is_named=True)
    reader = Reader(f"{FEED}/1", root, words="Aurora")
    by_otro = reader.said(rss(item("5", text="a mí también", author="Otro")))
    by_marta = reader.said(rss(item("6", text="sigo esperando")))
    assert (by_otro.thread_key, by_otro.surface, by_otro.is_addressed) == ("thread", "comment", False)
    assert by_marta.is_addressed
    assert (by_otro.thread.parent_author, by_otro.thread.parent_text, by_otro.thread.subject) == (
        "Marta",
        "rota",
        "Mi maleta",
    )


def test_comments_under_a_post_that_does_not_are_left_unless_they_do() -> None:
    reader = Reader(f"{FEED}/1", Root("thread", FEED, is_named=False), words="Aurora")
    assert reader.read(rss(item("5", text="bonito"))) == []
    assert reader.said(rss(item("6", text="como Aurora"))).is_addressed


def test_the_same_author_is_one_person_in_a_feed_and_another_elsewhere() -> None:
    keys = [
        Reader(feed).said(rss(item(guid))).author.key
        for feed, guid in ((FEED, "1"), (FEED, "2"), ("http://x.example/", "1"))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_nobody_named_is_nobody_known() -> None:
    first, second = Reader().read(rss(item("1", author=""), item("2", author="")))
    assert isinstance(first, Said)
    assert isinstance(second, Said)
    assert first.author.key != second.author.key
    assert first.author.name == "Forum"


def test_our_own_name_is_ours() -> None:
    assert Reader(own_names="Aurora Air, Aurora").said(rss(item(author="aurora air"))).author.is_us
    assert not Reader().said(rss(item(author=""))).author.is_us


def test_identity_is_by_id_else_link_else_words() -> None:
    link = "<link>http://forum.example/9</link>"
    by_link = [Reader().said(rss(item("", text=text, more=link))).platform_id for text in ("a", "b")]
    by_words = [Reader().said(rss(item("", text=text))).platform_id for text in ("a", "b")]
    assert by_link[0] == by_link[1]
    assert by_words[0] != by_words[1]


def test_an_absolute_id_holds_for_its_host_and_no_further() -> None:
    tag = "tag:forum.example,2026:1"
    here, same, other = "http://forum.example/a", "http://forum.example/b", "http://evil.example/a"
    assert cutting.key_of(here, tag) == cutting.key_of(same, tag) != cutting.key_of(other, tag)
    assert cutting.key_of(here, "1") != cutting.key_of(same, "1")


def test_a_tombstone_takes_its_item_away_once_and_it_stays_away() -> None:
    grave = '<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="1" when="2026-11-21T11:00:00Z"/>'
    reader = Reader()
    said = reader.said(rss(item()))
    (gone,) = reader.read(rss(grave))
    assert isinstance(gone, Deleted)
    assert gone.platform_id == said.platform_id
    assert reader.read(rss(grave)) == []
    assert reader.read(rss(item(text="again"), grave)) == []


def test_an_item_that_only_left_its_feed_is_not_deleted() -> None:
    reader = Reader()
    reader.read(rss(item("1")))
    assert [type(one) for one in reader.read(rss(item("2")))] == [Said]


def test_the_language_is_the_feeds() -> None:
    document = rss(item()).replace(b"<item>", b"<language>es-MX</language><item>")
    assert Reader().said(document).language == "es"


def test_what_could_not_be_read_is_a_dead_letter_with_its_reason() -> None:
    part = cutting.part_of(cutting.unreadable(FEED, "It is a web page and not a feed."), "f")
    with pytest.raises(ForeignPayload, match=r"forum\.example/feed: It is a web page"):
        NETWORK.normalise(part, channel())


def test_answering_is_refused_for_good() -> None:
    with pytest.raises(ChannelError) as refused:
        NETWORK.send(None, channel(), None).send(None)  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.permanent) == ("no_answer_here", True)


def test_feeds_no_longer_typed_are_forgotten_with_their_comments() -> None:
    root = {"thread": "t", "feed": "http://old.example/"}
    cursor = {"feeds": {FEED: {"etag": "x"}, "http://old.example/": {}, "http://old.example/c": {"root": root}}}
    assert list(load(cursor, channel())) == [FEED]
    assert load({"feeds": 7}, channel())[FEED].is_late is False


def test_a_long_feed_is_remembered_only_so_far() -> None:
    state = FeedState()
    for number in range(3):
        document = msgspec.structs.replace(
            formats.read(rss(), "application/xml", FEED), entries=tuple(Entry(id=f"{number}-{n}") for n in range(300))
        )
        state, _ = cutting.cut(FEED, state, document, channel())
    assert len(state.known) == cutting.MOST_KNOWN
