"""The `zoo` command: one module a subcommand. What a subcommand needs is imported inside it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from zoo import __version__
from zoo.cli import check, evaluate, list_, plugins, predict, resume, run, show
from zoo.cli.arguments import RecipeCommand
from zoo.cli.lean import LeanCommand, LeanGroup
from zoo.cli.output import Said, print_error, print_text, ready_streams, say
from zoo.errors import ZooError

INTERRUPTED_TWICE = 130

app = typer.Typer(
    name="zoo",
    cls=LeanGroup,
    help="Train, score and use deep-learning models from TOML recipes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print_text(f"zoo {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_print_version, is_eager=True),
    traceback: bool = typer.Option(False, "--traceback", help="Show where in the code an error arose."),
) -> None:
    if traceback:
        os.environ["ZOO_TRACEBACK"] = "1"


app.command("list", cls=LeanCommand)(list_.list_components)
app.command("show")(show.show)
app.command("plugins", cls=LeanCommand)(plugins.plugins)
app.command("check")(check.check)
app.command("run", cls=RecipeCommand)(run.run)
app.command("resume")(resume.resume)
app.command("eval")(evaluate.evaluate)
app.command("predict")(predict.predict)

OWN_COMMANDS = tuple(app.registered_commands)


def main() -> None:
    """The entry point: plugins add their commands, errors become a message and an exit status."""
    ready_streams()
    with _errors_for_people(), _said():
        complete_app()()


@contextmanager
def _said() -> Iterator[None]:
    """Print what the core logs."""
    logger, handler = logging.getLogger("zoo"), Said()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def complete_app() -> typer.Typer:
    """Return the app with the commands of plugins.

    Every plugin gets an app of its own, so that it can neither replace a command nor keep others from working.
    """
    from zoo.registry.plugins import installed

    app.registered_commands, app.registered_groups = [*OWN_COMMANDS], []
    plugins = installed()
    for plugin in plugins.plugins:
        if "zoo_commands" in plugin.hooks:
            with plugins.contained(plugin.name, "zoo_commands"):
                own = typer.Typer()
                own.callback()(lambda: None)  # else a single command would be the app itself
                plugin.hooks["zoo_commands"](app=own)
                _adopt(own)
    return app


def _adopt(own: typer.Typer) -> None:
    taken = typer.main.get_group(app).commands
    for name in typer.main.get_group(own).commands:
        if name in taken:
            raise ValueError(f"there is a command `{name}` already")
    app.registered_commands += own.registered_commands
    app.registered_groups += own.registered_groups


@contextmanager
def _errors_for_people() -> Iterator[None]:
    try:
        yield
    except ZooError as error:
        if _is_traceback_wanted():
            raise
        print_error(error)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        say("interrupted; zoo resume goes on from the last checkpoint")
        sys.exit(INTERRUPTED_TWICE)
    except Exception as error:
        from zoo.registry.blame import blame
        from zoo.registry.plugins import installed

        failure = blame(error, installed())
        if failure is None or _is_traceback_wanted():
            raise
        print_error(failure)
        sys.exit(failure.exit_status)


def _is_traceback_wanted() -> bool:
    return bool(os.environ.get("ZOO_TRACEBACK")) or "--traceback" in sys.argv
