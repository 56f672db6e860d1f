"""Every format is read, with the examples of its own specification; what is broken or hostile costs only itself."""

from __future__ import annotations

import time

import pytest

from careline.channels.feed import formats, pages
from careline.channels.feed.wire import Document
from careline.kit.markup import plain_text

WHERE = "http://blog.example/feed.xml"

RSS_091 = """<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"
 "http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><title>WriteTheWeb</title>
<link>http://writetheweb.example</link><description>News</description><language>en-us</language>
<item><title>Giving the world a pluggable Gnutella</title><link>http://writetheweb.example/read.php?item=24</link>
<description>WorldOS is a framework &eacute;</description></item></channel></rss>"""
RSS_10 = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns="http://purl.org/rss/1.0/"><channel rdf:about="http://x.example/xml/news.rss"><title>XML.com</title><link>http://x.example/pub</link>
<description>D</description><items><rdf:Seq><rdf:li resource="http://x.example/1"/></rdf:Seq></items></channel>
<item rdf:about="http://x.example/1"><title>Processing Inclusions</title><link>http://x.example/1</link><description>Words</description>
<dc:creator>Marta</dc:creator><dc:date>2026-11-20T10:00:00Z</dc:date></item></rdf:RDF>"""
RSS_20 = """<?xml version="1.0"?><rss version="2.0" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"
 xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Quejas</title>
<link>http://blog.example</link><description>D</description><language>es-ES</language><ttl>60</ttl>
<skipHours><hour>1</hour><hour>24</hour></skipHours><skipDays><day>Sunday</day></skipDays>
<item><guid isPermaLink="false">12</guid><title>Maleta &amp; perro</title><link>http://blog.example/12</link><author>marta@x.example (Marta)</author>
<pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate><wfw:commentRss>http://blog.example/12/c</wfw:commentRss><slash:comments>4</slash:comments>
<description>short</description><content:encoded><![CDATA[<p>The <b>whole</b> story</p>]]></content:encoded>
<enclosure url="http://blog.example/a%20b.jpg" length="12" type="image/jpeg"/></item></channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0"
 xmlns:x="http://purl.org/atompub/tombstones/1.0" xml:lang="es"><title>Foro</title><author><name>The house</name></author>
