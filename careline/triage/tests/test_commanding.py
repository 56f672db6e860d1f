"""`careline triage`: tables in, tables and figures out."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from careline.errors import CarelineError, InputRefused, NotFound
from careline.triage.commanding import triage

THINGS = ["bag", "flight", "card", "parcel", "refund", "order"]
ROWS = [
    *((f"My {thing} is lost,\nterrible service", "complaint") for thing in THINGS),
    *((f"Thank you for the {thing}, you are great!", "compliment") for thing in THINGS),
    ("nobody labelled this", ""),
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings) -> None:
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return _write(tmp_path / "table.csv", ROWS)


def _write(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "kind"])
        writer.writerows(rows)
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(triage, [str(word) for word in words], catch_exceptions=False, standalone_mode=False)


def test_a_verdict_is_fitted_used_and_judged(table: Path, tmp_path: Path) -> None:
    told = run("fit", "--name", "mood", "--train", table, "--label", "kind").output
    assert "12 rows, 2 labels" in told
    out = tmp_path / "out.csv"
    run("predict", "--verdict", "mood", "--in", table, "--out", out)
    with out.open(newline="") as file:
        said = list(csv.DictReader(file))
    assert [row["pred"] for row in said[:12]] == ["complaint"] * 6 + ["compliment"] * 6
    assert len(said) == len(ROWS) and list(said[0]) == ["pred"]
    figures = run("evaluate", "--verdict", "mood", "--file", table, "--label", "kind").output
    assert "rows       12" in figures and "accuracy   1.0000" in figures and "messages/s" in figures


def test_few_rows_are_drawn_for_each_label(table: Path) -> None:
    told = run(
        "fit", "--name", "few", "--train", table, "--label", "kind", "--shots", 3, "--seed", 43, "--light"
    ).output
    assert "6 rows" in told and "light, seed 43" in told


def test_what_is_unsure_becomes_unknown_when_asked(table: Path, tmp_path: Path) -> None:
    run("fit", "--name", "mood", "--train", table, "--label", "kind", "--light")
    strange = _write(tmp_path / "strange.csv", [("what is the airspeed of a swallow", "oos"), *ROWS])
    out = tmp_path / "out.csv"
    run("predict", "--verdict", "mood", "--in", strange, "--out", out, "--unknown", "0.1")
    assert out.read_text().splitlines()[1] == "unknown"
    told = run("evaluate", "--verdict", "mood", "--file", strange, "--label", "kind", "--outside", "oos").output
    assert "AUROC of rejection 1.0000" in told and "rows       12" in told


def test_the_language_is_a_verdict_like_any_other(tmp_path: Path) -> None:
    table = _write(tmp_path / "t.csv", [("Where is my bag?", "en"), ("¿Dónde está mi maleta?", "es")])
    told = run("evaluate", "--verdict", "language", "--file", table, "--label", "kind", "--languages", "en,es").output
    assert "accuracy   1.0000" in told


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("fit", "--name", "../x", "--train", "TABLE", "--label", "kind"), InputRefused),
        (("fit", "--name", "x", "--train", "TABLE", "--label", "topic"), InputRefused),
        (("predict", "--verdict", "nothing", "--in", "TABLE", "--out", "OUT"), NotFound),
    ],
)
def test_what_cannot_be_done_says_so(
    words: tuple[str, ...], error: type[CarelineError], table: Path, tmp_path: Path
) -> None:
    places = {"TABLE": table, "OUT": tmp_path / "out.csv"}
    with pytest.raises(error):
        run(*(places.get(word, word) for word in words))
