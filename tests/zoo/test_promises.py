"""What was promised and not kept once: each test here failed on the code before it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo as public
from tests.conftest import Command
from tests.zoo import probe_parts
from tests.zoo.training import RECIPE as PROBE
from tests.zoo.training import Recorder, left, run, stopped, stops_at, weights
from zoo import InputError, RunFailed, Stopped
from zoo.jobs import run_files
from zoo.jobs.recipe import resume
from zoo.jobs.score import score
from zoo.run_folder import ENVIRONMENT, MANIFEST, METRICS, RECIPE, REPORT, STATE, WEIGHTS, Folder
from zoo.tasks import Task

pytestmark = pytest.mark.usefixtures("probe_parts")


# Two runs, one folder


def test_a_folder_that_another_run_took_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    """The first of two runs is slow to prepare; the second ends before it has the lock."""
    require_empty, calls = run_files.require_empty, []

    def second_comes_first(out: Path) -> None:
        require_empty(out)
        calls.append(out)
        if len(calls) == 1:  # the first run has looked, and prepares
            run(out, epochs=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.jobs.recipe.require_empty", second_comes_first)
        with pytest.raises(InputError, match="is not empty"):
            public.run(PROBE, {"train.seed": 1}, out=tmp_path / "run")
    run(tmp_path / "alone", epochs=1)
    assert left(tmp_path / "run") == left(tmp_path / "alone")


# A folder from a stranger


PLACES = {
    "weights: a link": (WEIGHTS, lambda place: place.symlink_to("/dev/zero")),
    "weights: a pipe": (WEIGHTS, os.mkfifo),
    "weights: a folder": (WEIGHTS, Path.mkdir),
    "metrics: a link": (METRICS, lambda place: place.symlink_to("../victim/precious")),
    "metrics: a pipe": (METRICS, os.mkfifo),
    "environment: a pipe": (ENVIRONMENT, os.mkfifo),
    "recipe: a link": (RECIPE, lambda place: place.symlink_to("../victim/precious")),
    "manifest: a pipe": (MANIFEST, os.mkfifo),
    "pictures: a link": ("pictures", lambda place: place.symlink_to("../victim", target_is_directory=True)),
    "pictures: a file": ("pictures", Path.touch),
    "checkpoint: a link": ("checkpoint", lambda place: place.symlink_to("../victim", target_is_directory=True)),
    "a temporary file: a link": (".metrics.next", lambda place: place.symlink_to("../victim/precious")),
    "deep below: a link": ("checkpoint/deep", lambda place: place.symlink_to("../../victim")),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {"base": tmp_path_factory.mktemp("promises")}


@pytest.fixture
def folder(made: dict[str, Path], tmp_path: Path, probe_parts: None) -> Path:
    """A run that was stopped after its first evaluation."""
    if "run" not in made:
        stopped(made["base"] / "run", stops_at(7))
        made["run"] = made["base"] / "run"
    return Path(shutil.copytree(made["run"], tmp_path / "run"))


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_plain_file_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    """By everything that opens a folder; nothing outside is touched, and nothing hangs."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("x" * 1000)
    (victim / ".note.tmp").write_text("mine")
    before = {file: file.read_bytes() for file in victim.iterdir()}
    place, make = PLACES[name]
    if (folder / place).exists():
        (shutil.rmtree if (folder / place).is_dir() else os.unlink)(folder / place)
    make(folder / place)
    for read in (resume, score, lambda path: public.load(path, "cpu")):
        with pytest.raises(RunFailed, match=r"plain files only|should be a f(ile|older)"):
            read(folder)
    assert {file: file.read_bytes() for file in victim.iterdir()} == before