<x:deleted-entry ref="tag:x.example,2005:1" when="2005-11-29T12:11:12Z"/>
<entry><id>tag:x.example,2005:2</id><title type="html">Mi &lt;b&gt;maleta&lt;/b&gt;</title><updated>2026-11-20T10:00:00+01:00</updated>
<link href="/2"/><link rel="replies" type="application/atom+xml" href="/2/c" thr:count="3"/>
<thr:in-reply-to ref="tag:x.example,2005:1"/><content type="text">a &lt; b</content></entry></feed>"""
JSON = """{"version":"https://jsonfeed.org/version/1.1","title":"J","language":"es","authors":[{"name":"Marta","url":"https://m.example"}],
"items":[{"id":7,"url":"https://j.example/7","title":"T","content_text":"a < b\\nc","date_published":"2026-11-20T10:00:00+01:00",
"attachments":[{"url":"https://j.example/a.png","mime_type":"image/png"}]},{"title":"no id"}]}"""


def read(text: str | bytes, kind: str = "application/xml") -> Document:
    return formats.read(text.encode() if isinstance(text, str) else text, kind, WHERE)


def test_rss_0_91_is_read_with_its_entities() -> None:
    (entry,) = read(RSS_091).entries
    assert (entry.title, entry.link) == (
        "Giving the world a pluggable Gnutella",
        "http://writetheweb.example/read.php?item=24",
    )
    assert plain_text(entry.html).startswith("WorldOS is a framework")


def test_rss_1_0_is_read_with_dublin_core() -> None:
    (entry,) = read(RSS_10).entries
    assert (entry.id, entry.author, entry.html) == ("http://x.example/1", "Marta", "Words")
    assert entry.updated_s or entry.published_s


def test_rss_2_0_is_read_with_its_modules_and_manners() -> None:
    document = read(RSS_20)
    (entry,) = document.entries
    assert (entry.id, entry.title, entry.author, entry.author_mail) == (
        "12",
        "Maleta & perro",
        "Marta",
        "marta@x.example",
    )
    assert entry.html == "<p>The <b>whole</b> story</p>"
    assert (entry.comments_url, entry.comment_count, entry.language) == ("http://blog.example/12/c", 4, "es-ES")
    assert [(one.url, one.name) for one in entry.files] == [("http://blog.example/a%20b.jpg", "a b.jpg")]
    assert document.manners.ttl_s == 3600
    assert (document.manners.skip_hours, document.manners.skip_days) == ({1, 0}, {"sun"})


def test_atom_is_read_with_threads_and_tombstones_under_any_prefix() -> None:
    document = read(ATOM)
    (entry,) = document.entries
    assert (entry.id, entry.title, entry.link) == ("tag:x.example,2005:2", "Mi maleta", "http://blog.example/2")
    assert (entry.in_reply_to, entry.comments_url, entry.comment_count) == (
        "tag:x.example,2005:1",
        "http://blog.example/2/c",
        3,
    )
    assert (entry.html, entry.author, entry.language) == ("a &lt; b", "The house", "es")
    assert [(one.ref, one.at_s) for one in document.gone] == [("tag:x.example,2005:1", 1133266272.0)]


def test_json_feed_is_read_and_a_broken_item_costs_only_itself() -> None:
    document = read(JSON, "application/feed+json")
    (entry,) = document.entries
    assert (entry.id, entry.html, entry.author, entry.language) == ("7", "a &lt; b<br>c", "Marta", "es")
    assert document.problem == "1 of 2 items could not be read."


@pytest.mark.parametrize("text", ['{"object":"page"}', "{", '{"version":"1","items":[]}'])
def test_other_json_is_no_feed(text: str) -> None:
    assert read(text, "application/json").entries == ()
    assert read(text, "application/json").problem


def test_what_comes_before_a_break_is_read_and_the_reason_said() -> None:
    document = read(RSS_20[: RSS_20.index("<enclosure")])
    assert [one.title for one in document.entries] == ["Maleta & perro"]
    assert "not well-formed" in document.problem


def test_a_wrong_charset_is_put_right() -> None:
    latin = RSS_20.replace("whole", "peque\xf1a").encode("latin-1")
    document = read(latin, "text/xml; charset=utf-8")
    assert "pequeña" in document.entries[0].html
    assert document.problem == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_billion_laughs_are_no_joke(encoding: str) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE r [<!ENTITY l0 "haha">{entities}]>'
    text += '<rss version="2.0"><channel><item><guid>1</guid><title>&l9;</title></item></channel></rss>'
    begun_s = time.monotonic()
    document = formats.read(text.encode(encoding), "application/xml", WHERE)
    assert time.monotonic() - begun_s < 5
    assert all(len(one.title) < 10_000 for one in document.entries)


def test_an_external_entity_is_not_fetched(tmp_path) -> None:  # type: ignore[no-untyped-def]
    secret = tmp_path / "secret"
    secret.write_text("the key of the house")
    text = f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]><rss version="2.0"><channel><item><guid>1</guid><title>a&x;b</title></item></channel></rss>'
    for body in (text.encode(), text.encode("utf-16")):
        assert "key of the house" not in str(formats.read(body, "application/xml", WHERE))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\xff\xfe",
        b"hello",
        b"<rss" * 200_000,
        b"<rss version='2.0'><channel>" + b"<a" * 1_000_000,
        b"<!DOCTYPE " + b"<!ENTITY " * 200_000,
        b"<rss version='2.0'><channel><item><description>&lt;" + b"a" * 1_000_000,
        b"<rss version='2.0'><channel>" + b"<item>" * 50_000,
        b"<html>" + b"<link rel=alternate " * 50_000,
    ],
)
def test_hostile_bytes_take_seconds_at_most(body: bytes) -> None:
    begun_s = time.monotonic()
    document = formats.read(body, "application/xml", WHERE)
    assert time.monotonic() - begun_s < 10
    assert len(document.entries) <= 1000


def test_a_page_names_its_feeds_and_comments_come_last() -> None:
    page = """<!doctype html><html><head><link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">
    <LINK REL='alternate' TYPE='application/atom+xml' HREF='feed.atom'><link rel="stylesheet" href="x.css">
    <link rel=alternate type=application/rss+xml href=javascript:alert(1)></head><body>x</body></html>"""
    document = read(page, "text/html")
    assert document.offers == ("http://blog.example/feed.atom", "http://blog.example/comments/feed/")
    assert document.problem == "It is a web page and not a feed."


def test_words_are_taken_out_of_html() -> None:
    html = (
        "<p>Uno &amp; dos</p><script>alert(1)</script><ul><li>tres<br>cuatro</li></ul><!-- x --><img src=a onerror=b>"
    )
    assert plain_text(html).split() == ["Uno", "&", "dos", "tres", "cuatro"]
    assert plain_text("2 < 3 and 4 > 3") == "2 < 3 and 4 > 3"


def test_only_web_addresses_are_links() -> None:
    assert pages.is_web("https://x.example/a")
    assert not any(
        pages.is_web(url) for url in ("javascript:alert(1)", "file:///etc/passwd", "//x", "", "http://[", "data:x")
    )
