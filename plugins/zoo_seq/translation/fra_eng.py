"""English-French pairs of Tatoeba, as Dive into Deep Learning uses them."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from zoo import Data, InputError, find_data
from zoo_seq.tokenizing import Normalize, Splitter
from zoo_seq.translation.pairs import Pair, gathered, translation_data
from zoo_seq.translation.parallel_text import held_out

URL = "https://d2l-data.s3-accelerate.amazonaws.com/fra-eng.zip"
SHA1 = "sha1:94646ad1522d915e7b0f9296181140edcf86a4f5"


def fra_eng(
    root: str | None = None,
    size: Annotated[int, Ge(1)] | None = None,
    val_size: Annotated[int, Ge(1)] = 200,
    splitter: Splitter = "word",
    normalize: Normalize = "lower",
    min_count: Annotated[int, Ge(1)] = 2,
    max_vocab: Annotated[int, Ge(2)] | None = None,
    joint: bool = False,
    longest: Annotated[int, Ge(2)] | None = None,
    seed: int = 0,
    source_vocab: dict[str, Any] | None = None,
    target_vocab: dict[str, Any] | None = None,
) -> Data:
    """Short sentences in English and French (tatoeba.org, CC BY 2.0 FR; Dive into Deep Learning 10.5).

    Args:
        root: the folder with fra.txt; by default `$ZOO_DATA/fra-eng` or the cache, else it is fetched.
        size: train on the file's first pairs, the shortest (the book: 600). Without, on all that are not held out.
        val_size: English sentences that are held out, each with all its translations as references.
        splitter, normalize, min_count, max_vocab, joint, longest, seed: see `parallel_text`; as in the book, tokens are
            lower-case words that occur twice.
        source_vocab, target_vocab: of the weights that are trained on; from their assets.
    """
    folder = find_data("fra-eng", root, url=URL, hash=SHA1, help="put fra.txt into $ZOO_DATA/fra-eng")
    file = next((place / "fra.txt" for place in (folder, folder / "fra-eng") if (place / "fra.txt").is_file()), None)
    if file is None:
        raise InputError(f"there is no fra.txt in {folder}")
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    pairs = [_pair(line, f"{file}, line {number}") for number, line in lines if line.strip()]
    if size is None:
        train, val = held_out(pairs, val_size, seed)
    else:
        train, seen = pairs[:size], {pair[0] for pair in pairs[:size]}
        val = gathered([pair for pair in pairs if pair[0] not in seen])[:val_size]
    return translation_data(
        {"train": train, "val": val},
        "fra-eng", splitter, normalize, min_count, max_vocab, joint, longest, (source_vocab, target_vocab),
    )  # fmt: skip


def _pair(line: str, where: str) -> Pair:
    parts = line.replace("\u202f", " ").replace("\xa0", " ").split("\t")
    if len(parts) < 2:
        raise InputError(f"{where} has no tab between English and French")
    return parts[0], parts[1]
