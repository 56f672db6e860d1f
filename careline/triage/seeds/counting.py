"""Prints what the seed files hold, label by label and voice by voice: `python -m careline.triage.seeds.counting`."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import click

from careline.triage.seeds.reading import ALLOWED, LANGUAGES, Seed, read_seeds

# Words that look like danger, law or farewell, and in a counter-example are not. A star stands for any ending.
BAITS: Final = {
    "en": "fire killed killer killing bomb dying die dead murder* sue sued suing lawyer law court courtroom stranded left leave "
    "leaving cancel switching emergency smoke crash crushed shooting gas blind press news papers wheelchair lost flood",
    "es": "fuego arden incendio* humo bomba muero muerte murio mato mata matan abogad* demanda denuncia* juicio civil deje dejo "
    "dejaron varados tirada tire atrapada urgencias emergencia auxilios socorro muletas prensa periodicos radio baja cancelen "
    "cancela voy salgo infarto tiros perderia",
}
# Marks of how a language is spoken or written; a rough count for the review of balance, not a judgement on the speaker.
VOICES: Final = {
    "en": {
        "British": "cheers mate ta nan brill bloody lads mum solicitor car park queue",
        "Indian": "kindly sir respected needful pls yday itself rbi kyc esteemed",
        "African-American": "aint yall y'all finna gon been fr aight smh ngl nah",
        "American": "attorney interstate highway dot labor guys freeway mom",
    },
    "es": {
        "Peninsular": "os vosotros vuestr* tenéis habéis podéis dadme móvil vale majos billete tirados largo chapó dejad",
        "Mexican": "neta manchen mames ocupo colonia alberca celular padrísimo profeco bolsa",
        "Argentine": "che vos valija acá plata micro pibe dale nenes tenés mirá ganá celu debés subime pasame",
        "Colombian": "parce parqueadero chimba tutela superintendencia plata buzo",
        "Chilean": "po weón pega botado sernac cachai bacán",
        "usted": "usted ustedes su sus les confírmeme disculpe agregue",
        "tu or vos": "tú te vos tenés mirá ganá gracias crack",
    },
}
WORD: Final = re.compile(r"[\w']+")


def fold(text: str) -> str:
    """Lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


def has_word(text: str, words: str) -> bool:
    """Whether one of the words (a star: any ending) stands in the text, case and accents aside."""
    there = set(WORD.findall(fold(text)))
    wanted = fold(words).split()
    starts = tuple(word[:-1] for word in wanted if word.endswith("*"))
    return bool(there.intersection(wanted)) or any(starts and word.startswith(starts) for word in there)


def is_counter_example(seed: Seed, language: str) -> bool:
    """Whether it looks dangerous and is not."""
    return not seed.is_risky and has_word(seed.text, BAITS[language])


def _is_shouted(seed: Seed) -> bool:
    return any(len(word) > 3 and word.isupper() for word in WORD.findall(seed.text))


def _has_emoji(seed: Seed) -> bool:
    return any(unicodedata.category(c) == "So" for c in seed.text)


STYLES: Final[dict[str, Callable[[Seed], bool]]] = {
    "one to three words": lambda seed: len(seed.text.split()) <= 3,
    "shouted": _is_shouted,
    "emoji": _has_emoji,
    "@mention": lambda seed: "@" in seed.text,
    "starts in lower case": lambda seed: seed.text[:1].islower(),
}


def count_labels(seeds: Iterable[Seed]) -> dict[str, Counter[str]]:
    """How often each value of each column stands there."""
    rows = list(seeds)
    return {column: Counter(getattr(seed, column) for seed in rows) for column in ALLOWED}


def count_voices(seeds: Iterable[Seed], language: str) -> dict[str, int]:
    """How many rows carry a mark of each voice and style, and how many are counter-examples."""
    rows = list(seeds)
    found = {name: sum(has_word(seed.text, words) for seed in rows) for name, words in VOICES[language].items()}
    found |= {name: sum(map(holds, rows)) for name, holds in STYLES.items()}
    return found | {"counter-examples": sum(is_counter_example(seed, language) for seed in rows)}


@click.command()
def main() -> None:
    for language in LANGUAGES:
        seeds = read_seeds(language)
        click.echo(
            f"{language}: {len(seeds)} rows, {sum(len(seed.text) for seed in seeds) // len(seeds)} characters on average"
        )
        for column, counts in count_labels(seeds).items():
            click.echo(f"  {column}: " + ", ".join(f"{value or '-'} {counts[value]}" for value in ALLOWED[column]))
        click.echo("  voices: " + ", ".join(f"{name} {n}" for name, n in count_voices(seeds, language).items()))


if __name__ == "__main__":
    main()
