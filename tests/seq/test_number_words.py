"""Numbers in English and French words."""

from __future__ import annotations

import pytest

from zoo_seq.translation.number_words import english, french, number_words
from zoo_seq.translation.task import Translation

NUMBERS = {
    0: "zéro", 1: "un", 16: "seize", 17: "dix-sept", 21: "vingt et un", 22: "vingt-deux", 61: "soixante et un",
    70: "soixante-dix", 71: "soixante et onze", 72: "soixante-douze", 80: "quatre-vingts", 81: "quatre-vingt-un",
    91: "quatre-vingt-onze", 99: "quatre-vingt-dix-neuf", 100: "cent", 101: "cent un", 200: "deux cents",
    201: "deux cent un", 280: "deux cent quatre-vingts", 1000: "mille", 1001: "mille un", 2000: "deux mille",
    80_000: "quatre-vingt mille", 200_000: "deux cent mille", 200_200: "deux cent mille deux cents",
    999_999: "neuf cent quatre-vingt-dix-neuf mille neuf cent quatre-vingt-dix-neuf",
}  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_in_french(number: int) -> None:
    """As the traditional spelling has them (Grevisse, Le bon usage, on numerals)."""
    assert french(number) == NUMBERS[number]


def test_numbers_in_english() -> None:
    assert english(91_280) == "ninety-one thousand two hundred eighty"
    assert [english(number) for number in (0, 13, 20, 45, 100, 1000, 999_999)] == [
        "zero", "thirteen", "twenty", "forty-five", "one hundred", "one thousand",
        "nine hundred ninety-nine thousand nine hundred ninety-nine",
    ]  # fmt: skip
    assert len({english(number) for number in range(3000)}) == len({french(number) for number in range(3000)}) == 3000


def test_no_number_is_in_two_splits() -> None:
    """And each is there once; a seed draws others."""
    data, other = (number_words(size=900, val_size=100, below=1000, seed=seed) for seed in (0, 1))
    texts = [text for split in data.splits.values() for (text,) in split.references]
    assert len(texts) == len(set(texts)) == 1000
    assert len(data.splits["val"]) == 100
    assert data.splits["val"].references != other.splits["val"].references
    few = number_words(size=20, val_size=5, below=100)
    assert [len(split) for split in few.splits.values()] == [20, 5] and not few.facts["one_vocab"]
    spoken = {english(number): french(number) for number in range(100)}
    task = Translation(**few.assets)
    for sample in few.splits["train"]:
        assert sample["references"] == [spoken[task.texts(sample, "")["source"]]]
