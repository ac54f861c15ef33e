"""Mistakes that a recipe may hold, with what should be said of each."""

from __future__ import annotations

from typing import NamedTuple

CARET = "▸"  # stands before the character at which the error should point


class Mistake(NamedTuple):
    """A part of a recipe, and what should be said of it."""

    text: str
    code: str
    suggestion: str | None
    message: str


PARTS = {"task": "curve", "model": "tiny_mlp", "dataset": "sine_curve", "optimizer": "adam"}
TRAIN = "[train]\nepochs = 1\n"
SGD = 'optimizer = "sgd"\n'

MISTAKES = [
    # keys of the recipe
    Mistake('▸optimiser = "adam"\n' + TRAIN, "unknown-key", "optimizer", "unknown key `optimiser` of the recipe"),
    Mistake('[▸optimiser]\nname = "adam"\n' + TRAIN, "unknown-key", "optimizer", "unknown key `optimiser`"),
    Mistake('▸modle = "tiny_mlp"\n' + TRAIN, "unknown-key", "model", "unknown key `modle`"),
    Mistake('▸data_set = "sine_curve"\n' + TRAIN, "unknown-key", "dataset", "unknown key `data_set`"),
    Mistake("▸Train = { epochs = 1 }\n", "unknown-key", "train", "unknown key `Train`"),
    Mistake(TRAIN + '[▸expct]\n"val/loss" = { max = 1 }\n', "unknown-key", "expect", "unknown key `expct`"),
    Mistake("▸epochs = 3\n" + TRAIN, "unknown-key", None, "unknown key `epochs` of the recipe"),
    Mistake('▸"a key" = 1\n' + TRAIN, "unknown-key", None, "unknown key `a key`"),
    Mistake(TRAIN + "[▸xyz.abc]\nq = 1\n", "unknown-key", None, "unknown key `xyz`"),
    Mistake("summary = ▸3\n" + TRAIN, "wrong-type", None, "`summary` is 3; it should be a string"),
    Mistake('name = ▸"a/b"\n' + TRAIN, "wrong-value", None, "names a folder"),
    Mistake("name = ▸true\n" + TRAIN, "wrong-type", None, "`name` is true"),
    Mistake("train = ▸3\n", "wrong-type", None, "`train` is 3; it should be a table"),
    Mistake(TRAIN + "[[▸eval]]\n", "wrong-type", None, "it should be a table"),
    Mistake("expect = ▸[1]\n" + TRAIN, "wrong-type", None, "`expect` is [1]"),
    # what is missing
    Mistake('▸task = "curve"\nmodel = "tiny_mlp"\ndataset = "sine_curve"\n', "missing-table", None, "no job"),
    Mistake('▸model = "tiny_mlp"\ndataset = "sine_curve"\n' + SGD + TRAIN, "missing-table", None, "no `task`"),
    Mistake('[▸eval]\nsplit = "val"\n', "missing-table", None, "alone needs weights"),
    Mistake("[▸train]\nseed = 1\n", "missing-key", None, "neither `epochs` nor `steps`"),
    Mistake(TRAIN + "[▸init]\n", "missing-key", None, "[init] has no `from`"),
    Mistake("[▸model]\n" + TRAIN, "missing-key", None, "`model` names no component"),
    Mistake("model = ▸[]\n" + TRAIN, "wrong-type", None, "should be a name, or a table"),
    # components
    Mistake('model = ▸"tiny_mpl"\n' + TRAIN, "unknown-component", "tiny_mlp", "unknown model `tiny_mpl`"),
    Mistake('[model]\nname = ▸"tiny-mlp"\n' + TRAIN, "unknown-component", "tiny_mlp", "unknown model"),
    Mistake('model = { name = ▸"TinyMLP" }\n' + TRAIN, "unknown-component", "tiny_mlp", "unknown model"),
    Mistake('model.name = ▸"tiny_mlq"\n' + TRAIN, "unknown-component", "tiny_mlp", "unknown model"),
    Mistake('model = ▸"adam"\n' + TRAIN, "unknown-component", None, "`adam` is a optimizer"),
    Mistake('model = ▸"tiny/tiny_mpl"\n' + TRAIN, "unknown-component", "tiny/tiny_mlp", "unknown model"),
    Mistake('model = ▸"tinny/tiny_mlp"\n' + TRAIN, "unknown-component", "tiny/tiny_mlp", "unknown model"),
    Mistake('model = ▸"os:system"\n' + TRAIN, "unknown-component", None, "unknown model `os:system`"),
    Mistake('model = ▸"absent"\n' + TRAIN, "broken-component", None, "cannot be loaded: AttributeError"),
    Mistake('optimizer = ▸"twin"\n' + TRAIN, "ambiguous-name", "fake/twin", "`fake/twin`, `fake_twin/twin`"),
    Mistake('task = ▸"curv"\n' + TRAIN, "unknown-component", "curve", "unknown task"),
    Mistake("[model]\nname = ▸3\n" + TRAIN, "wrong-type", None, "`name` of `model` is 3"),
    Mistake('[model]\n▸nmae = "tiny_mlp"\n' + TRAIN, "unknown-key", "name", "unknown key `nmae` of [model]"),
    Mistake(TRAIN + '[schedule]\nname = ▸"cosin"\n', "unknown-component", "cosine", "unknown schedule"),
    # parameters
    Mistake('[model]\nname = "tiny_mlp"\n▸widht = 3\n' + TRAIN, "unknown-key", "width", "of model `tiny_mlp`"),
    Mistake('model = { name = "tiny_mlp", ▸widht = 3 }\n' + TRAIN, "unknown-key", "width", "`widht`"),
    Mistake('model.name = "tiny_mlp"\n▸model.widht = 3\n' + TRAIN, "unknown-key", "width", "`widht`"),
    Mistake('[model]\nname = "tiny_mlp"\nwidth = ▸"thin"\n' + TRAIN, "wrong-type", None, "should be an integer"),
    Mistake('[model]\nname = "tiny_mlp"\nwidth = ▸true\n' + TRAIN, "wrong-type", None, "`width` of model"),
    Mistake('[model]\nname = "tiny_mlp"\nwidth = ▸8.0\n' + TRAIN, "wrong-type", None, "should be an integer"),
    Mistake('[model]\nname = "tiny_mlp"\nwidth = ▸1979-05-27\n' + TRAIN, "wrong-type", None, "date or time"),
    Mistake('[model]\nname = "tiny_mlp"\n[▸model.widht]\na = 1\n' + TRAIN, "unknown-key", "width", "`widht`"),
    Mistake('[optimizer]\nname = "adam"\nbetas = ▸[0.9]\n' + TRAIN, "wrong-type", None, "a list of 2 values"),
    Mistake('[optimizer]\nname = "adam"\n▸params = []\n' + TRAIN, "supplied", None, "supplied by the job"),
    Mistake('[model]\nname = "parts"\nmode = ▸"biliner"\n' + TRAIN, "wrong-value", "bilinear", "one of"),
    Mistake('[model]\nname = "parts"\n▸table = [1]\n' + TRAIN, "not-writable", None, "comes from the dataset's facts"),
    Mistake('[model]\nname = "parts"\n▸options = 1\n' + TRAIN, "unknown-key", None, "unknown key `options`"),
    Mistake('[model]\nname = "parts"\nsizes = ▸[1, "2"]\n' + TRAIN, "wrong-type", None, "a list of integers"),
    Mistake('[model]\nname = "parts"\nteacher = ▸1\n' + TRAIN, "wrong-type", None, "the path of a run folder"),
    Mistake('[model]\nname = "parts"\nbackbone = ▸"tiny_mpl"\n' + TRAIN, "unknown-component", "tiny_mlp", "model"),
    Mistake(
        '[model]\nname = "parts"\n[model.backbone]\nname = "tiny_mlp"\n▸widht = 1\n' + TRAIN,
        "unknown-key", "width", "of model `tiny_mlp`",
    ),
    Mistake('[model]\nname = "parts"\ncriterion = ▸"msee"\n' + TRAIN, "unknown-component", "mse", "unknown loss"),
    Mistake('model = ▸"seer"\n' + TRAIN, "task-mismatch", None, "serves `other`, and the recipe's task is `curve`"),
    # settings
    Mistake("[train]\n▸epoch = 1\n", "unknown-key", "epochs", "unknown key `epoch` of [train]"),
    Mistake("[train]\nepochs = ▸0\n", "wrong-value", None, "greater than or equal to 1"),
    Mistake('[train]\nepochs = ▸"3"\n', "wrong-type", None, 'is the string "3"; it should be an integer'),
    Mistake("[train]\nepochs = 1\n▸steps = 2\n", "conflict", None, "both `epochs` and `steps`"),
    Mistake(TRAIN + 'precision = ▸"fp23"\n', "wrong-value", "fp32", "one of"),
    Mistake(TRAIN + 'device = ▸"cuda:one"\n', "wrong-value", "cuda", "auto, cpu, cuda or cuda:N"),
    Mistake(TRAIN + "ema = ▸1.5\n", "wrong-value", None, "less than 1"),
    Mistake(TRAIN + "freeze = ▸[1]\n", "wrong-type", None, "a list of strings"),
    Mistake(TRAIN + "seed = ▸99999999999999999999\n", "wrong-value", None, "64 bits"),
    Mistake(TRAIN + '▸split = "val"\n', "unknown-key", None, "unknown key `split` of [train]"),
    Mistake(TRAIN + "[eval]\n▸patience = 1\n", "unknown-key", None, "unknown key `patience` of [eval]"),
    Mistake(TRAIN + "warmup_epochs = 1\n▸warmup_steps = 2\n", "conflict", None, "choose one"),
    # metrics, groups, expectations
    Mistake(TRAIN + '[eval]\nmetrics = ["accuracy", ▸"acuracy"]\n', "unknown-component", "accuracy", "metric"),
    Mistake(
        TRAIN + '[eval]\nmetrics = [\n  "f1", # one\n  { name = "top_k_accuracy", ▸kk = 1 },\n]\n',
        "unknown-key", "k", "of metric `top_k_accuracy`",
    ),
    Mistake(TRAIN + "[[eval.metrics]]\n▸nme = 1\n", "unknown-key", "name", "unknown key `nme`"),
    Mistake(TRAIN + "[eval]\nmetrics = ▸[3]\n", "wrong-type", None, "`metrics` of [eval]"),
    Mistake(TRAIN + "[[▸train.groups]]\nlr = 1.0\n", "missing-key", None, "needs `params`"),
    Mistake(
        TRAIN + '[[train.groups]]\nparams = ["a"]\n[[train.groups]]\nparams = ["b"]\n▸wieght_decay = 0.0\n',
        "unknown-key", "weight_decay", "of optimizer `adam`",
    ),
    Mistake(TRAIN + 'groups = [{ params = [":bias"], lr = ▸"x" }]\n', "wrong-type", None, "should be a number"),
    Mistake(TRAIN + '[expect]\n"val/loss" = ▸0.1\n', "wrong-type", None, "it should be a table: { min = 0.9 }"),
    Mistake(TRAIN + '[expect]\n"val/loss" = { ▸mx = 0.1 }\n', "unknown-key", "max", "`min` and `max`"),
    Mistake(TRAIN + '[expect."val/loss"]\nmax = ▸"low"\n', "wrong-type", None, "it should be a number"),
    # [quick]
    Mistake(TRAIN + '[quick]\n▸"train.epoch" = 1\n', "unknown-key", "epochs", "unknown key `epoch` of [train]"),
    Mistake(TRAIN + '[quick]\n"train.epochs" = ▸"x"\n', "wrong-type", None, "should be an integer"),
    Mistake(TRAIN + "[quick]\ntrain.epochs = ▸true\n", "wrong-type", None, "should be an integer"),
    Mistake(TRAIN + "[quick.train]\n▸epoch = 1\n", "unknown-key", "epochs", "unknown key `epoch` of [train]"),
    Mistake(TRAIN + '[quick]\nmodel = ▸"tiny_mpl"\n', "unknown-component", "tiny_mlp", "unknown model"),
    Mistake(TRAIN + '[quick.expect]\n"val/loss" = { ▸mxa = 1 }\n', "unknown-key", "max", "`min` and `max`"),
    Mistake("quick = ▸3\n" + TRAIN, "wrong-type", None, "`quick` is 3; it should be a table"),
    Mistake(TRAIN + '[quick]\n▸"train.epochs.x" = 1\n', "no-table", None, "`train.epochs` is no table"),
    # extends
    Mistake('extends = ▸"bse.toml"\n' + TRAIN, "wrong-value", "base.toml", "no such recipe"),
    Mistake('extends = ▸"../base.toml"\n' + TRAIN, "wrong-value", None, "leaves the recipe's folder"),
    Mistake('extends = ▸"/base.toml"\n' + TRAIN, "wrong-value", None, "leaves the recipe's folder"),
    Mistake("extends = ▸3\n" + TRAIN, "wrong-type", None, "it should be a string"),
    Mistake('extends = ▸"recipe.toml"\n' + TRAIN, "circle", None, "in a circle"),
    # no TOML
    Mistake("[train]\nepochs = ▸= 1\n", "syntax", None, "invalid value"),
    Mistake("[train]\nepochs = 1\nepochs = 2▸\n", "syntax", None, "overwrite"),
    Mistake('task = "cur▸\n', "syntax", None, ""),
    Mistake("[train▸\nepochs = 1\n", "syntax", None, ""),
    Mistake(TRAIN + "seed = 0▸1\n", "syntax", None, ""),
]  # fmt: skip
