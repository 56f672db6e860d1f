"""`careline triage fit | predict | evaluate`: any verdict on any table of labelled texts, without a database or a running server."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from careline.errors import InputRefused
from careline.triage.protocol import UNKNOWN

if TYPE_CHECKING:
    from careline.triage.heads import Card, Head, Reading, Row
    from careline.triage.heads.scoring import Figures

# What judges: texts to (label, how familiar it is); the latter counts for heads only.
_Judge = Callable[[Sequence[str]], list[tuple[str, float]]]
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MOST_SHOWN: Final = 20
_ENGLISH_SHARE: Final = 0.6
_ASKED_FOR_LANGUAGE: Final = 400
_FIELD_LIMIT_BYTES: Final = 10 * 1024 * 1024
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("triage")
def triage() -> None:
    """Fit, use and judge the verdicts of triage on tables of texts."""


@triage.command()
@click.option("--name", required=True, help="What the verdict is called from now on.")
@click.option("--train", "source", required=True, type=_FILE, help="A CSV file with a column `text`.")
@click.option(
    "--label", "column", required=True, help="The column that holds the labels; rows without one are passed over."
)
@click.option("--shots", type=click.IntRange(min=1), help="Draw at most so many rows of each label.")
@click.option("--seed", default=42, show_default=True, help="For drawing and for holding rows out.")
@click.option("--light", is_flag=True, help="As the live engine fits: without MiniLM, in about a second.")
def fit(name: str, source: Path, column: str, shots: int | None, seed: int, light: bool) -> None:
    """Learn a verdict from labelled texts and keep it in the data folder."""
    from careline.triage.heads import Head
    from careline.triage.heads.rows import draw_shots, labelled
    from careline.triage.heads.shipped import known_heads
    from careline.triage.heads.storing import write_head

    path = _path(name)
    rows = labelled(_read_rows(source, column))
    if shots:
        rows = draw_shots(rows, shots=shots, seed=seed)
    head = Head.fit(rows, reading="light" if light else choose_reading(rows), seed=seed, known=known_heads())
    write_head(head, path)
    click.echo(f"{name}: {_told(head.card)}\n{path}")


@triage.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Holds goemotions, banking77 and clinc150.",
)
def ship(data: Path) -> None:
    """For developers: fit the heads that come with Careline again, from its seeds and permissive data."""
    from careline.triage.heads.shipped import FOLDER
    from careline.triage.shipping import ship_heads

    for line in ship_heads(data, FOLDER):
        click.echo(line)


@triage.command()
@click.option("--verdict", required=True, help="`language`, a fitted name or a shipped verdict.")
@click.option("--in", "source", required=True, type=_FILE, help="A CSV file with a column `text`; no other is read.")
@click.option(
    "--out", "target", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Gets a column `pred`."
)
@click.option("--languages", default="", help="For `language`: the codes that come into question, as en,es.")
@click.option(
    "--unknown",
    type=click.FloatRange(0, 0.5),
    help="Say `unknown` when unsure, giving up this share of what the head knows.",
)
def predict(verdict: str, source: Path, target: Path, languages: str, unknown: float | None) -> None:
    """Judge every text of a table: one row out for each row in, in the same order."""
    judge = _judge(verdict, languages, unknown)
    texts = [row.text for row in _read_rows(source)]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["pred"])
        writer.writerows([label] for label, _ in judge(texts))


@triage.command()
@click.option("--verdict", required=True, help="`language`, a fitted name or a shipped verdict.")
@click.option("--file", "source", required=True, type=_FILE, help="A CSV file with a column `text`.")
@click.option(
    "--label", "column", required=True, help="The column that holds the true labels; rows without one are passed over."
)
@click.option(
    "--outside",
    default="",
    help="The label of texts that belong to no label, as oos: left out of the figures, and told apart by how familiar they are.",
)
@click.option("--languages", default="", help="For `language`: the codes that come into question, as en,es.")
def evaluate(verdict: str, source: Path, column: str, outside: str, languages: str) -> None:
    """Say how good a verdict is on labelled texts: accuracy, F1, confusion, speed."""
    from careline.triage.heads.rows import labelled
    from careline.triage.heads.scoring import auroc, measure

    judge = _judge(verdict, languages, None)
    rows = labelled(_read_rows(source, column))
    judge([row.text for row in rows[:1]])
    started = time.perf_counter()
    said = judge([row.text for row in rows])
    took_s = max(time.perf_counter() - started, 1e-9)
    inside = [(row.label, *found) for row, found in zip(rows, said, strict=True) if row.label != outside]
    figures = measure([true for true, _, _ in inside], [label for _, label, _ in inside])
    for line in _figure_lines(figures):
        click.echo(line)
    if len(inside) < len(rows):
        import numpy as np

        strange = [sure for row, (_, sure) in zip(rows, said, strict=True) if row.label == outside]
        value = auroc(np.array([sure for _, _, sure in inside]), np.array(strange))
        click.echo(f"outside    {len(strange)} rows labelled {outside}, AUROC of rejection {value:.4f}")
    click.echo(f"speed      {len(rows) / took_s:.0f} messages/s")


def _read_rows(source: Path, column: str | None = None) -> list[Row]:
    """The texts of a table, with the labels of a column. Raises InputRefused for a column that is not there."""
    from careline.triage.heads import Row

    csv.field_size_limit(_FIELD_LIMIT_BYTES)
    with source.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for needed in filter(None, ("text", column)):
            if needed not in (reader.fieldnames or ()):
                raise InputRefused(
                    "column_missing", f"{source.name} has no column {needed}. Name one of its columns.", field=needed
                )
        return [Row(row["text"] or "", (row[column] or "").strip() if column else "") for row in reader]


def _path(name: str) -> Path:
    from django.conf import settings

    if not _NAME.fullmatch(name):
        raise InputRefused("name_wrong", "Name it with small letters, digits, - and _ only, at most 64.", field="name")
    folder: Path = settings.DATA_DIR
    return folder / "triage" / f"{name}.head"


def _judge(verdict: str, languages: str, unknown: float | None) -> _Judge:
    """What judges by that name: the language detector, else the fitted head, else the shipped one."""
    if verdict == "language":
        from careline.triage.language import guess_language

        among = tuple(code.strip() for code in languages.split(",") if code.strip())
        return lambda texts: [(guess_language(text, among), 1.0) for text in texts]
    head = _find_head(verdict)

    def judge(texts: Sequence[str]) -> list[tuple[str, float]]:
        found = head.judge(texts)
        strange = [unknown is not None and head.is_unknown(guess, unknown) for guess in found]
        return [(UNKNOWN if no else guess.label, guess.familiar) for guess, no in zip(found, strange, strict=True)]

    return judge


def _find_head(name: str) -> Head:
    from careline.triage.heads.shipped import shipped_heads
    from careline.triage.heads.storing import read_head

    path = _path(name)
    shipped = shipped_heads()
    return shipped[name] if name in shipped and not path.is_file() else read_head(path)


def choose_reading(rows: Sequence[Row]) -> Reading:
    """By the language of a sample spread over the table: MiniLM reads English only."""
    from careline.triage.language import guess_language

    sample = rows[:: max(len(rows) // _ASKED_FOR_LANGUAGE, 1)]
    english = sum(guess_language(row.text) == "en" for row in sample)
    return "english" if english >= _ENGLISH_SHARE * len(sample) else "multilingual"


def _told(card: Card) -> str:
    return (
        f"{card.rows} rows, {len(card.labels)} labels, held out in {card.folds} folds: "
        f"accuracy {card.accuracy:.4f}, macro-F1 {card.macro_f1:.4f} ({card.reading}, seed {card.seed})"
    )


def _figure_lines(figures: Figures) -> list[str]:
    lines = [
        f"rows       {figures.rows}",
        f"accuracy   {figures.accuracy:.4f}",
        f"macro-F1   {figures.macro_f1:.4f}",
        "",
    ]
    width = max((len(one.label) for one in figures.labels), default=5)
    lines.append(f"{'label':{width}}  rows  precision  recall     F1")
    lines += [
        f"{one.label:{width}}  {one.rows:4}  {one.precision:9.4f}  {one.recall:6.4f}  {one.f1:.4f}"
        for one in figures.labels
    ]
    names = [one.label for one in figures.labels]
    if len(names) <= _MOST_SHOWN:
        lines += ["", "confusion (rows true, columns said): " + " ".join(names)]
        lines += [
            f"{name:{width}}  " + " ".join(f"{count:5}" for count in row)
            for name, row in zip(names, figures.confusion, strict=True)
        ]
        return [*lines, ""]
    pairs = (
        (count, names[i], names[j]) for i, row in enumerate(figures.confusion) for j, count in enumerate(row) if i != j
    )
    lines += ["", "most often taken for another:"]
    return [
        *lines,
        *(f"{count:5}  {true} -> {said}" for count, true, said in sorted(pairs, reverse=True)[:_MOST_SHOWN]),
        "",
    ]
