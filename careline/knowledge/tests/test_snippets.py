"""Snippets in the composer: found by shortcut, in the customer's language, filled without running anything."""

from __future__ import annotations

import pytest

from careline.conftest import make_case
from careline.errors import Forbidden, NotFound
from careline.knowledge.actions.snippets import add_snippet
from careline.knowledge.actions.using import count_use
from careline.knowledge.models import Snippet
from careline.knowledge.queries import find_snippets, offer_snippets
from careline.knowledge.rendering import fill, first_name, render, variant_of

pytestmark = pytest.mark.django_db
TEXTS = {"es": "Hola {{person.first_name}}, soy {{ agent.first_name }}.", "en": "Hello {{person.first_name}}."}


@pytest.mark.parametrize(
    ("language", "chosen"), [("es", "es"), ("es-MX", "es"), ("en", "en"), ("fr", "en"), ("", "en")]
)
def test_the_variant_of_the_language_else_english(language, chosen):
    assert variant_of(Snippet(texts=TEXTS), language)[0] == chosen


def test_without_english_whichever_there_is():
    assert variant_of(Snippet(texts={"pt": "Olá", "it": "Ciao"}), "fr") == ("it", "Ciao")
    assert variant_of(Snippet(texts={}), "fr") == ("", "")


def test_variables_are_filled_for_the_case(air, marta_case):
    snippet = add_snippet(air.ben, shortcut="hola", name="Saludo", texts=TEXTS)
    marta_case.language = "es"
    rendered = render(snippet, marta_case, air.ana)
    assert (rendered.text, rendered.language, rendered.missing) == ("Hola Marta, soy Ana.", "es", ())


def test_values_are_never_read_as_variables_and_unknown_ones_stay_and_are_named():
    text, missing = fill("{{a.b}} {{c.d}} {{ x }} {% e %} {{a.b.c}}", {"a.b": "{{c.d}}"})
    assert text == "{{c.d}} {{c.d}} {{ x }} {% e %} {{a.b.c}}"
    assert missing == ("c.d",)


@pytest.mark.parametrize(
    ("name", "first"), [("Marta Ruiz", "Marta"), ("", ""), ("m@x.org", ""), ("user123", ""), ("José María", "José")]
)
def test_nobody_is_greeted_by_a_handle(name, first):
    assert first_name(name) == first


def test_snippets_are_found_by_shortcut_first_then_by_name_most_used_first(air):
    for shortcut, name in (("late", "A delay"), ("delay-bag", "Bag"), ("delay", "Flight")):
        add_snippet(air.ben, shortcut=shortcut, name=name, texts={"en": "x"})
    for _ in range(2):
        count_use(air.ana, Snippet.objects.get(shortcut="delay-bag").id)
    assert [one.shortcut for one in find_snippets(air.workspace.id, "/delay")] == ["delay-bag", "delay", "late"]


def test_snippets_stay_in_their_workspace_and_follow_the_sight_of_cases(air, cleo, marta_case):
    snippet = add_snippet(air.ben, shortcut="hola", name="Saludo", texts=TEXTS)
    assert find_snippets(cleo.workspace_id, "hola") == []
    count_use(cleo, snippet.id)
    assert Snippet.objects.get().used_count == 0
    assert offer_snippets(air.ana, marta_case.number, "hola")[0][1].text.startswith("Hola Marta")
    for stranger in (cleo, air.dora):
        with pytest.raises(NotFound):
            offer_snippets(stranger, marta_case.number, "hola")
    with pytest.raises(Forbidden):
        count_use(air.iris, snippet.id)


def test_a_snippet_speaks_the_language_of_its_case(air):
    add_snippet(air.ben, shortcut="hola", name="Saludo", texts=TEXTS)
    case = make_case(air.channel, air.marta_identity, language="es-ES")
    assert offer_snippets(air.ana, case.number, "hola")[0][1].language == "es"
