"""The Time Machine, as Dive into Deep Learning uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from zoo import Data, InputError, find_data
from zoo_seq.language.text_file import Sampling, Share, Steps, language_data, read_text
from zoo_seq.tokenizing import Normalize, Splitter

FILE = "timemachine.txt"
URL = "https://d2l-data.s3-accelerate.amazonaws.com/"
SHA1 = "sha1:090b5e7e70c295757f55df93cb0a180b9691891a"


def timemachine(
    root: Path | None = None,
    splitter: Splitter = "char",
    normalize: Normalize = "letters",
    min_count: Annotated[int, Ge(1)] = 1,
    max_vocab: Annotated[int, Ge(2)] | None = None,
    num_steps: Steps = 32,
    sampling: Sampling = "random",
    held_out: Share = 0.1,
    held_out_steps: Steps | None = None,
    vocab: dict[str, Any] | None = None,
) -> Data:
    """H. G. Wells, The Time Machine (1895): 179,000 characters; the last tenth is held out.

    Parameters are those of `text_file`; `letters` are a to z and the space, as in Dive into Deep Learning 9.2.

    Args:
        root: the folder with timemachine.txt; by default `$ZOO_DATA/timemachine` or the cache, else it is fetched.
    """
    folder = find_data("timemachine", root, url=URL, files={FILE: SHA1}, help=f"put {FILE} into $ZOO_DATA/timemachine")
    if not (folder / FILE).is_file():
        raise InputError(f"there is no {FILE} in {folder}")
    return language_data(
        read_text(folder / FILE), "The Time Machine", splitter, normalize, min_count, max_vocab, num_steps, sampling,
        held_out, held_out_steps, vocab,
    )  # fmt: skip
