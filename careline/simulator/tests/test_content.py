"""The customers are believable: plentiful, in both languages, and never cut off by the network's limit."""

from __future__ import annotations

import pytest

from careline.kit import counting
from careline.simulator.content import Language, Speech, cast, language_of, persona, topics
from careline.simulator.platform import PUBLIC_GRAPHEMES
from careline.simulator.scripts import scripts, strike_words

LANGUAGES: list[Language] = ["es", "en"]


def test_there_are_many_things_to_say() -> None:
    said = {
        words for language in LANGUAGES for topic in topics(language) for words in (*topic.opens, *topic.follow_ups)
    }
    assert len(said) >= 250


def test_both_languages_have_the_same_topics() -> None:
    spanish, english = ([topic.slug for topic in topics(language)] for language in LANGUAGES)
    assert spanish == english
    assert len(set(spanish)) >= 15


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_opening_fits_into_a_post_with_its_handle(language: Language) -> None:
    speech = Speech(1)
    for topic in topics(language):
        for words in (*topic.opens, *topic.follow_ups, *topic.answers):
            said = "@aurora_help " + speech.fill(words, name="Maximiliano", agent="Hanna")
            assert counting.measure(said, "graphemes") <= PUBLIC_GRAPHEMES
            assert "{" not in said


def test_no_two_of_a_thousand_customers_share_a_name_or_handle() -> None:
    people = [persona(number)[0] for number in range(1500)]
    assert len({one.id for one in people}) == 1500
    assert len({one.name for one in people}) == 1500


def test_half_of_them_speak_spanish_and_are_known_to() -> None:
    spoken = [persona(number) for number in range(400)]
    assert 150 < sum(language == "es" for _, language in spoken) < 250
    assert all(language_of(person.name) == language for person, language in spoken)


def test_small_talk_exists_in_both_languages() -> None:
    for words in (cast().thanks, cast().unhappy, cast().bystanders, cast().own_posts, cast().comments):
        assert all(len(words[language]) >= 3 for language in LANGUAGES)


def test_the_stories_can_be_told_on_the_network() -> None:
    for script in scripts().values():
        lines = [*script.opening, *(line for step in (*script.on_public, *script.on_private) for line in step)]
        assert lines
        assert all(
            counting.measure(line.text, "graphemes") <= PUBLIC_GRAPHEMES for line in lines if line.place == "public"
        )


def test_the_strike_has_hundreds_of_ways_to_be_told() -> None:
    speech = Speech(2)
    assert len({strike_words(speech, language) for language in LANGUAGES for _ in range(300)}) > 200