@pytest.mark.parametrize("name", ["../victim/secret", "/tmp/secret", "checkpoint/../../secret", ".hidden", "a/b/c", ""])
def test_a_manifest_names_files_of_its_own_folder_alone(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "secret").write_text("precious")
    (tmp_path / "victim" / ".secret.next").write_text("EVIL")
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"][name] = {"size": 4, "sha256": hashlib.sha256(b"EVIL").hexdigest()}
    manifest["sha256"] = hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(RunFailed, match=r"manifest\.json is damaged"):
        resume(folder)
    assert (tmp_path / "victim" / "secret").read_text() == "precious"


FORGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no object": lambda state: [],
    "nothing": lambda state: {},
    "a step of text": lambda state: {**state, "progress": {**state["progress"], "step": "x"}},
    "a step below 0": lambda state: {**state, "progress": {**state["progress"], "step": -5}},
    "a size below 0": lambda state: {**state, "metrics_size": -1},
    "no generators": lambda state: {**state, "random": {}},
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_checkpoint_of_another_form_is_named(folder: Path, forge: Callable[[dict[str, Any]], Any]) -> None:
    """It is whole by its hash; whoever made it was not zoo."""
    state = json.loads((folder / STATE).read_bytes())
    Folder(folder).commit({STATE: [json.dumps(forge(state)).encode()]})
    with pytest.raises(RunFailed, match=r"state\.json is (no checkpoint of this run|damaged)"):
        resume(folder)


def test_a_manifest_of_brackets_is_damaged(folder: Path) -> None:
    (folder / MANIFEST).write_text("[" * 100_000)
    with pytest.raises(RunFailed, match=r"manifest\.json is damaged"):
        public.load(folder)


@pytest.mark.parametrize("content", ["", "[]", '{"figures"', "{}", "[" * 100_000])
def test_results_that_are_none_are_damaged(folder: Path, content: str) -> None:
    (folder / "results.json").write_text(content)
    with pytest.raises(RunFailed, match=r"results\.json is damaged"):
        Folder(folder).results()


# The data of a run


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    monkeypatch.chdir(tmp_path)
    return lambda words: Path("text.txt").write_text(f"{words} " * 60)  # type: ignore[return-value]


def language_recipe() -> Path:
    Path("lm.toml").write_text(
        'task = "language_model"\nmodel = { name = "rnn", width = 8 }\n'
        'dataset = { name = "text_file", path = "text.txt", sampling = "sequential", num_steps = 8 }\n'
        'optimizer = { name = "sgd", lr = 0.1 }\ntrain = { steps = 6, batch_size = 8 }\n'
    )
    return Path("lm.toml")


def test_a_changed_data_set_is_refused_until_it_is_meant(text: Callable[[str], None]) -> None:
    """The same letters, so the same vocab, in another order; both on resume and for figures."""
    text("the quick brown fox jumps over the lazy dog.")
    with pytest.raises(Stopped):
        public.run(language_recipe(), out="run", listener=stops_at(3))
    shutil.copytree("run", "same")
    resume("same")
    text("the lazy dog jumps over the quick brown fox.")
    with pytest.raises(InputError, match=r"data set is not the one that run was begun with: split `train`"):
        resume("run")
    with pytest.raises(InputError, match="--changed-data"):
        score("same")
    assert score("same", changed_data=True)["figures"]
    resume("run", changed_data=True)
    assert score("run")["figures"]  # the new fingerprint is the run's now


def test_other_data_may_be_scored(text: Callable[[str], None], zoo: Command) -> None:
    """`zoo eval RUN dataset.path=...` says that they are meant, and the vocab stays that of the weights."""
    text("the quick brown fox jumps over the lazy dog.")
    public.run(language_recipe(), out="run")
    Path("other.txt").write_text("a dog jumps over a fox. " * 60)
    finished = zoo("eval", "run", "dataset.path=other.txt", "--json")
    assert finished.status == 0, finished.stderr
    assert json.loads(finished.stdout)["figures"] != score("run")["figures"]
    assert zoo("eval", "run", "dataset.pathh=other.txt").status == 2


