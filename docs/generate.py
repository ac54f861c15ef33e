"""Write what the documentation takes from the code: `python -m docs.generate`. tests/test_docs.py says when to.

components.md is made whole, from the catalog; in the other pages a block `<!-- settings: train -->` ... `<!-- end -->`
is filled with the table of that settings class, from its signature and docstring.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

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


def main() -> None:
    for file, text in pages().items():
        file.write_text(text)


def pages() -> dict[Path, str]:
    """Every page that takes something from the code, as it should be."""
    made = {DOCS / "components.md": components_page()}
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
