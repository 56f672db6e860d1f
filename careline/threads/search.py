"""Words of messages and of case cards, found newest first: FTS5 on SQLite, tsvector on PostgreSQL. One table,
`message_search`, no model.

A row's id is a message's or, for the card of a case (name, handles, number, tags, fields), the case's own; ids are
unique everywhere and rise with time, so newest first is id descending. Accents and case are folded here, the same way
for both databases.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import regex
from django.db import connection

from careline.kit.bulk import rows_as_json

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
# Marks of a combining class other than 0; those of class 0 are vowels of Indic scripts, and part of the word.
_ACCENTS = regex.compile(r"(?V1)[\p{M}--\p{ccc=0}]+")
_QUOTED_OR_WORDS = regex.compile(r'"([^"]*)"|([^"]+)')
MOST_WORDS: Final = 12
MOST_INDEXED_WORDS: Final = 20_000
SearchRow = tuple[int, int, int, datetime, str]
"""(message id, workspace id, case id, when, words)"""
_PER_STATEMENT: Final = 500


def words_of(text: str) -> list[str]:
    """The searchable words of a text: letters and digits, lower case, without accents."""
    folded = text.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", folded)))
    return [word[:80] for word in _WORD.findall(folded)[:MOST_INDEXED_WORDS]]


def index_messages(rows: Sequence[SearchRow]) -> None:
    """Index new messages in the caller's unit of work. One statement per 500 rows. Ids must be new: use `reindex` to
    replace.
    """
    for start in range(0, len(rows), _PER_STATEMENT):
        chunk = rows[start : start + _PER_STATEMENT]
        values = [
            (message_id, workspace_id, case_id, _words(text)) for message_id, workspace_id, case_id, at, text in chunk
        ]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(_INSERT_JSON, [rows_as_json(_COLUMNS, values)])
                continue
            marks = ",".join(["(%s, %s, %s, %s)"] * len(values))
            statement = f"INSERT INTO message_search (rowid, workspace_id, case_id, words) VALUES {marks}"  # noqa: S608 - fixed names
            cursor.execute(statement, [value for row in values for value in row])


def _words(text: str) -> str:
    return " ".join(words_of(text))


_COLUMNS: Final = ("id", "workspace_id", "case_id", "words")
_INSERT_JSON: Final = (
    "INSERT INTO message_search (id, workspace_id, case_id, words)"
    " SELECT id, workspace_id, case_id, to_tsvector('simple', words)"
    " FROM json_to_recordset(%s) AS said(id bigint, workspace_id bigint, case_id bigint, words text)"
)
_ID: Final = {"sqlite": "rowid", "postgresql": "id"}


def unindex_messages(ids: Iterable[int]) -> None:
    """Take words out for good, in the caller's unit of work: on SQLite the index has secure-delete on, or is rewritten
    without them.
    """
    wanted = list(ids)
    for start in range(0, len(wanted), _PER_STATEMENT):
        chunk = wanted[start : start + _PER_STATEMENT]
        marks = ",".join(["%s"] * len(chunk))
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM message_search WHERE {_ID[connection.vendor]} IN ({marks})", chunk)  # noqa: S608
    if wanted and connection.vendor == "sqlite" and not has_secure_delete():
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO message_search(message_search) VALUES ('optimize')")


def has_secure_delete() -> bool:
    """FTS5 can overwrite deleted words in place since SQLite 3.42.0 (sqlite.org/fts5.html, section 6.10, read
    2026-11-21).
    """
    import sqlite3

    # careline.kit.sqlite puts the current SQLite in this module's place, where there is one.
    return sqlite3.sqlite_version_info >= (3, 42, 0)


def reindex(rows: Sequence[SearchRow]) -> None:
    """Replace what was indexed under these ids."""
    unindex_messages([row[0] for row in rows])
    index_messages(rows)


def move_to_case(ids: Sequence[int], case_id: int) -> None:
    """Indexed messages now belong to another case. One statement per 500."""
    for start in range(0, len(ids), _PER_STATEMENT):
        chunk = list(ids[start : start + _PER_STATEMENT])
        marks = ",".join(["%s"] * len(chunk))
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE message_search SET case_id = %s WHERE {_ID[connection.vendor]} IN ({marks})",  # noqa: S608
                [case_id, *chunk],
            )


def match_condition(query: str, *, before: int = 0) -> tuple[list[str], list[str | int]] | None:
    """WHERE parts and their parameters on table `message_search` for what a person typed; None when it holds no word.

    All words must occur, the last one as a beginning; "quoted words" stand together. Nothing typed is ever syntax.
    """
    terms = _terms(query)
    if not terms:
        return None
    if connection.vendor == "postgresql":
        parts, values = ["message_search.words @@ to_tsquery('simple', %s)"], [_as_tsquery(terms)]
    else:
        parts, values = ["message_search MATCH %s"], [_as_fts5(terms)]
    key = f"message_search.{_ID[connection.vendor]}"
    more: list[str | int] = [*values]
    if before:
        parts.append(f"{key} < %s")
        more.append(before)
    return parts, more


def id_column() -> str:
    """The qualified column that orders matches, newest highest."""
    return f"message_search.{_ID[connection.vendor]}"


def find_case_ids(workspace_id: int, query: str, limit: int, before: int = 0) -> list[tuple[int, int]]:
    """(case id, id of its newest match) for a workspace, newest first, each case once a call. One statement. No
    permission: see cases.queries.searching.
    """
    condition = match_condition(query, before=before)
    if condition is None:
        return []
    parts, values = condition
    sql = (
        f"SELECT case_id, {id_column()} FROM message_search WHERE {' AND '.join(parts)} AND workspace_id = %s"  # noqa: S608 - fixed parts
        f" ORDER BY {id_column()} DESC LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, workspace_id, limit * 4])
        newest: dict[int, int] = {}
        for case_id, hit in cursor.fetchall():
            newest.setdefault(int(case_id), int(hit))
    return list(newest.items())[:limit]


def _terms(query: str) -> list[tuple[list[str], bool]]:
    """Phrases as (words, is the last one a beginning)."""
    terms: list[tuple[list[str], bool]] = []
    for quoted, plain in _QUOTED_OR_WORDS.findall(query[:400]):
        if quoted and words_of(quoted):
            terms.append((words_of(quoted), False))
        terms.extend(([word], False) for word in words_of(plain))
    terms = terms[:MOST_WORDS]
    if terms and len(terms[-1][0]) == 1 and not query.rstrip().endswith('"'):
        terms[-1] = (terms[-1][0], True)
    return terms


def _as_fts5(terms: list[tuple[list[str], bool]]) -> str:
    return " AND ".join(f'words : "{" ".join(words)}"{"*" if is_beginning else ""}' for words, is_beginning in terms)


def _as_tsquery(terms: list[tuple[list[str], bool]]) -> str:
    return " & ".join(
        "(" + " <-> ".join(f"'{word}'" for word in words) + ")"
        if len(words) > 1
        else f"'{words[0]}'{':*' if start else ''}"
        for words, start in terms
    )
