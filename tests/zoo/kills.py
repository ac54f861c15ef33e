"""A process that starts runs, has them killed, and reports what each left. One import of torch serves all of them.

    python -m tests.zoo.kills FOLDER KIND NUMBER,NUMBER,...

prints a line of JSON for each kill. KIND says where: `after` the n-th write, flush, rename or removal of a run; `half`
way through it, where it is a write; at the n-th `call` of any Python function; or with `workers`, after the n-th step
of a run whose samples two workers load. Without numbers it prints how many of them there are in an unbroken run.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch

import zoo
from tests.zoo.probe_parts import PLUGIN
from tests.zoo.training import Recorder, left, resume, run
from zoo.registry.plugins import installed
from zoo.runs.files import Content
from zoo.runs.folder import MANIFEST, REPORT, STATE, WEIGHTS, Folder
from zoo.runs.metrics_log import MetricsLog

SETTINGS = {"model.dropout": 0.5, "optimizer.momentum": 0.9, "train.evaluate_every_steps": 4}
WITH_WORKERS = {"dataset.in_memory": False, "train.workers": 2}

PRIMITIVES = ("writev", "write", "fsync", "replace", "rename", "unlink", "truncate")


class Fault:
    """Counts what a process does to files, or calls, and kills it at the n-th."""

    def __init__(self, kind: str, at: int) -> None:
        self.kind, self.at, self.count = kind, at, 0
        self.log: list[str] = []

    def __enter__(self) -> Fault:
        self.patches = [mock.patch.object(os, name, self._counted(name, getattr(os, name))) for name in PRIMITIVES]
        self.patches.append(mock.patch.object(MetricsLog, "append", self._counted("line", MetricsLog.append)))
        if self.kind in ("after", "half"):
            for patch in self.patches:
                patch.start()
        elif self.kind == "call":
            sys.setprofile(self._called)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)
        if self.kind in ("after", "half"):
            for patch in self.patches:
                patch.stop()

    def _counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **keywords: Any) -> Any:
            self.count += 1
            number = self.count
            self.log.append(name)
            if number == self.at and self.kind == "half" and name in HALVES:
                HALVES[name](*arguments)
                die()
            try:
                return function(*arguments, **keywords)
            finally:
                if number == self.at:
                    die()

        return counted

    def _called(self, frame: Any, event: str, argument: Any) -> None:
        self.count += event == "call"
        if self.count == self.at > 0:
            die()

    def step(self, number: int) -> None:
        if self.kind == "workers" and number == self.at:
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _half_of_pieces(handle: int, pieces: list[Any]) -> None:
    first = memoryview(pieces[0]).cast("B")
    os.pwrite(handle, first[: len(first) // 2], os.lseek(handle, 0, os.SEEK_CUR))


def _half_a_line(log: MetricsLog, event: dict[str, Any]) -> None:
    line = json.dumps(event).encode()
    with log.file.open("ab") as file:
        file.write(line[: len(line) // 2])


HALVES: dict[str, Callable[..., None]] = {"writev": _half_of_pieces, "line": _half_a_line}


def start(out: Path, kind: str, at: int, notes: Path) -> None:
    """A run that a fault kills. `notes` has a line for each checkpoint begun and committed: the step, or `save`."""
    commit = Folder.commit

    def noted(folder: Folder, files: dict[str, Content]) -> None:
        with notes.open("a") as file:
            print("save", file=file, flush=True)
            commit(folder, files)
            step = json.loads(bytes(files[STATE][0]))["step"] if STATE in files else -1
            print(step, file=file, flush=True)

    fault = Fault(kind, at)
    settings = {**SETTINGS, **(WITH_WORKERS if kind == "workers" else {})}
    with mock.patch.object(Folder, "commit", noted), fault:
        run(out, settings, Recorder(fault.step))
    print(json.dumps({"count": fault.count, "names": fault.log}), flush=True)


def examine(out: Path, unbroken: Path, notes: Path) -> dict[str, Any]:
    """What a killed run left, what a start after it makes of that, and what is left then."""
    saves = notes.read_text().split() if notes.exists() else []
    committed = max([int(step) for step in saves if step != "save"], default=-1)
    found = {"in_save": bool(saves) and saves[-1] == "save", "committed": committed, "begun": (out / MANIFEST).exists()}
    if not found["begun"]:
        run(out, SETTINGS)
    else:
        found["step"] = _read_everything(Folder.open(out))
        if not (out / REPORT).exists():
            resume(out)
    stray = [str(file) for file in out.rglob(".*")]
    return {
        **found,
        "stray": stray,
        "equal": left(out) == left(unbroken),
        "complete": Folder(out).results() is not None and (out / REPORT).exists(),
    }


def _read_everything(folder: Folder) -> int:
    """Reads as a stranger would, before any repair; returns the checkpoint's step."""
    for name in folder.names():
        folder.read(name, lambda file: None)
    assert all("step" in event for event in folder.log.events())
    if folder.has(WEIGHTS):
        assert zoo.load(folder.path, "cpu").predict("1.0")["value"] is not None
    if not folder.has(STATE):
        return -1
    step: int = folder.read_json(STATE)["step"]
    return step


def in_child(function: Callable[[], Any]) -> tuple[int, str]:
    """Run in a forked process: how it ended (a signal is negative), and what it printed."""
    with tempfile.TemporaryFile("w+") as output:  # no pipe: workers that outlive the child would hold its end
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            try:
                function()
            except BaseException:
                print(traceback.format_exc(), flush=True)
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read()


def killed(folder: Path, kind: str, at: int) -> dict[str, Any]:
    """One kill, and the report on it."""
    out, notes = folder / f"{kind}-{at}", folder / f"{kind}-{at}.notes"
    status, printed = in_child(lambda: start(out, kind, at, notes))
    if status != -signal.SIGKILL:
        return {"at": at, "error": f"not killed: {status} {printed}"}
    if kind == "workers":
        resumed = in_child(lambda: resume(out))  # at once: the workers may outlive their parent by seconds
        return {"at": at, "error": resumed[1], "equal": left(out) == left(folder / "unbroken-workers")}
    if at % 5 == 0 and (out / MANIFEST).exists():  # and once more, while the start after the kill tidies up
        in_child(lambda: _resume_killed(out, 1 + at // 5 % 8))
    status, printed = in_child(lambda: print(json.dumps(examine(out, folder / "unbroken-after", notes)), flush=True))
    return {"at": at, **(json.loads(printed) if status == 0 else {"error": printed})}


def _resume_killed(out: Path, at: int) -> None:
    with Fault("after", at):
        resume(out)


def main(folder: Path, kind: str, numbers: list[int]) -> None:
    torch.set_num_threads(1)
    installed().register(PLUGIN, "probe")
    without_curves = mock.patch("zoo.jobs.report._curves", lambda events: [("curves", b"a picture")])
    without_waiting = mock.patch.object(os, "fsync", lambda handle: None)  # what was written outlives a kill anyway
    with without_curves, without_waiting:
        run(folder / f"warm-up-{kind}-{len(numbers)}", SETTINGS)  # imports what every child would import
        name = "unbroken-workers" if kind == "workers" else f"unbroken-{kind}"
        if not numbers or kind == "workers":
            print(in_child(lambda: start(folder / name, kind, 0, folder / "notes"))[1], end="", flush=True)
        for number in numbers:
            print(json.dumps(killed(folder, kind, number)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [int(number) for number in sys.argv[3].split(",") if number])
