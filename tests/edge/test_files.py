"""Files in and out: by a good ticket alone, typed by content, never run by a browser, never under a name that lies."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest

from tests.edge.asking import Answer, ask
from tests.edge.conftest import UPLOAD_LIMIT, Door
from tests.edge.seeding import FILES, PNG


def get(door: Door, name: str, ticket: str = "good", *, workspace: str = "air", query: str = "") -> Answer:
    """A file by one of its tickets."""
    return ask(door.port, "GET", f"/files/{quote(door.seeded['files'][workspace][name][ticket])}{query}")


def put(
    door: Door, content: bytes, name: str, *, agent: str = "ana", ticket: str = "upload", workspace: str = "air"
) -> Answer:
    """Put a file in."""
    return ask(
        door.port,
        "POST",
        f"/w/{workspace}/files?ticket={quote(door.seeded['agents'][agent][ticket])}&name={quote(name)}",
        content,
    )


def name_of(answer: Answer) -> str:
    """The name the browser will save it under."""
    return unquote(answer.headers["content-disposition"].partition("filename*=UTF-8''")[2])


def test_a_picture_is_shown_in_place_or_saved_when_asked(door: Door) -> None:
    shown = get(door, "photo.png")
    assert (shown.status, shown.body, shown.headers["content-type"]) == (200, PNG, "image/png")
    assert shown.headers["content-disposition"].startswith("inline;") and name_of(shown) == "photo.png"
    assert get(door, "photo.png", query="?download").headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "notes.txt", "photo\u202egnp.exe"])
def test_nothing_but_a_picture_is_ever_shown_in_place(door: Door, name: str) -> None:
    answer = get(door, name)
    assert (answer.status, answer.body) == (200, FILES[name])
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert not any(word in answer.headers["content-type"] for word in ("html", "svg", "xml", "script"))


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_file_is_fenced_in(door: Door, name: str) -> None:
    headers = get(door, name).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert headers["cache-control"].startswith("private")
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_name_neither_reads_backwards_nor_leaves_its_folder(door: Door) -> None:
    assert name_of(get(door, "photo\u202egnp.exe")) == "photognp.exe"
    assert name_of(get(door, "../../etc/passwd")) == "passwd"


@pytest.mark.parametrize(
    ("ticket", "status", "code"),
    [
        ("stream", 401, "ticket_wrong"),
        ("over", 401, "ticket_over"),
        ("forged", 401, "ticket_wrong"),
        ("without", 400, "ticket_wrong"),
        ("foreign", 404, "file_not_found"),
    ],
)
def test_a_ticket_that_is_not_for_this_file_shows_nothing(door: Door, ticket: str, status: int, code: str) -> None:
    answer = get(door, "photo.png", ticket)
    assert (answer.status, answer.code) == (status, code)
    assert PNG not in answer.body


def test_a_file_of_each_workspace_is_its_own(door: Door) -> None:
    assert get(door, "photo.png", workspace="sea").body == PNG
    assert get(door, "photo.png", "foreign", workspace="sea").status == 404


def test_what_is_put_in_is_typed_by_content_named_safely_and_comes_back(door: Door) -> None:
    answer = put(door, PNG, "..\\in\u202evoice.html")
    assert answer.status == 201
    said = answer.json
    assert (said["name"], said["content_type"], said["size_bytes"]) == ("invoice.html", "image/png", len(PNG))
    assert isinstance(said["file_id"], str) and int(said["file_id"]) > 2**53
    back = ask(door.port, "GET", said["url"])
    assert (back.status, back.body, back.headers["content-type"]) == (200, PNG, "image/png")


def test_an_upload_needs_its_own_ticket_and_goes_into_the_tickets_workspace(door: Door) -> None:
    for ticket in ("stream", "over"):
        assert put(door, b"x", "x", ticket=ticket).status == 401
    assert ask(door.port, "POST", "/w/air/files?name=x", b"x").status == 401
    said = put(door, b"of the sea", "x.txt", agent="cleo", workspace="air").json
    owner = door.look(
        "from careline.files.models import StoredFile\nprint(StoredFile.objects.get(id=int(sys.argv[1])).workspace_id)",
        said["file_id"],
    )
    assert int(owner) == door.seeded["sea"]


def test_an_empty_file_and_one_over_the_limit_are_refused_in_words(door: Door) -> None:
    empty = put(door, b"", "x")
    assert (empty.status, empty.json["error"]["field"]) == (422, "file")
    assert put(door, b"x" * (UPLOAD_LIMIT + 1), "x").status == 413
    assert put(door, b"x" * UPLOAD_LIMIT, "x").status == 201
