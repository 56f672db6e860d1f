"""Prints recall and precision of the rules on labelled rows: `python -m careline.triage.lexicons.measuring`.

Every second seed is held out: rules are mended by looking at the first half only, and both halves are reported. The last column
is the recall on messages that were worded to avoid the rules, the hard end of the scale.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import click
from msgspec import Struct

from careline.triage.lexicons.matching import find_risks
from careline.triage.protocol import CLOSINGS, HARMS
from careline.triage.seeds.reading import CHANNELS, LANGUAGES, Seed, read_oblique, read_seeds

# A claim about a message: a risk, and which of its values ('' = any).
Claim = tuple[str, str]
CLAIMS: Final[tuple[Claim, ...]] = (
    ("harm", ""),
    *(("harm", harm) for harm in HARMS),
    ("legal", ""),
    ("leaving", ""),
    ("failed_elsewhere", ""),
    *(("failed_elsewhere", channel) for channel in CHANNELS),
    *(("closing", closing) for closing in CLOSINGS),
)
Judge = Callable[[str], set[Claim]]
# What the labels of a message say, and what was said of it.
Judged = tuple[set[Claim], set[Claim]]


class Score(Struct, frozen=True):
    """How often a claim was right (`hits`), made and wrong (`false_alarms`), missing though true (`misses`)."""

    hits: int
    false_alarms: int
    misses: int

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.hits + self.misses)

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.hits + self.false_alarms)

    def __str__(self) -> str:
        return f"{self.recall:5.2f} {self.precision:5.2f} {self.hits + self.misses:4d}"


def split_seeds(seeds: Sequence[Seed]) -> tuple[list[Seed], list[Seed]]:
    """The half that rules may be mended by, and the half that is held out."""
    return list(seeds[0::2]), list(seeds[1::2])


def claims_of(seed: Seed) -> set[Claim]:
    """What its labels say."""
    values = {(risk, getattr(seed, risk)) for risk in ("harm", "legal", "leaving", "failed_elsewhere", "closing")}
    return {claim for risk, value in values if value for claim in ((risk, value), (risk, ""))}


def judge_by_rules(language: str) -> Judge:
    def judge(text: str) -> set[Claim]:
        found = find_risks(text, (language,) if language else ())
        return {claim for each in found for claim in ((each.risk, each.value), (each.risk, ""))}

    return judge


def judge_seeds(seeds: Iterable[Seed], judge: Judge) -> list[Judged]:
    return [(claims_of(seed), judge(seed.text)) for seed in seeds]


def score_claim(claim: Claim, judged: Iterable[Judged]) -> Score:
    pairs = [(claim in wanted, claim in made) for wanted, made in judged]
    return Score(pairs.count((True, True)), pairs.count((False, True)), pairs.count((True, False)))


def find_errors(seeds: Iterable[Seed], judge: Judge) -> list[str]:
    """A line for each claim missed or made wrongly; for the half that may be looked at."""
    lines = []
    for seed in seeds:
        wanted, made = claims_of(seed), judge(seed.text)
        lines += [f"missed {risk}:{value} | {seed.text}" for risk, value in sorted(wanted - made) if value]
        lines += [f"false {risk}:{value} | {seed.text}" for risk, value in sorted(made - wanted) if value]
    return lines


@click.command()
@click.option("--errors", is_flag=True, help="List the errors of the half that is not held out.")
@click.option("--unknown-language", is_flag=True, help="Try all languages, as for a text whose language is not known.")
def main(errors: bool, unknown_language: bool) -> None:
    for language in LANGUAGES:
        seeds = read_seeds(language)
        seen, held_out = split_seeds(seeds)
        judge = judge_by_rules("" if unknown_language else language)
        if errors:
            click.echo("\n".join(find_errors(seen, judge)))
            continue
        parts = [judge_seeds(part, judge) for part in (seen, held_out, read_oblique(language))]
        click.echo(f"{language:27s} seen: recall precision n   held out: recall precision n   oblique: recall n")
        for risk, value in CLAIMS:
            mended, fresh, oblique = (score_claim((risk, value), part) for part in parts)
            hard = (
                f"{oblique.recall:5.2f} {oblique.hits + oblique.misses:4d}"
                if oblique.hits + oblique.misses
                else "    -"
            )
            click.echo(f"  {risk + ':' + (value or 'any'):25s}      {mended}             {fresh}            {hard}")
        click.echo(f"  {_measure_speed([seed.text for seed in seeds], judge):.0f} messages per CPU-second")


def _measure_speed(texts: Sequence[str], judge: Judge) -> float:
    begun = time.process_time()
    for text in texts:
        judge(text)
    return len(texts) / max(1e-9, time.process_time() - begun)


if __name__ == "__main__":
    main()
