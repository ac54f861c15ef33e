"""Write what the documentation takes from the code: `python -m docs.generate`. tests/test_docs.py says when to.

components.md is made whole, from the catalog, and api.md from the public names; in the other pages a block `<!--
settings: train -->` ... `<!-- end -->` is filled with the table of that settings class, from its signature and its
docstring.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any, ForwardRef

import zoo
from zoo.recipes.recipe import load_recipe
from zoo.recipes.schema import MADE, parameters_of
from zoo.recipes.settings import tables_of
from zoo.recipes.shipped import shipped_recipes
from zoo.registry.catalog import Catalog
from zoo.registry.component import KINDS, Component

DOCS = Path(__file__).parent
ROOT = DOCS.parent
BLOCK = re.compile(r"(<!-- settings: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

HEAD = """# Components

What the plugins of this distribution offer. `zoo list` prints it for everything that is installed; `zoo show NAME` adds
the parameters, with their types and defaults. This page is made from the catalog by `python -m docs.generate`.
"""


API_HEAD = """# The public names

`import zoo` has these and no others; a plugin needs nothing else. This page is made from the code by `python -m
docs.generate`. What a plugin offers, and what of it is asked, is on the page [Plugins](plugins.md).
"""

KINDS_IN_ONE = ("model", "dataset", "loss", "optimizer", "schedule", "metric", "task")  # one signature for all

ARGUMENTS = ("RecipeArgument", "OverridesArgument", "QuickOption")

API: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Declare", ("hookimpl", *KINDS_IN_ONE, "Component", "Nested", "Figure", "Mistake", "nearest")),
    ("Data and tasks", ("Data", "TensorSplit", "Batch", "sample_of", "Task", "Losses", "RunFolder")),
    ("Run", ("run", "resume", "score", "load", "Run")),
    ("The open loop", ("open_recipe", "prepare", "Experiment", "Step", "evaluate", "reopen", "predictions")),
    (
        "A run of one's own",
        ("start_run", "resume_run", "train", "LiveRun", "RunInfo", "listening", "stop_on_signals"),
    ),
    ("What runs leave", ("Folder", "new_folder", "write_file")),
    ("Pictures", ("PICTURE_SUFFIXES", "read_picture", "picture_to_tensor", "tensor_to_picture", "Normalize")),
    ("Drawings", ("class_color", "legible")),
    ("Texts", ("Vocab",)),
    ("Files and randomness", ("find_data", "cache_folder", "cached_tensors", "seeded")),
    (
        "Commands",
        ("show_progress", "print_results", "print_table", "print_json", "say", "RecipeCommand", *ARGUMENTS),
    ),
    ("Errors", ("ZooError", "InputError", "RunFailed", "PluginFailed", "ExpectationMissed", "Stopped")),
)

WORDS = {  # of names that are another project's, or no more than types
    "hookimpl": "Mark a function of a plugin as the implementation of a hook: `@zoo.hookimpl`. It is pluggy's marker.",
    "Batch": "A batch: tensors, lists or dicts of them, by name.",
    "Figure": "The annotation of a setting that names a figure of the run, `val/accuracy`: `zoo check` knows them.",
    "RecipeArgument": "The annotation of a command's argument that is a recipe, a file or a name: shells complete it.",
    "OverridesArgument": "The annotation of a command's last argument, `KEY=VALUE` texts or None; see `RecipeCommand`.",
    "QuickOption": "The annotation of a command's option `--quick`.",
    "RunFolder": "The annotation of a parameter that names a run folder: it is given the run in training, else None.",
}


def main() -> None:
    for file, text in pages().items():
        file.write_text(text)


def pages() -> dict[Path, str]:
    """Every page that takes something from the code, as it should be."""
    made = {DOCS / "components.md": components_page(), DOCS / "api.md": api_page()}
    for file in sorted(DOCS.glob("*.md")):
        if BLOCK.search(file.read_text()):
            made[file] = BLOCK.sub(lambda block: block[1] + settings_table(block[2]) + block[3], file.read_text())
    return made


def components_page() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    parts = [HEAD]
    for plugin in project["entry-points"]["zoo"]:
        parts.append(f"## {plugin}\n")
        components = [found for found in Catalog().components if found.plugin == plugin]
        for kind in KINDS:
            rows = [_row(found) for found in components if found.kind == kind]
            if rows:
                parts.append(_table(kind.capitalize(), "tasks", "what", rows=rows))
    rows = [(f"`{name}`", str(load_recipe(file).table["summary"])) for name, file in shipped_recipes().items()]
    parts += ["## Recipes\n", _table("Recipe", "what", rows=rows)]
    return "\n".join(parts)


def api_page() -> str:
    """Signature and docstring of every public name.

    Raises:
        KeyError: a public name is in no part of the page, or in two.
    """
    listed = [name for _, names in API for name in names]
    if wrong := set(listed) ^ set(zoo.__all__) | {name for name in listed if listed.count(name) > 1}:
        raise KeyError(f"docs/generate.py: API has not each public name once: {', '.join(sorted(wrong))}")
    parts = [API_HEAD]
    for title, names in API:
        parts.append(f"## {title}\n")
        parts += [_described(name, getattr(zoo, name)) for name in names if name not in KINDS_IN_ONE[1:]]
    return "\n".join(parts)


def _described(name: str, value: Any) -> str:
    """A name, its signature, what it is, and of a class its own methods."""
    title = ", ".join(f"`{kind}`" for kind in KINDS_IN_ONE) if name in KINDS_IN_ONE else f"`{name}`"
    if name in WORDS:
        return f"### {title}\n\n{WORDS[name]}\n"
    if not callable(value):
        return f"### {title}\n\n`{value!r}`\n"
    doc = inspect.getdoc(value.func if isinstance(value, partial) else value) or ""
    lines = [f"### {title}\n", f"```python\n{_signature(name, value)}\n```\n", _prose(doc)]
    if inspect.isclass(value) and not issubclass(value, Exception):
        for own, method in vars(value).items():
            doc = inspect.getdoc(method) or ""
            if not own.startswith("_") and doc and isinstance(method, FunctionType | property | classmethod):
                shown = own if isinstance(method, property) else _signature(own, getattr(value, own))
                lines.append(f"- `{shown}`: {' '.join(re.split(r'(Args|Raises|Returns):', doc)[0].split())}")
    return "\n".join(lines) + "\n"


def _signature(name: str, function: Any) -> str:
    """A call as a person writes it, with annotations as the source has them."""
    parameters = inspect.signature(function).parameters.values()
    texts, starred = [], False
    for param in parameters:
        if param.name in ("self", "cls"):
            continue
        if param.kind is param.KEYWORD_ONLY and not starred:
            texts.append("*")
        starred |= param.kind in (param.KEYWORD_ONLY, param.VAR_POSITIONAL)
        text = {param.VAR_POSITIONAL: "*", param.VAR_KEYWORD: "**"}.get(param.kind, "") + param.name
        if param.annotation is not param.empty:
            text += f": {_annotation(param.annotation)}"
        if param.default is not param.empty:
            plain = param.default is None or isinstance(param.default, bool | int | float | str | tuple)
            text += f" = {param.default!r}" if plain else " = ..."
        texts.append(text)
    made = inspect.signature(function).return_annotation
    returns = f" -> {made}" if isinstance(made, str) and made != "None" else ""
    line = f"{name}({', '.join(texts)}){returns}"
    return line if len(line) <= 110 else f"{name}(\n    " + ",\n    ".join(texts) + f",\n){returns}"


def _annotation(annotation: Any) -> str:
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    return annotation if isinstance(annotation, str) else str(getattr(annotation, "__name__", annotation))


def _prose(doc: str) -> str:
    """A docstring as Markdown: what `Args`, `Attributes` and `Raises` name becomes a list."""
    text, *sections = re.split(r"^(Args|Attributes|Returns|Raises|Yields):\n", doc, flags=re.MULTILINE)
    lines = [text.strip() + "\n"]
    for title, section in zip(sections[::2], sections[1::2], strict=True):
        entries = re.split(r"\n {4}(?=\S)", "\n" + section.rstrip())[1:]
        items = [" ".join(entry.split()) for entry in entries]
        lines.append(f"{title}:\n\n" + "".join(f"- {_code(item)}\n" for item in items))
    return "\n".join(lines)


def _code(item: str) -> str:
    names, colon, text = item.partition(": ")
    plain = bool(colon) and re.fullmatch(r"[\w*]+(, [\w*]+)*", names)
    return f"`{names}`: {text}" if plain else item


def _row(component: Component) -> tuple[str, ...]:
    return f"`{component.name}`", ", ".join(component.tasks) or "any", component.summary


def settings_table(name: str) -> str:
    """The keys of a recipe's table: one row for those that the docstring names together.

    Raises:
        KeyError: the docstring leaves a key out.
    """
    settings = tables_of(Catalog().plugins)[name]
    parameters = parameters_of(settings)
    documented = dict(_arguments(inspect.getdoc(settings) or ""))
    undocumented = set(parameters) - {key for keys in documented for key in keys}
    if undocumented:
        raise KeyError(f"the docstring of [{name}] leaves out {', '.join(sorted(undocumented))}")
    rows = []
    for keys, what in documented.items():
        types = dict.fromkeys(parameters[key].type_name for key in keys)
        defaults = dict.fromkeys(_default(parameters[key]) for key in keys)
        rows.append((", ".join(f"`{key}`" for key in keys), ", ".join(types), ", ".join(defaults), what))
    return _table("key", "type", "default", "what", rows=rows)


def _arguments(doc: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The names and texts of a docstring's `Args`."""
    _, _, section = doc.partition("Args:\n")
    for entry in re.split(r"\n {4}(?=\S)", "\n" + section.rstrip()):
        names, colon, text = entry.partition(": ")
        if colon:
            yield tuple(names.strip().split(", ")), " ".join(text.split())


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.default is None or parameter.default is MADE:
        return ""
    value = parameter.default
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _table(*columns: str, rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
