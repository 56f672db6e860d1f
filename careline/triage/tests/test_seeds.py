"""Claims about the seed messages: enough of each, no value unknown, nobody real, no dialect that stands for anger."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest
from click.testing import CliRunner

from careline.triage.protocol import CLOSINGS, HARMS, KINDS
from careline.triage.seeds import counting, reading
from careline.triage.seeds.reading import LANGUAGES, Seed, read_oblique, read_seeds

LEAST = {
    "kind": dict.fromkeys(KINDS, 50),
    "harm": dict.fromkeys(HARMS, 20),
    "legal": {"legal": 25},
    "leaving": {"leaving": 25},
    "closing": dict.fromkeys(CLOSINGS, 12),
    "failed_elsewhere": dict.fromkeys(reading.CHANNELS, 5),
    "sentiment": dict.fromkeys(reading.SENTIMENTS, 60),
}
# Names a reader would know; the seeds speak of @air and @bank instead.
REAL_NAMES = (
    "iberia vueling ryanair easyjet lufthansa latam aeromexico avianca delta jetblue emirates santander bbva caixabank hsbc barclays "
    "lloyds movistar vodafone telcel claro verizon tmobile amazon ebay walmart tesco zara falabella mercadolibre seur ups "
    "fedex dhl hilton marriott endesa iberdrola naturgy uber cabify glovo rappi whatsapp instagram facebook twitter tiktok youtube google "
    "apple samsung netflix spotify paypal trustpilot airbnb"
)


def all_rows(language: str) -> list[Seed]:
    return read_seeds(language) + read_oblique(language)


def squeezed(text: str) -> str:
    """Without case, accents, punctuation and repeated blanks; emoji stay."""
    kept = (" " if unicodedata.category(c)[0] in "PZC" else c for c in counting.fold(text))
    return " ".join("".join(kept).split()) or text


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_of_each_label(language: str) -> None:
    seeds = read_seeds(language)
    assert len(seeds) >= 330
    counts = counting.count_labels(seeds)
    short = {(c, v): counts[c][v] for c, values in LEAST.items() for v, least in values.items() if counts[c][v] < least}
    assert not short
    assert sum(bool(seed.failed_elsewhere) for seed in seeds) >= 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_forty_rows_look_dangerous_and_are_not(language: str) -> None:
    assert sum(counting.is_counter_example(seed, language) for seed in read_seeds(language)) >= 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_oblique_row_tells_a_risk(language: str) -> None:
    assert len(read_oblique(language)) >= 30
    assert all(seed.is_risky for seed in read_oblique(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_stands_there_twice(language: str) -> None:
    counts = Counter(squeezed(seed.text) for seed in all_rows(language))
    assert [text for text, n in counts.items() if n > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_addresses_and_numbers_belong_to_nobody(language: str) -> None:
    for seed in all_rows(language):
        assert all(host == "example.com" for host in re.findall(r"\w@([\w.-]+\w)", seed.text)), seed.text
        digits = ["".join(re.findall(r"\d", run)) for run in re.findall(r"\+?\d[\d .-]{6,}\d", seed.text)]
        assert all("555" in run for run in digits), seed.text
        assert "http" not in seed.text, seed.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_real_company_is_named(language: str) -> None:
    assert [seed.text for seed in all_rows(language) if counting.has_word(seed.text, REAL_NAMES)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_agree_with_one_another(language: str) -> None:
    for seed in all_rows(language):
        assert seed.text == seed.text.strip() != ""
        assert seed.needs_answer == "no" if seed.kind == "noise" else True, seed.text
        assert not (seed.kind == "noise" and (seed.is_risky or seed.closing)), seed.text
        assert seed.needs_answer == ("no" if seed.closing in ("thanks", "solved") else seed.needs_answer), seed.text
        assert not (seed.harm and seed.needs_answer == "no"), seed.text
        assert seed.sentiment != "negative" if seed.kind == "compliment" else True, seed.text


@pytest.mark.parametrize(
    ("language", "voice"), [(lang, voice) for lang in LANGUAGES for voice in counting.VOICES[lang]]
)
def test_no_voice_only_complains(language: str, voice: str) -> None:
    kinds = Counter(s.kind for s in read_seeds(language) if counting.has_word(s.text, counting.VOICES[language][voice]))
    assert sum(kinds.values()) >= 10
    assert len(kinds) >= 3
    assert kinds["complaint"] <= 0.8 * sum(kinds.values())


def test_a_value_that_does_not_exist_is_refused_with_its_line(tmp_path, monkeypatch) -> None:
    header = "text,kind,needs_answer,sentiment,harm,legal,leaving,failed_elsewhere,closing\n"
    (tmp_path / "en.csv").write_text(header + "hello,greeting,yes,neutral,,,,,\n")
    monkeypatch.setattr(reading, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"en.csv:2: kind is 'greeting'"):
        read_seeds("en")


def test_the_command_prints_the_counts() -> None:
    printed = CliRunner().invoke(counting.main).output
    assert f"en: {len(read_seeds('en'))} rows" in printed
    assert "voices: Peninsular" in printed
