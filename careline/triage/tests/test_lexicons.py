"""Claims about the word rules: each finds its examples and leaves its counter-examples, places are true, time is linear."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.triage.lexicons import measuring
from careline.triage.lexicons.folding import cut_words, fold_word
from careline.triage.lexicons.matching import FOLDER, Found, Lexicon, available_languages, find_risks, make_lexicon
from careline.triage.lexicons.patterns import parse_phrase
from careline.triage.lexicons.rules import RISKS, read_data_file
from careline.triage.protocol import CLOSINGS, HARMS
from careline.triage.seeds.reading import LANGUAGES, read_seeds

RULES = [(language, rule) for language in available_languages() for rule in Lexicon.load(language).rules]
EXAMPLES = [(lang, rule.name, text) for lang, rule in RULES for text in rule.examples]
COUNTER_EXAMPLES = [(lang, rule.name, text) for lang, rule in RULES for text in rule.counter_examples]
LONG = 100_000
# Generous for a loaded machine; at the usual pace 100,000 characters take well under a second.
MOST_CPU_S = 8.0


def risks(text: str, *languages: str) -> set[tuple[str, str]]:
    return {(found.risk, found.value) for found in find_risks(text, languages)}


def rules_found(text: str, language: str) -> set[str]:
    return {found.rule for found in find_risks(text, (language,))}


@pytest.mark.parametrize(("language", "rule", "text"), EXAMPLES)
def test_a_rule_finds_its_example(language: str, rule: str, text: str) -> None:
    assert f"{language}.{rule}" in rules_found(text, language)


@pytest.mark.parametrize(("language", "rule", "text"), COUNTER_EXAMPLES)
def test_a_rule_leaves_its_counter_example(language: str, rule: str, text: str) -> None:
    assert f"{language}.{rule}" not in rules_found(text, language)


@pytest.mark.parametrize(("language", "rule", "text"), EXAMPLES)
def test_a_rule_does_not_mind_shouting_or_missing_accents(language: str, rule: str, text: str) -> None:
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    for written in (text.upper(), bare, unicodedata.normalize("NFD", text), f"  {text}\n"):
        assert f"{language}.{rule}" in rules_found(written, language), written


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_rules_for_every_risk(language: str) -> None:
    assert {rule.risk for rule in Lexicon.load(language).rules} == set(RISKS)


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("called three times, nobody answers, and my two e-mails got no reply", {"phone", "email"}),
        ("Your chat bot is useless and at the branch they told me to go online", {"chat", "branch"}),
        ("DM ignored for a week, the web form gives an error", {"social", "form"}),
        ("llamé tres veces y nadie contesta, escribí dos correos y nada", {"phone", "email"}),
        ("el chatbot no sirve y fui a la sucursal y me dijeron que no", {"chat", "branch"}),
    ],
)
def test_each_channel_that_failed_is_named(text: str, channels: set[str]) -> None:
    assert {value for risk, value in risks(text) if risk == "failed_elsewhere"} == channels


@pytest.mark.parametrize(
    "text",
    [
        "I'm not going to sue you, don't worry",
        "no voy a denunciar a nadie",
        "A friend told me she will sue her landlord",
        "un amigo me contó que demandó al casero con su abogado",
        "fire sale this weekend, everything must go",
        "this song is on fire 🔥",
        "me muero de risa con vuestro anuncio",
        "haciendo de abogado del diablo",
        "la bomba de vacuna que usan los talleres",
        "Sue from your team was lovely",
        "is stranded colouring wool back in stock?",
        "leaving Madrid at 8, is check-in open?",
    ],
)
def test_what_only_looks_dangerous_is_left_alone(text: str) -> None:
    assert not {risk for risk, _ in risks(text)} & {"harm", "legal", "leaving"}


def test_all_languages_are_tried_when_the_language_is_unknown() -> None:
    assert risks("hay un escape de gas") == risks("there is a gas leak") == {("harm", "safety")}
    assert risks("hay un escape de gas", "pt") == {("harm", "safety")}
    assert risks("hay un escape de gas", "en") == set()


@pytest.mark.parametrize("text", ["#NeverAgain @air", "#NuncaMás @aire", "#nuncaMas", "bad bad bad #NEVERAgain"])
def test_the_words_of_a_hashtag_are_read(text: str) -> None:
    (found,) = [each for each in find_risks(text) if each.risk == "leaving"]
    assert unicodedata.normalize("NFC", text[found.spans[0].start :]).casefold().startswith(("never", "nunca"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_list_and_context_of_a_file_is_used(language: str) -> None:
    data = read_data_file((FOLDER / f"{language}.json").read_bytes())
    phrases = [source for rule in data.rules for source in (*rule.patterns, *rule.unless)]
    phrases += [source for context in data.contexts.values() for source in context.patterns]
    written = " ".join(phrases)
    assert [name for name in data.lists if name != "numbers" and f"{{{name}}}" not in written] == []
    assert set(data.contexts) == {name for rule in data.rules for name in rule.yields_to}


def test_denial_does_not_reach_into_the_next_sentence() -> None:
    assert ("legal", "legal") in risks("I'm not going away. My solicitor will write to you", "en")


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "@" * 300, "🔥" * 50, "a\u0301" * 100, "\u200d" * 20])
def test_strange_text_proposes_nothing_and_raises_nothing(text: str) -> None:
    assert find_risks(text) == []


def test_places_are_code_points_of_the_original() -> None:
    text = "😡😡 ¡¡Me dio la DESCÁRGA  eléctrica!! #NuncaMás"
    decomposed = unicodedata.normalize("NFD", text)
    for written in (text, decomposed):
        (found,) = [each for each in find_risks(written, ("es",)) if each.rule == "es.shock"]
        first = found.spans[-1]
        assert unicodedata.normalize("NFC", written[first.start : first.end]) == "DESCÁRGA  eléctrica"
        assert first.what == "shock"


@given(st.text(max_size=300))
def test_words_stand_where_they_say(text: str) -> None:
    words = cut_words(text)
    assert all(0 <= word.start < word.end <= len(text) for word in words)
    assert all(before.end <= after.start for before, after in pairwise(words))
    assert all(word.folded in ("@", fold_word(text[word.start : word.end])) for word in words)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted({word for *_, text in EXAMPLES for word in text.split()})), max_size=60))
def test_places_lie_inside_the_text_in_any_order_of_words(words: list[str]) -> None:
    text = " ".join(words)
    for found in find_risks(text):
        assert isinstance(found, Found)
        assert found.spans
        assert all(0 <= span.start < span.end <= len(text) for span in found.spans)
        assert 0 < found.confidence < 1


@settings(max_examples=6, deadline=None)
@given(st.sampled_from([text for *_, text in EXAMPLES]), st.sampled_from([" ", ". ", "\n", " no ", " never "]))
def test_a_hundred_thousand_characters_take_linear_time(example: str, joint: str) -> None:
    """Repeats what rules look for, whole and broken off, which is the worst a text can do to them."""
    for part in (example, example.rsplit(" ", 1)[0]):
        text = ((part + joint) * (LONG // (len(part) + len(joint)) + 1))[:LONG]
        begun = time.process_time()
        find_risks(text)
        assert time.process_time() - begun < MOST_CPU_S


@pytest.mark.parametrize(
    "text",
    ["a" * LONG, "no " * (LONG // 3), "@" * LONG, "'" * LONG, "a\u0301" * (LONG // 2), "." * LONG, "3 " * (LONG // 2)],
)
def test_monotonous_texts_take_linear_time(text: str) -> None:
    begun = time.process_time()
    find_risks(text)
    assert time.process_time() - begun < MOST_CPU_S


@pytest.mark.parametrize(
    ("phrase", "why"),
    [
        ("", "between 1 and"),
        ("[3] sue", "begins with"),
        ("(my) lawyer", "begins with"),
        ("sue [3]", "may be missing"),
        ("sue (you)", "may be missing"),
        ("sue [99] you", "a gap is"),
        ("$ sue", "begins with"),
        ("sue $ you", r"\$ stands at the end"),
        ("sue {nobody} you", "nobody"),
        ("law.*er", "is not a word"),
        ("a b c d e f g h i j k l m n o p q", "between 1 and"),
    ],
)
def test_a_phrase_that_cannot_be_meant_is_refused(phrase: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_phrase(phrase, {})


@pytest.mark.parametrize(
    ("phrase", "text", "is_found"),
    [
        ("my|our lawyer*", "Our LAWYERS say", True),
        ("my (very own) lawyer", "my lawyer", None),
        ("my (own) lawyer", "my lawyer", True),
        ("my (own) lawyer", "my own lawyer", True),
        ("my (own) lawyer", "my new lawyer", False),
        ("called [2] nobody", "called you twice. nobody", False),
        ("called [2+] nobody", "called you twice. nobody", True),
        ("called [2] nobody", "called you both times nobody", False),
        ("# times", "3 times", True),
        ("# times", "40k times", True),
        ("# times", "tres times", True),
        ("^ thanks $", "thanks", True),
        ("^ thanks $", "no thanks", False),
        ("^ thanks $", "thanks mate", False),
        ("dont_want|wont pay", "I don’t want pay", True),
        ("so good", "sooo goood", False),
        ("no", "nooooo", True),
        ("follow @", "follow @air", True),
        ("air", "@air", False),
    ],
)
def test_the_small_language_means_what_it_says(phrase: str, text: str, is_found: bool | None) -> None:
    if is_found is None:
        with pytest.raises(ValueError, match="is not a word"):
            parse_phrase(phrase, {})
        return
    read = parse_phrase(phrase, {"numbers": ["tres"]})
    words = cut_words(text)
    assert any(read.match_at(words, at) > at for at in range(len(words))) is is_found


def _faulty(**changes: object) -> bytes:
    rule = {
        "name": "fire", "risk": "harm:safety", "confidence": 0.9, "patterns": ["fire"], "examples": ["fire"], "counter_examples": ["water"],
    }  # fmt: skip
    return msgspec.json.encode(
        {"language": "xx", "version": "1", "sources": [], "lists": {}, "contexts": {}, "rules": [rule | changes]}
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"risk": "harm:weather"}, "no risk is called"),
        ({"confidence": 1.0}, "between 0 and 1"),
        ({"examples": []}, "all needed"),
        ({"counter_examples": []}, "all needed"),
        ({"yields_to": ["dreams"]}, "no context is called"),
        ({"regex": ".*"}, "unknown field"),
    ],
)
def test_a_faulty_data_file_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_data_file(_faulty(**changes))


def test_a_sound_data_file_makes_a_lexicon() -> None:
    lexicon = make_lexicon(read_data_file(_faulty()))
    assert [found.rule for found in lexicon.find("Fire!")] == ["xx.fire"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("risk", "recall", "precision"), [("harm", 0.9, 0.85), ("legal", 0.85, 0.85), ("leaving", 0.75, 0.8)]
)
def test_the_held_out_half_of_the_seeds_is_judged_well_enough(
    language: str, risk: str, recall: float, precision: float
) -> None:
    _, held_out = measuring.split_seeds(read_seeds(language))
    score = measuring.score_claim((risk, ""), measuring.judge_seeds(held_out, measuring.judge_by_rules(language)))
    assert score.recall >= recall
    assert score.precision >= precision


def test_the_command_prints_both_halves_for_every_value() -> None:
    printed = CliRunner().invoke(measuring.main).output
    assert "held out" in printed
    assert all(f"{value}" in printed for value in (*HARMS, *CLOSINGS))
