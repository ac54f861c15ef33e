"""Any text, as the data of a language model."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt

from zoo import Data, InputError
from zoo_seq.language.windows import IGNORED, random_windows, scored_windows, sequential_windows
from zoo_seq.tokenizing import Normalize, Splitter, Tokenizer

Sampling = Literal["random", "sequential"]
Steps = Annotated[int, Ge(2)]
Share = Annotated[float, Gt(0), Lt(1)]


def text_file(
    path: Path | None = None,
    splitter: Splitter = "char",
    normalize: Normalize = "none",
    min_count: Annotated[int, Ge(1)] = 1,
    max_vocab: Annotated[int, Ge(2)] | None = None,
    num_steps: Steps = 32,
    sampling: Sampling = "random",
    held_out: Share = 0.1,
    held_out_steps: Steps | None = None,
    encoding: str = "utf-8",
    vocab: dict[str, Any] | None = None,
) -> Data:
    """A text; its last part is held out. Each sample has `input` and `label`, int64 (num_steps,).

    Args:
        path: the file; without, the help texts that come with Python (`pydoc_data.topics`), about 460,000 characters.
        splitter: what a token is: `char`, `word`, `bpe` or `wordpiece`.
        normalize: `lower` case; `letters`, where what is not a to z becomes one space (Dive into Deep Learning 9.2).
        min_count: rarer tokens become `<unk>`.
        max_vocab: the most tokens; for subwords 8,000 unless stated.
        num_steps: tokens of a training window.
        sampling: `random` windows, or `sequential` ones, through which a recurrent network's state is carried.
        held_out: the share of the text, at its end, that is never trained on.
        held_out_steps: tokens of a held-out window, by default `num_steps`. Its first half is only read, so that the
            second is scored in context.
        encoding: of the file.
        vocab: of the weights that are trained on; from their assets. Their splitter and normalize are used, too.

    Raises:
        zoo.InputError: there is no such file, it is not text in that encoding, or it is too short.
    """
    text = _python_help() if path is None else read_text(Path(path), encoding)
    name = "Python's help texts" if path is None else str(path)
    return language_data(
        text, name, splitter, normalize, min_count, max_vocab, num_steps, sampling, held_out,
        held_out_steps, vocab,
    )  # fmt: skip


def language_data(
    text: str, name: str, splitter: Splitter, normalize: Normalize, min_count: int, max_vocab: int | None,
    num_steps: int, sampling: Sampling, held_out: float, held_out_steps: int | None, vocab: dict[str, Any] | None,
) -> Data:  # fmt: skip
    """Splits of a text. The vocab is that of the weights, or counted in the part that is trained on."""
    cut = round(len(text) * (1 - held_out))
    parts = {"train": text[:cut], "val": text[cut:]}
    if not parts["train"].strip():
        raise InputError(f"{name} holds no text to train on")
    tokenizer = (
        Tokenizer.from_asset(vocab)
        if vocab
        else Tokenizer.train(parts["train"], splitter, normalize, min_count=min_count, max_size=max_vocab)
    )
    tokens = {split: tokenizer.encode(part) for split, part in parts.items()}
    window = held_out_steps or num_steps
    for split, least in (("train", num_steps + 1), ("val", 2)):
        if len(tokens[split]) < least:
            raise InputError(
                f"{name} is too short: its `{split}` part has {len(tokens[split])} tokens and needs {least}",
                "a smaller num_steps, or a larger held_out, may do",
            )
        if share := tokenizer.unknown_share(tokens[split]):
            print(f"{name}: {share:.2%} of the tokens of `{split}` are not in the vocab", file=sys.stderr)
    train = (sequential_windows if sampling == "sequential" else random_windows)(tokens["train"], num_steps)
    return Data(
        splits={"train": train, "val": scored_windows(tokens["val"], window)},
        facts={
            "vocab_size": len(tokenizer.vocab),
            "num_classes": len(tokenizer.vocab),
            "max_length": max(num_steps, window),
            "ignore_index": IGNORED,
        },
        assets={"vocab": tokenizer.to_asset()},
    )


def read_text(file: Path, encoding: str = "utf-8") -> str:
    """A text file's content.

    Raises:
        InputError: there is no such file, or it is in another encoding.
    """
    try:
        return file.read_text(encoding="utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        raise InputError(
            f"{file} is not text in {encoding}: byte {start} does not fit", 'encoding = "latin-1", say'
        ) from error
    except LookupError as error:
        raise InputError(f"`{encoding}` is no encoding that Python knows") from error
    except OSError as error:
        raise InputError(f"the text {file} cannot be read: {error.strerror}") from error


def _python_help() -> str:
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))