def test_facts_that_the_weights_settled_are_not_settled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A translator of short sentences is scored on longer ones: sine positions have no end."""
    monkeypatch.chdir(tmp_path)
    words = ["one", "two", "three", "four"]
    for name, length in (("short", 3), ("long", 9)):
        lines = [[words[(start + place) % 4] for place in range(1 + start % length)] for start in range(40)]
        Path(f"{name}.en").write_text("\n".join(" ".join(line) for line in lines))
        Path(f"{name}.fr").write_text("\n".join(" ".join(line) for line in lines))
    Path("r.toml").write_text(
        'task = "translation"\nmodel = { name = "transformer", width = 8, heads = 2, layers = 1, hidden = 8 }\n'
        "[dataset]\n"
        'name = "parallel_text"\ntrain = ["short.en", "short.fr"]\nval = ["short.en", "short.fr"]\n'
        '[optimizer]\nname = "adam"\n[train]\nsteps = 2\nbatch_size = 8\n[eval]\nmetrics = []\n'
    )
    public.run("r.toml", out="run")
    figures = score("run", ['dataset.val=["long.en", "long.fr"]'])["figures"]
    assert figures["val/loss"] > 0


# The vocab belongs to its weights


def test_weights_are_not_trained_on_with_another_vocab(text: Callable[[str], None]) -> None:
    """Of the same size, so every tensor fits; refused before one is read, with hashes and the first difference."""
    text("abcdefgh")
    public.run(language_recipe(), out="first")
    vocab = json.loads(Path("first/vocab.json").read_text())
    shutil.copytree("first", "other")
    tokens = vocab["tokens"]
    tokens[-1], tokens[-2] = tokens[-2], tokens[-1]
    other = Folder(Path("other"))
    other.commit({"vocab.json": [json.dumps(vocab, indent=1).encode()]})
    with pytest.raises((InputError, RunFailed), match="belong"):
        public.run(language_recipe(), {"init.from": "other"}, out="second")


@pytest.fixture
def with_assets(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the probe's dataset bring other assets from here on."""
    from zoo_tiny import curve

    made = curve.sine_curve

    def assets(**values: Any) -> None:
        def other(size: int = 72) -> Any:
            data = made(size)
            data.assets = {"preprocess": {"scale": 1.0}, **values}
            return data

        monkeypatch.setattr(curve, "sine_curve", other)

    return assets


def test_assets_of_one_name_are_compared(tmp_path: Path, with_assets: Callable[..., None]) -> None:
    with_assets(vocab={"tokens": ["a", "b", "c"]})
    run(tmp_path / "first", epochs=1)
    with_assets(vocab={"tokens": ["a", "c", "b"]})
    message = (
        r"`vocab` of the dataset is not what .*first was trained with: sha256 \w+\.\.\. of the weights, \w+\.\.\. of "
    )
    with pytest.raises(InputError, match=message + r'the dataset; `vocab\.tokens\[1\]` is "b" there and "c" here'):
        run(tmp_path / "second", {"init.from": str(tmp_path / "first")})
    assert not (tmp_path / "second").exists()


def test_a_file_s_metadata_is_compared_too(tmp_path: Path, with_assets: Callable[..., None]) -> None:
    with_assets(vocab={"tokens": ["a", "b", "c"]})
    run(tmp_path / "first", epochs=1)
    shutil.copy(tmp_path / "first" / WEIGHTS, tmp_path / "w.safetensors")
    run(tmp_path / "same", {"init.from": str(tmp_path / "w.safetensors")}, epochs=1)
    with_assets(vocab={"tokens": ["a", "c", "b"]})
    with pytest.raises(InputError, match=r"`vocab` of the dataset is not what .*w\.safetensors was trained with"):
        run(tmp_path / "second", {"init.from": str(tmp_path / "w.safetensors")})


