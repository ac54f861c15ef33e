"""Two files with a sentence a line, each the other's translation."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from zoo import Data, InputError, find_data
from zoo_seq.tokenizing import Normalize, Splitter
from zoo_seq.translation.pairs import Pair, gathered, translation_data

Files = tuple[str, str]


def parallel_text(
    train: Files,
    val: Files | None = None,
    test: Files | None = None,
    folder: str | None = None,
    root: str | None = None,
    splitter: Splitter = "bpe",
    normalize: Normalize = "none",
    min_count: Annotated[int, Ge(1)] = 1,
    max_vocab: Annotated[int, Ge(2)] | None = None,
    joint: bool = True,
    longest: Annotated[int, Ge(2)] | None = None,
    val_size: Annotated[int, Ge(1)] = 1000,
    seed: int = 0,
    source_vocab: dict[str, Any] | None = None,
    target_vocab: dict[str, Any] | None = None,
) -> Data:
    """Parallel text: line n of the second file translates line n of the first. Files may be gzipped, UTF-8 inside.

    Args:
        train, val, test: source and target file; `.gz` may be left out. Without `val`, `val_size` sources of `train`
            are held out, drawn by `seed`, each with all its translations as references.
        folder: the files' folder under `$ZOO_DATA` or in the cache; without, names are paths.
        root: the folder itself, wherever it is.
        splitter: what a token is: `char`, `word`, `bpe` or `wordpiece`.
        normalize: `lower` case or `letters`; the references that scores compare with are normalised alike.
        min_count: rarer tokens become `<unk>`.
        max_vocab: the most tokens; for subwords 8,000 unless stated.
        joint: one vocab for both languages.
        longest: pairs with more tokens on a side are not trained on; they are scored.
        source_vocab, target_vocab: of the weights that are trained on; from their assets.

    Raises:
        zoo.InputError: a file is not there or not text, or the two have different numbers of lines.
    """
    help = f"put {' and '.join(train)} there"
    place = find_data(folder or Path(root or "").name, root, help=help) if folder or root else Path()
    named = {"train": train, "val": val, "test": test}
    pairs = {split: read_pairs(*(place / file for file in files)) for split, files in named.items() if files}
    if "val" not in pairs:
        pairs["train"], pairs["val"] = held_out(pairs["train"], val_size, seed)
    return translation_data(
        pairs, train[0], splitter, normalize, min_count, max_vocab, joint, longest, (source_vocab, target_vocab)
    )


def read_pairs(source: Path, target: Path) -> list[Pair]:
    sides = [_lines(file) for file in (source, target)]
    if len(sides[0]) != len(sides[1]):
        raise InputError(f"{source} has {len(sides[0])} lines and {target} {len(sides[1])}: they do not go together")
    return list(zip(*sides, strict=True))


def held_out(pairs: Sequence[Pair], size: int, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Pairs to train on, and `size` sources that none of them has, each once with all of its translations."""
    sources = sorted({pair[0] for pair in pairs})
    random.Random(seed).shuffle(sources)
    held = set(sources[:size])
    return [pair for pair in pairs if pair[0] not in held], gathered([pair for pair in pairs if pair[0] in held])


def _lines(file: Path) -> list[str]:
    if not file.is_file() and file.with_name(file.name + ".gz").is_file():
        file = file.with_name(file.name + ".gz")
    try:
        content = file.read_bytes()
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8-sig")
    except UnicodeError as error:
        raise InputError(f"{file} is not text in utf-8: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"the text {file} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    text = text.replace("\r\n", "\n")
    return text.split("\n")[: -1 if text.endswith("\n") else None]
