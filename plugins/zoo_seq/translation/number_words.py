"""Numbers in English and French words: pairs to translate without a download."""

from __future__ import annotations

import random
from typing import Annotated, Any

from annotated_types import Ge, Le

from zoo import Data
from zoo_seq.translation.pairs import Pair, translation_data

# fmt: off
ENGLISH = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
FRENCH = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
    "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
]
FRENCH_TENS = ["vingt", "trente", "quarante", "cinquante", "soixante"]
# fmt: on


def number_words(
    size: Annotated[int, Ge(10)] = 6000,
    val_size: Annotated[int, Ge(1)] = 500,
    below: Annotated[int, Ge(100), Le(1_000_000)] = 1_000_000,
    seed: int = 0,
    source_vocab: dict[str, Any] | None = None,
    target_vocab: dict[str, Any] | None = None,
) -> Data:
    """Numbers in words, English to French: `ninety-one thousand` -> `quatre-vingt-onze mille`.

    A small language with a grammar: from 70 to 99 French counts on from sixty and from four twenties, and `s`, `et` and
    `un` come and go. Tokens are words. No number is in two splits.

    Args:
        size: numbers to train on.
        val_size: numbers held out.
        below: all numbers are less than this.
    """
    numbers = random.Random(seed).sample(range(below), min(below, size + val_size))
    pairs: list[Pair] = [(english(number), french(number)) for number in numbers]
    own = {"train": pairs[:-val_size], "val": pairs[-val_size:]}
    return translation_data(own, "number_words", "word", "none", 1, None, False, None, (source_vocab, target_vocab))


def english(number: int) -> str:
    """Write a number as in British English, without `and`."""
    if number < 20:
        return ENGLISH[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return ENGLISH_TENS[tens - 2] + (f"-{ENGLISH[ones]}" if ones else "")
    name, unit = ("hundred", 100) if number < 1000 else ("thousand", 1000)
    count, rest = divmod(number, unit)
    return f"{english(count)} {name}" + (f" {english(rest)}" if rest else "")


def french(number: int, last: bool = True) -> str:
    """Write a number as in France. `last`: nothing follows, so that `cents` and `quatre-vingts` keep their s."""
    if number < 20:
        return FRENCH[number]
    if number < 100:
        return _french_tens(number, last)
    if number < 1000:
        count, rest = divmod(number, 100)
        hundred = "cent" if count == 1 else f"{FRENCH[count]} cent" + ("s" if last and not rest else "")
        return f"{hundred} {french(rest, last)}" if rest else hundred
    count, rest = divmod(number, 1000)
    thousand = "mille" if count == 1 else f"{french(count, last=False)} mille"
    return f"{thousand} {french(rest, last)}" if rest else thousand


def _french_tens(number: int, last: bool) -> str:
    if number >= 80:
        rest = number - 80
        return f"quatre-vingt-{FRENCH[rest]}" if rest else "quatre-vingt" + ("s" if last else "")
    tens, rest = (60, number - 60) if number >= 60 else (number // 10 * 10, number % 10)
    name = FRENCH_TENS[tens // 10 - 2]
    if not rest:
        return name
    return f"{name} et {FRENCH[rest]}" if rest in (1, 11) else f"{name}-{FRENCH[rest]}"