def test_a_part_s_vocab_is_compared_too(tmp_path: Path, with_assets: Callable[..., None]) -> None:
    with_assets(vocab={"tokens": ["a", "b", "c"]})
    run(tmp_path / "first", epochs=1)
    with_assets(vocab={"tokens": ["a", "c", "b"]})
    with pytest.raises(InputError, match="`vocab` of the dataset"):
        run(tmp_path / "second", {"init.from": str(tmp_path / "first"), "init.into": "body"})


def test_classes_and_preprocessing_may_change_with_a_note(
    tmp_path: Path, with_assets: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """In training; figures of weights under other classes would be wrong in silence."""
    with_assets(classes=["cat", "dog"], preprocess={"scale": 1.0})
    run(tmp_path / "first", epochs=1)
    with_assets(classes=["dog", "cat"], preprocess={"scale": 2.0})
    run(tmp_path / "second", {"init.from": str(tmp_path / "first")}, epochs=1)
    said = capsys.readouterr().err
    assert "`classes` changes: sha256" in said and '`classes[0]` is "cat" there and "dog" here' in said
    assert "`preprocess` changes" in said
    with pytest.raises(InputError, match="`classes` of the dataset is not what"):
        score(tmp_path / "first", changed_data=True)


def test_weights_that_say_nothing_of_a_vocab_are_taken_with_a_word(
    tmp_path: Path, with_assets: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.torch import save_file

    run(tmp_path / "first", epochs=1)
    save_file(
        {name: tensor.clone() for name, tensor in weights(tmp_path / "first").items()}, tmp_path / "w.safetensors"
    )
    with_assets(vocab={"tokens": ["a"]})
    run(tmp_path / "second", {"init.from": str(tmp_path / "w.safetensors")}, epochs=1)
    assert "does not say which `vocab` it was trained with" in capsys.readouterr().err


def test_an_asset_cannot_take_the_name_of_another_file(tmp_path: Path, with_assets: Callable[..., None]) -> None:
    for name in ("environment", "results", "manifest", "../outside"):
        with_assets(**{name: {}})
        with pytest.raises(InputError, match="cannot be a file's name"):
            run(tmp_path / "run")


def test_a_run_folder_names_another_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started with a relative path, resumed from another working folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run(Path("first"), epochs=1)
    stopped(Path("second"), stops_at(3), {"init.from": "first"})
    monkeypatch.chdir(tmp_path)
    assert resume("here/second")["figures"]


# The log


def test_a_log_that_lost_its_end_costs_lines_and_not_the_run(folder: Path) -> None:
    """As after a power cut, which leaves a file shorter than the checkpoint says."""
    size = (folder / METRICS).stat().st_size
    os.truncate(folder / METRICS, size - 30)
    results = resume(folder, listener := Recorder())
    assert results["figures"] == Folder(folder).results()["figures"]  # type: ignore[index]
    assert any("metrics.jsonl has lost" in message for message in listener.said)
    assert all("step" in json.loads(line) for line in (folder / METRICS).read_text().splitlines())


def test_what_is_no_line_is_left_out(folder: Path) -> None:
    content = (folder / METRICS).read_bytes()
    (folder / METRICS).write_bytes(b"\0\0\0\n[1]\n" + content + b'{"step": 3, "val/l')
    assert Folder(folder).log.events() == [json.loads(line) for line in content.splitlines()]


def test_the_log_is_flushed_before_a_commit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint states how long it is."""
    flushed: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda handle: (flushed.append(os.readlink(f"/proc/self/fd/{handle}")), sync(handle))
    )
    monkeypatch.setattr(os, "replace", lambda one, other: (flushed.append(f"> {other}"), replace(one, other)))
    run(tmp_path / "run", epochs=1)
    names = [name.rpartition("/")[2] for name in flushed]
    last = max(index for index, name in enumerate(flushed) if name == f"> {tmp_path / 'run' / MANIFEST}")
    assert METRICS in names[:last]


# A reader beside a writer


def test_a_reader_beside_a_writer_sees_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    """Thousands of commits in one thread, reads in this one: each content is whole, and none is missed."""
    folder, over = Folder(tmp_path), threading.Event()
    contents = [bytes([number]) * (1000 + number) for number in range(50)]
    folder.commit({WEIGHTS: [contents[0]]})

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            folder.commit({WEIGHTS: [contents[number % 50]]})

    writer = threading.Thread(target=write)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        writer.start()
        try:
            seen = [folder.read(WEIGHTS, Path.read_bytes) for _ in range(400)]
        finally:
            over.set()
            writer.join()
    assert set(seen) <= set(contents) and len(set(seen)) > 1


# The report comes after the results


@pytest.mark.parametrize("method", ["draw", "texts", "difficulty", "pictures", "baselines"])
def test_a_mistake_in_what_a_task_shows_costs_no_result(tmp_path: Path, method: str) -> None:
    """The results are there, and the report can be made once the plugin is mended."""
    from zoo_tiny.curve import Curve

    def mistaken(self: Task, *arguments: Any, **keywords: Any) -> Any:
        raise TypeError("'bool' object is not subscriptable")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Curve, method, mistaken)
        with pytest.raises(TypeError, match="not subscriptable"):
            run(tmp_path / "run", {"eval.pictures": 2}, epochs=1)
    assert Folder(tmp_path / "run").results() is not None
    assert not (tmp_path / "run" / REPORT).exists()
    assert resume(tmp_path / "run")["figures"]
    assert (tmp_path / "run" / REPORT).exists()
    with pytest.raises(InputError, match="is complete"):
        resume(tmp_path / "run")


# Fine-tuning with another task


def test_a_recipe_that_states_a_task_gets_that_task_s_loss(tmp_path: Path) -> None:
    run(tmp_path / "first", {"loss": "positives"}, epochs=1)
    Path(tmp_path / "second.toml").write_text(
        '[optimizer]\nname = "sgd"\nlr = 0.1\n[train]\nepochs = 1\nbatch_size = 13\n'
        f'[init]\nfrom = "{tmp_path / "first"}"\n'
    )
    inherited = public.run(tmp_path / "second.toml", out=tmp_path / "inherited")
    stated = public.run(tmp_path / "second.toml", {"task": "regression"}, out=tmp_path / "stated")
    assert "val/loss_half" in inherited["figures"] and "val/loss_half" not in stated["figures"]


# Which way is better


class Undecided:
    """A metric that does not say whether it should be small or large."""

    figures = ("scripted",)

    def reset(self) -> None: ...

    def update(self, predictions: torch.Tensor, target: torch.Tensor) -> None: ...

    def compute(self) -> float:
        return 0.5


@pytest.fixture
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_parts, "Scripted", lambda: Undecided())


def test_what_does_not_say_which_way_is_better_is_asked_for(tmp_path: Path, undecided: None) -> None:
    settings = {"eval.metrics": ["scripted"], "train.monitor": "val/scripted"}
    with pytest.raises(InputError, match=r"does not say whether it should be small or large\n  help: train.mode"):
        run(tmp_path / "asked", settings)
    assert not (tmp_path / "asked").exists()
    assert run(tmp_path / "told", settings, mode="min", epochs=1)["best_step"] == 5


def test_the_metric_that_made_a_figure_says_which_way_is_better(tmp_path: Path) -> None:
    """Beside a second metric, of whatever name: the smallest error is kept."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'extends = "sine"\n[eval]\nmetrics = ["step_error", { name = "scripted", values = [1, 2, 3, 4] }]\n'
        '[train]\nmonitor = "val/error_4"\nkeep = "best"\nepochs = 4\n'
    )
    results = public.run(recipe, out=tmp_path / "run")
    errors = [event["val/error_4"] for event in Folder(tmp_path / "run").log.events() if "val/error_4" in event]
    assert results["figures"]["val/error_4"] == min(errors) != max(errors)


def test_under_keep_last_nothing_is_called_the_best(tmp_path: Path, zoo: Command) -> None:
    last = zoo("run", PROBE, "train.keep=last", "--out", tmp_path / "last")
    best = zoo("run", PROBE, "--out", tmp_path / "best")
    assert "(best)" not in last.stderr and "(best)" in best.stderr
    assert "best_step" not in json.loads((tmp_path / "last" / "results.json").read_text())


@pytest.mark.parametrize("key", ["train.monitor", "expect"])
def test_a_figure_that_no_metric_states_is_missed_before_the_first_step(tmp_path: Path, key: str) -> None:
    value: Any = "val/other" if key == "train.monitor" else {"val/other": {"min": 0.0}}
    settings = {"eval.metrics": [{"name": "mean_squared_error"}], key: value}
    with pytest.raises(InputError, match="val/other"):
        run(tmp_path / "run", settings, listener=(listener := Recorder()))
    assert not listener.steps and not (tmp_path / "run").exists()


# Stops


def test_a_lost_terminal_stops_a_run_as_sigterm_does(tmp_path: Path) -> None:
    def hang_up(number: int) -> None:
        if number == 3:
            os.kill(os.getpid(), signal.SIGHUP)

    run(tmp_path / "unbroken")
    stopped(tmp_path / "run", Recorder(hang_up))
    assert Folder(tmp_path / "run").read_json(STATE)["progress"]["step"] == 3
    resume(tmp_path / "run")
    assert left(tmp_path / "run") == left(tmp_path / "unbroken")


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """`nohup zoo run` goes on when the terminal is gone."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run(tmp_path / "run", listener=Recorder(lambda number: os.kill(os.getpid(), signal.SIGHUP)))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert Folder(tmp_path / "run").results() is not None


# Places and batches


def test_a_place_where_no_run_can_be_is_refused_before_anything_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    monkeypatch.setattr("zoo.jobs.experiment.prepare", lambda *_: pytest.fail("it was prepared"))
    for out in ("file", "file/run", "dangling"):
        with pytest.raises(InputError, match=f"^{tmp_path / out.partition('/')[0]}"):
            run(tmp_path / out)


def test_a_batch_of_one_under_batch_norm_is_the_user_s_to_change(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a batch has one sample, and batch norm needs more"):
        run(tmp_path / "one", {"model.norm": True}, batch_size=1)
    with pytest.raises(
        InputError, match=r"the last batch of an epoch in batches of 71 has one sample.*\n.*fixed_batches"
    ):
        run(tmp_path / "rest", {"model.norm": True}, batch_size=71)
    assert run(tmp_path / "fixed", {"model.norm": True}, batch_size=71, fixed_batches=True)


# Cross-validation


def test_folds_are_averaged(tmp_path: Path, zoo: Command) -> None:
    """A prediction is the mean of the folds', and figures of another split are those of that mean."""
    run(tmp_path / "cv", folds=2, epochs=1)
    members = [public.load(tmp_path / "cv" / f"fold-{number}", "cpu") for number in (1, 2)]
    single = [member.predict("0.5")["value"] for member in members]
    assert single[0] != single[1]
    assert public.load(tmp_path / "cv", "cpu").predict("0.5")["value"] == pytest.approx(sum(single) / 2)
    both = public.load(tmp_path / "cv", "cpu").predict(["0.5", "-0.5"])
    assert both[0]["value"] == pytest.approx(sum(single) / 2)
    assert zoo("predict", tmp_path / "cv", "0.5").status == 0
    scored = score(tmp_path / "cv")
    results = Folder(tmp_path / "cv").results()
    assert results is not None
    assert scored["figures"]["out_of_fold/loss"] == pytest.approx(results["figures"]["out_of_fold/loss"])
