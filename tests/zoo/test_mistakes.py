"""Mistakes in recipes: each is one error with the right code, line, column and suggestion."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command
from tests.zoo.conftest import Write
from tests.zoo.recipe_mistakes import CARET, MISTAKES, PARTS, TRAIN, Mistake
from zoo.errors import InputError
from zoo.jobs.opening import open_recipe
from zoo.recipes.locate import Problem, RecipeError
from zoo.registry.catalog import Catalog


def whole(text: str) -> str:
    """A recipe with the parts that a text does not write, rightly or wrongly, itself."""
    if text.startswith((CARET + "task", CARET + "model =")):
        return text  # a part is what it lacks
    misspelt = {"optimizer": "|optimiser", "model": "|modle", "dataset": "|data_set"}
    written = text.partition("[quick")[0]
    missing = [
        f'{key} = "{name}"\n'
        for key, name in PARTS.items()
        if not re.search(rf"^\[?{CARET}?({key}{misspelt.get(key, '')})\b", written, re.MULTILINE)
    ]
    return "".join(missing) + text


def problems_of(
    recipe: Path | str, overrides: Mapping[str, Any] | Iterable[str] = (), quick: bool = False
) -> list[Problem]:
    """All problems of a recipe, as `zoo run` finds them."""
    try:
        open_recipe(str(recipe), overrides, quick, Catalog())
    except RecipeError as error:
        return error.problems
    return []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: re.sub(r"\W+", "-", mistake.text)[-60:])
@pytest.mark.usefixtures("fake_parts")
def test_one_mistake_is_one_error(mistake: Mistake, write: Write) -> None:
    """The caret in the text is the expectation: where a person would point, counted in characters."""
    text = whole(mistake.text)
    write("base.toml", "")
    recipe = write("recipe.toml", text.replace(CARET, ""))
    before = text[: text.index(CARET)]
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))

    problems = problems_of(recipe, quick="[quick" in text)

    assert len(problems) == 1, problems
    problem = problems[0]
    assert (problem.code, problem.line, problem.column) == (mistake.code, *place), problem
    assert problem.suggestion == mistake.suggestion
    assert mistake.message in problem.message
    assert problem.file == "recipe.toml"


# Where the caret belongs, as numbers: line, column, and the part of the shown line that is underlined.
PLACES = {
    "before it on the line": ('model = { title = "Größe 猫 🐈", name = "parts", widht = 1 }\n', 3, 48, "widht"),
    "combining marks": ('model = { title = "e\u0301e\u0301", name = "parts", widht = 1 }\n', 3, 43, "widht"),
    "a key of other letters": ('[model]\nname = "parts"\n"größe" = 1\n', 5, 1, '"größe"'),
    "a value of other letters": ('[model]\nname = "猫"\n', 4, 8, '"猫"'),
    "CRLF": ('[model]\r\nname = "parts"\r\nwidth = "é"\r\n', 5, 9, '"é"'),
    "tabs": ('[model]\n\tname = "parts"\n\twidht\t=\t1\n', 5, 2, "widht"),
    "a line separator within a string": (
        'summary = "a\u2028b\u0085c"\n[model]\nname = "parts"\nwidht = 1\n',
        6,
        1,
        "widht",
    ),
    "an escaped key": ('[model]\nname = "parts"\n"wi\\u0064ht" = 1\n', 5, 1, '"wi\\u0064ht"'),
    "a string of many lines": ('summary = """a\nb\n"""\nmodel = "猫"\n', 6, 9, '"猫"'),
    "a long line": (f'model = {{ title = "{"x" * 500}", name = "parts", widht = 1 }}\n', 3, 539, "widht"),
}


@pytest.mark.parametrize("text, line, column, marked", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
@pytest.mark.usefixtures("fake_parts")
def test_places_count_characters(text: str, line: int, column: int, marked: str, bom: bytes, write: Write) -> None:
    """Two lines stand before each text. The carets must lie under the marked part of the line as it is shown."""
    lines = 'task = "curve"\ndataset = "sine_curve"\n'
    write("recipe.toml", bom + (lines + text + 'optimizer = "adam"\n' * ("[" not in text)).encode())

    problems = [
        one for one in problems_of("recipe.toml") if one.code in ("unknown-key", "wrong-type", "unknown-component")
    ]

    assert [(one.line, one.column) for one in problems] == [(line, column)]
    shown, carets = str(problems[0]).split("\n")[2:4]
    assert shown[carets.index("^") : carets.rindex("^") + 1] == marked


GOOD = whole(TRAIN)


def test_a_good_recipe_has_no_mistakes(write: Write) -> None:
    """What the mistakes above are put into is right by itself."""
    assert problems_of(write("recipe.toml", GOOD)) == []


def test_three_mistakes_are_three_errors_in_the_order_of_the_file(write: Write) -> None:
    text = 'task = "curve"\nmodel = "tiny_mpl"\ndataset = "sine_curve"\n'
    text += '[optimizer]\nname = "adam"\nlr = "x"\n[train]\nepoch = 1\n'
    problems = problems_of(write("recipe.toml", text))
    assert [(one.code, one.line) for one in problems] == [
        ("unknown-component", 2),
        ("wrong-type", 6),
        ("unknown-key", 8),
    ]


def test_a_mistake_of_a_parent_is_shown_in_the_parent(write: Write) -> None:
    write("base.toml", GOOD + "sed = 1\n")
    problems = problems_of(write("recipe.toml", 'extends = "base.toml"\n[train]\nepochs = 2\n'))
    assert [(one.file, one.line, one.suggestion) for one in problems] == [("base.toml", 7, "seed")]


def test_a_mistake_of_the_whole_recipe_names_the_file(write: Write) -> None:
    problems = problems_of(write("recipe.toml", GOOD.replace('task = "curve"\n', "")))
    assert [(one.file, one.line, one.column, one.code) for one in problems] == [("recipe.toml", 1, 1, "missing-table")]


# An override, and the column of the mistake within it.
OVERRIDES = {
    "train.epoch=1": (1, "unknown-key", "epochs"),
    "train.epochs=x": (14, "wrong-type", None),
    "train.epochs=true": (14, "wrong-type", None),
    "optimizer.lr=fast": (14, "wrong-type", None),
    "model.widht=3": (1, "unknown-key", "width"),
    "model=tiny_mpl": (7, "unknown-component", "tiny_mlp"),
    "model.name=tiny_mpl": (12, "unknown-component", "tiny_mlp"),
    "trian.epochs=2": (1, "unknown-key", "train"),
    "train.epochs.x=2": (1, "no-table", None),
    "model.widht.x=3": (1, "unknown-key", "width"),
    'model={name="tiny_mlp", widht=3}': (25, "unknown-key", "width"),
    'optimizer.betas=[0.9, "x"]': (23, "wrong-type", None),
    "optimizer.lr=nan": (14, "wrong-value", None),
    'extends="base.toml"': (1, "unknown-key", None),
    "quick.train.epochs=1": (1, "unknown-key", None),
    "train.device=gpu": (14, "wrong-value", "cuda"),
    'eval.metrics=["acuracy"]': (15, "unknown-component", "accuracy"),
    "name=a/b": (6, "wrong-value", None),
    ".".join("a" * 20) + "=1": (1, "too-deep", None),
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_a_mistake_on_the_command_line_is_shown_there(override: str, write: Write) -> None:
    problems = problems_of(write("recipe.toml", GOOD), [override])
    found = [(one.file, one.line, one.column, one.code, one.suggestion) for one in problems]
    column, code, suggestion = OVERRIDES[override]
    assert found == [("command line", 1, column, code, suggestion)]


@pytest.mark.parametrize(
    ("override", "help"),
    [
        ("eval.metrics=[f1]", """eval.metrics=["a", "b"]"""),
        ("train.monitor=500", """'train.monitor="500"'"""),
        ("model.title=500", """'model.title="500"'"""),
        ("train.epochs=x", ""),
        ("train.seed=1.5", ""),
    ],
)
@pytest.mark.usefixtures("fake_parts")
def test_a_word_on_quotes(override: str, help: str, write: Write) -> None:
    """Where the shell has eaten them, or nobody wrote any; elsewhere no such word."""
    recipe = write("recipe.toml", GOOD.replace("tiny_mlp", "parts") if "model" in override else GOOD)
    (problem,) = problems_of(recipe, [override])
    assert help in problem.help and bool(help) == ("quoted" in problem.help)


@pytest.mark.parametrize("text", ["epochs", "=3", " = 3", ""])
def test_an_override_without_key_or_value_is_refused(text: str, write: Write) -> None:
    with pytest.raises(InputError, match="is no override"):
        problems_of(write("recipe.toml", GOOD), [text])


@pytest.mark.parametrize("text", ["train.monitor=\udcff", "train.\udcff=1", 'train.freeze=["\udcff"]'])
def test_an_override_that_is_no_utf_8_is_refused(text: str, write: Write) -> None:
    """Python hands over bytes that it could not read as halves of characters, which neither JSON nor TOML can hold."""
    with pytest.raises(InputError, match="is not written in UTF-8"):
        problems_of(write("recipe.toml", GOOD), [text])


def test_the_command_line_shows_mistakes_and_no_traceback(zoo: Command, write: Write) -> None:
    """`check` and `run` say the same, on stderr, with status 2; a run leaves nothing behind."""
    recipe = write("recipe.toml", GOOD.replace("epochs", "epoch"))
    for command in ("check", "run"):
        finished = zoo(command, recipe)
        assert (finished.status, finished.stdout) == (2, "")
        assert finished.stderr.rstrip("\n") == (
            "error[unknown-key]: unknown key `epoch` of [train]\n"
            "  --> recipe.toml:6:1\n"
            "   | epoch = 1\n"
            "   | ^^^^^ did you mean `epochs`?"
        )
    assert [file.name for file in Path().iterdir()] == ["recipe.toml"]


def test_check_prints_json(zoo: Command, write: Write) -> None:
    good, bad = write("good.toml", GOOD), write("bad.toml", GOOD.replace("epochs", "epoch"))
    finished = zoo("check", good, bad, "--json")
    assert finished.status == 2
    assert json.loads(finished.stdout) == [
        {
            "file": "bad.toml", "line": 6, "column": 1, "code": "unknown-key",
            "message": "unknown key `epoch` of [train]", "suggestion": "epochs",
        }
    ]  # fmt: skip
    assert (zoo("check", good, "--json").status, zoo("check", good, "--json").stdout) == (0, "[]\n")


@pytest.mark.parametrize(
    "arguments", [("check", "none.toml"), ("run", "none.toml"), ("run", "x" * 300), ("check", ".")]
)
def test_a_recipe_that_is_not_there(arguments: tuple[str, ...], zoo: Command, write: Write) -> None:
    finished = zoo(*arguments)
    assert (finished.status, finished.stdout) == (2, "")
    assert "Traceback" not in finished.stderr
