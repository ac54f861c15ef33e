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
FORECAST = 'task = "forecasting"\nmodel = "ar_mlp"\ndataset = "sine"\n' + TRAIN
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
    Mistake(FORECAST + '[eval]\nsplit = ▸"vall"\n', "wrong-value", "val", "`split` of [eval] is `vall`"),
    Mistake(FORECAST + '[eval]\nsplit = ▸"test"\n', "wrong-value", None, "dataset `sine` has `train`, `val`"),
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
    Mistake('model.name = "tiny_mlp"\nmodel.▸widht = 3\n' + TRAIN, "unknown-key", "width", "`widht`"),
    Mistake('[model]\nname = "tiny_mlp"\nwidth = ▸"thin"\n' + TRAIN, "wrong-type", None, "should be an integer"),
    Mistake('[model]\nname = "tiny_mlp"\nwidth = ▸true\n' + TRAIN, "wrong-type", None, "`width` of model"),
    Mistake('[model]\nname = "tiny_mlp"\nwidth = ▸8.0\n' + TRAIN, "wrong-type", None, "should be an integer"),
    Mistake('[model]\nname = "tiny_mlp"\nwidth = ▸1979-05-27\n' + TRAIN, "wrong-type", None, "date or time"),
    Mistake('[model]\nname = "tiny_mlp"\n[model.▸widht]\na = 1\n' + TRAIN, "unknown-key", "width", "`widht`"),
    Mistake('[optimizer]\nname = "adam"\nbetas = ▸[0.9]\n' + TRAIN, "wrong-type", None, "a list of 2 values"),
    Mistake('[optimizer]\nname = "adam"\n▸params = []\n' + TRAIN, "supplied", None, "supplied by the job"),
    Mistake('[model]\nname = "parts"\nmode = ▸"biliner"\n' + TRAIN, "wrong-value", "bilinear", "one of"),
    Mistake('[model]\nname = "parts"\n▸table = [1]\n' + TRAIN, "not-writable", None, "comes from the dataset's facts"),
    Mistake('[model]\nname = "parts"\n▸options = 1\n' + TRAIN, "unknown-key", None, "unknown key `options`"),
    Mistake('[model]\nname = "parts"\nsizes = [1, ▸"2"]\n' + TRAIN, "wrong-type", None, "`sizes[1]` of model"),
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
    Mistake("[train]\nepochs = ▸0\n", "wrong-value", None, "should be at least 1"),
    Mistake('[train]\nepochs = ▸"3"\n', "wrong-type", None, 'is the string "3"; it should be an integer'),
    Mistake("[train]\nepochs = 1\n▸steps = 2\n", "conflict", None, "both `epochs` and `steps`"),
    Mistake(TRAIN + 'precision = ▸"fp23"\n', "wrong-value", "fp32", "one of"),
    Mistake(TRAIN + 'device = ▸"cuda:one"\n', "wrong-value", "cuda", "auto, cpu, cuda or cuda:N"),
    Mistake(TRAIN + "ema = ▸1.5\n", "wrong-value", None, "less than 1"),
    Mistake(TRAIN + "freeze = [▸1]\n", "wrong-type", None, "it should be a string"),
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
    Mistake(TRAIN + "[eval]\nmetrics = [▸3]\n", "wrong-type", None, "`metrics[0]` of [eval]"),
    Mistake(TRAIN + "[[train.▸groups]]\nlr = 1.0\n", "missing-key", None, "needs `params`"),
    Mistake(
        TRAIN + '[[train.groups]]\nparams = ["a"]\n[[train.groups]]\nparams = ["b"]\n▸wieght_decay = 0.0\n',
        "unknown-key", "weight_decay", "of optimizer `adam`",
    ),
    Mistake(TRAIN + 'groups = [{ params = [":bias"], lr = ▸"x" }]\n', "wrong-type", None, "should be a number"),
    Mistake(TRAIN + '[expect]\n"val/loss" = ▸0.1\n', "wrong-type", None, "it should be a table: { min = 0.9 }"),
    Mistake(TRAIN + '[expect]\n"val/loss" = { ▸mx = 0.1 }\n', "unknown-key", "max", "`min` and `max`"),
    Mistake(TRAIN + '[expect."val/loss"]\nmax = ▸"low"\n', "wrong-type", None, "it should be a number"),
    # two metrics of one name
    Mistake(TRAIN + '[eval]\nmetrics = ["accuracy", ▸"accuracy"]\n', "two-of-a-name", None, "with `as`"),
    Mistake(
        TRAIN + '[eval]\nmetrics = ["accuracy", ▸{ name = "basics/accuracy", average = "macro" }]\n',
        "two-of-a-name", None, "a second metric makes the figure `accuracy`",
    ),
    Mistake(
        TRAIN + '[eval]\nmetrics = ["f1", { name = "accuracy", as = "a" }, ▸{ name = "f1", as = "a" }]\n',
        "two-of-a-name", None, "the figure `a`",
    ),
    Mistake(TRAIN + '[eval]\nmetrics = ["f1", { name = "f1", ▸ass = "a" }]\n', "unknown-key", None, "key `ass`"),
    Mistake(TRAIN + '[eval]\nmetrics = [{ name = "f1", as = ▸3 }]\n', "wrong-type", None, "`as` of a metric is 3"),
    *(
        Mistake(TRAIN + f'[eval]\nmetrics = [{{ name = "f1", as = ▸"{name}" }}]\n', "wrong-value", None, "a name for a")
        for name in ("loss", "loss_a", "val/a", "", "-a", "a b")
    ),
    # figures
    Mistake(TRAIN + 'monitor = ▸"val/los"\n', "unknown-figure", "val/loss", "`monitor` of [train] is `val/los`"),
    Mistake(TRAIN + 'monitor = ▸"vall/loss"\n', "unknown-figure", "val/loss", "no figure of this recipe"),
    Mistake(TRAIN + 'monitor = ▸"loss"\n', "unknown-figure", "val/loss", "no figure of this recipe"),
    Mistake(TRAIN + '[expect]\n▸"train/loss" = { max = 1 }\n', "unknown-figure", "val/loss", "of [expect]"),
    Mistake(TRAIN + '[expect]\n▸"val/accuracy" = { min = 1 }\n', "unknown-figure", None, "are `val/loss`"),
    Mistake(TRAIN + '[expect]\n▸"out_of_fold/loss" = { min = 1 }\n', "unknown-figure", "val/loss", "no figure"),
    Mistake(
        TRAIN + '[eval]\nsplit = "test"\n[expect]\n▸"val/loss" = { max = 1 }\n', "unknown-figure", "test/loss", ""
    ),
    Mistake(
        TRAIN + '[eval]\nmetrics = ["mean_absolute_error"]\n[expect]\n▸"val/mean_absolut_error" = { max = 1 }\n',
        "unknown-figure", "val/mean_absolute_error", "no figure",
    ),
    Mistake(
        FORECAST + '[eval]\nmetrics = [{ name = "step_error", as = "x" }]\n[expect]\n▸"val/error_4" = { max = 1 }\n',
        "unknown-figure", "val/x_error_4", "`val/x_error_64`",
    ),
    Mistake(TRAIN + '[sweep]\nfigure = ▸"val/lss"\n', "unknown-figure", "val/loss", "`figure` of [sweep] is `val/lss`"),
    Mistake(TRAIN + '[eval]\nsplit = "test"\n[▸sweep]\ntrials = 1\n', "unknown-figure", "test/loss", "is `val/loss`"),
    Mistake(
        'task = "classification"\nmodel = "lenet"\ndataset = "digits"\n' + TRAIN + '[eval]\nmetrics = ▸["f1"]\n',
        "unknown-figure", None, "the task monitors `val/accuracy`",
    ),
    # bounds
    Mistake(TRAIN + '[expect]\n"val/loss" = { min = 5, max = ▸1 }\n', "wrong-value", None, "nothing is within both"),
    Mistake(TRAIN + '[expect]\n"val/loss" = { max = ▸nan }\n', "wrong-value", None, "is nan; it should be"),
    Mistake(TRAIN + '[expect]\n"val/loss" = { min = ▸-inf }\n', "wrong-value", None, "finite"),
    Mistake(TRAIN + '[expect]\n"val/loss" = { max = ▸true }\n', "wrong-type", None, "it should be a number"),
    Mistake(TRAIN + '[expect]\n"val/loss" = ▸{}\n', "missing-key", None, "neither `min` nor `max`"),
    # numbers that are none
    Mistake('optimizer = { name = "adam", lr = ▸nan }\n' + TRAIN, "wrong-value", None, "a finite number"),
    Mistake(TRAIN + "warmup_epochs = ▸inf\n", "wrong-value", None, "a finite number"),
    Mistake(TRAIN + "time_limit = ▸-inf\n", "wrong-value", None, "a finite number"),
    # initialisers
    Mistake(TRAIN + 'initialize = { "a" = "zeros", "b" = ▸"zeroes" }\n', "wrong-value", "zeros", "unknown initialiser"),
    Mistake(TRAIN + '[train.initialize]\n"*" = ▸"nrmal(0.1)"\n', "wrong-value", "normal(0.1)", "for `*`"),
    Mistake(TRAIN + '[train.initialize]\n"a" = "zeros"\n"b" = ▸5\n', "wrong-type", None, "it should be a string"),
    Mistake(TRAIN + '[train.initialize]\n"*" = ▸"normal(nan)"\n', "wrong-value", None, "should be finite"),
    # groups
    Mistake(TRAIN + '[[train.groups]]\n▸parms = ["*"]\n', "unknown-key", "params", "unknown key `parms`"),
    Mistake(TRAIN + "[[train.groups]]\nparams = [▸1]\n", "wrong-type", None, "`params[0]`"),
    Mistake(TRAIN + '[[train.groups]]\nparams = ▸"*"\n', "wrong-type", None, "a list of strings"),
    Mistake(TRAIN + '[[train.groups]]\nparams = ["*"]\nlr = ▸07:32:00\n', "wrong-type", None, "date or time"),
    Mistake(TRAIN + "groups = [▸3]\n", "wrong-type", None, "`groups[0]` of [train] is 3"),
    # devices
    Mistake(TRAIN + 'device = ▸"gpu"\n', "wrong-value", "cuda", "auto, cpu, cuda or cuda:N"),
    Mistake(TRAIN + 'device = ▸"GPU:1"\n', "wrong-value", "cuda:1", "auto, cpu, cuda or cuda:N"),
    Mistake(TRAIN + 'device = ▸"cuda:"\n', "wrong-value", "cuda", "auto, cpu, cuda or cuda:N"),
    # what a misspelt name brings with it
    Mistake('▸extendsx = "base.toml"\n[train]\nseed = 1\n[[train.groups]]\nlr = 1.0\n', "unknown-key", "extends", ""),
    Mistake('[▸modell]\nname = "tiny_mlp"\n[quick.model]\nwidth = 3\n' + TRAIN, "unknown-key", "model", ""),
    Mistake('[▸tarin]\nepochs = 1\n[[train.groups]]\nparams = ["*"]\n', "unknown-key", "train", "unknown key `tarin`"),
    Mistake(
        TRAIN + '[▸evall]\nsplit = "test"\n[expect]\n"test/loss" = { max = 1 }\n', "unknown-key", "eval", "`evall`"
    ),
    Mistake('[▸initt]\nfrom = "a"\n' + TRAIN, "unknown-key", "init", "unknown key `initt`"),
    # [quick]
    Mistake(TRAIN + '[quick]\n▸extends = "x"\n', "unknown-key", None, "stands in a recipe's file"),
    Mistake(TRAIN + '[quick.▸expct]\n"val/loss" = { max = 1 }\n', "unknown-key", "expect", "unknown key `expct`"),
    Mistake(TRAIN + '[quick]\n▸"trian.epochs" = 1\n', "unknown-key", "train", "unknown key `trian`"),
    Mistake(TRAIN + '[quick.sweep.over]\n▸"train.sed" = [1]\n', "unknown-key", "seed", "unknown key `sed`"),
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
    # what a sweep varies
    *(
        Mistake(TRAIN + "[sweep.over]\n" + over + "\n", code, suggestion, message)
        for over, code, suggestion, message in (
            ('▸"train.sed" = [0, 1]', "unknown-key", "seed", "unknown key `sed` of [train]"),
            ('"train.seed" = [▸"x", 1]', "wrong-type", None, "should be an integer"),
            ('"train.batch_size" = [16, ▸"x"]', "wrong-type", None, "should be an integer"),
            ('"optimizer.betas" = [[0.9, 0.99], [0.9, ▸"x"]]', "wrong-type", None, "`betas[1]` of optimizer"),
            ('"train.batch_size" = { low = 1, high = ▸2.5 }', "wrong-type", None, "should be an integer"),
            ('"train.batch_size" = { low = ▸0, high = 2 }', "wrong-value", None, "should be at least 1"),
            ('"optimizer.lr" = { low = 1.0, high = ▸0.1 }', "wrong-value", None, "it should be above `low`"),
            ('"optimizer.lr" = { low = 0.1, high = ▸0.1 }', "wrong-value", None, "it should be above `low`"),
            ('"optimizer.lr" = { low = ▸0.0, high = 0.1, log = true }', "wrong-value", None, "begins above 0"),
            ('"optimizer.lr" = { low = ▸nan, high = 0.1 }', "wrong-type", None, "a finite number"),
            ('"optimizer.lr" = { low = 0.1, high = ▸inf }', "wrong-type", None, "a finite number"),
            ('"train.seed" = { low = ▸true, high = 2 }', "wrong-type", None, "a finite number"),
            ('"train.seed" = { low = 1, high = ▸{} }', "wrong-type", None, "a finite number"),
            ('"train.seed" = { low = ▸"a", high = "b" }', "wrong-type", None, "a finite number"),
            ('"optimizer.lr" = { low = 0.1, high = 0.2, log = ▸1 }', "wrong-type", None, "true or false"),
            ('"optimizer.lr" = { low = 0.1, high = 0.2, ▸logg = true }', "unknown-key", "log", "unknown key `logg`"),
            ('"optimizer.lr" = ▸{ low = 0.1 }', "missing-key", None, "has no `high`"),
            ('"train.seed" = ▸[]', "wrong-value", None, "no values to choose from"),
            ('"train.seed" = { ▸name = "x" }', "unknown-key", None, "unknown key `name` of the range"),
            ('"train.seed" = ▸"x"', "wrong-type", None, "a list of values or a range"),
            ('"train.seed" = [▸1979-05-27]', "wrong-type", None, "date or time"),
            ('"train.seed" = ▸1979-05-27', "wrong-type", None, "a list of values or a range"),
            ('▸"" = [1]', "unknown-key", None, "unknown key ``"),
            ('▸"train.epochs.x" = [1]', "no-table", None, "is no table"),
        )
    ),
    *(
        Mistake(TRAIN + f"[sweep]\nover = {{ {over} }}\n", code, suggestion, message)
        for over, code, suggestion, message in (
            ('model = ["tiny_mlp", ▸"tiny_mpl"]', "unknown-component", "tiny_mlp", "unknown model"),
            ('model = ["tiny_mlp", { name = "tiny_mlp", ▸widht = 3 }]', "unknown-key", "width", "unknown key `widht`"),
            ('model = ["parts", "tiny_mlp"], ▸"model.mode" = ["nearest"]', "unknown-key", None, "of model `tiny_mlp`"),
        )
    ),
    Mistake(TRAIN + "[sweep]\nover = ▸3\n", "wrong-type", None, "a table of any values"),
    Mistake(
        TRAIN + '[sweep]\nmethod = "grid"\n[sweep.over]\n"optimizer.lr" = ▸{ low = 0.1, high = 0.2 }\n',
        "wrong-value", None, "a grid needs a list",
    ),
    # too much of it
    Mistake(TRAIN + "seed = ▸" + "[" * 13 + "]" * 13 + "\n", "syntax", None, "deeper than 12 levels"),
    Mistake(TRAIN + "seed = ▸" + "{a=" * 13 + "1" + "}" * 13 + "\n", "syntax", None, "deeper than 12 levels"),
    Mistake(TRAIN + "seed" + ".a" * 10 + ".▸a.a = 1\n", "too-deep", None, "deeper than 12 levels"),
    # no TOML
    Mistake(TRAIN + "freeze = [\"a\", ▸\"b, \"c\"]\n", "syntax", None, ""),
    Mistake(TRAIN + "freeze = ▸[\"a\"\n\nseed = 3\n", "syntax", None, "unclosed array"),
    Mistake('task = ▸curve"\n' + TRAIN, "syntax", None, "invalid value"),
    Mistake(TRAIN + "seed = ▸1.2.3\n", "syntax", None, ""),
    Mistake("summary = ▸'it is\n" + TRAIN, "syntax", None, "this string does not end"),
    Mistake(TRAIN + 'monitor = ▸"""val/loss\n', "syntax", None, "this string does not end"),
    Mistake("[train]\nepochs = ▸= 1\n", "syntax", None, "invalid value"),
    Mistake("[train]\nepochs = 1\n▸epochs = 2\n", "syntax", None, "overwrite"),
    Mistake('task = ▸"cur\n', "syntax", None, "this string does not end"),
    Mistake("[▸train\nepochs = 1\n", "syntax", None, ""),
    Mistake(TRAIN + "seed = ▸01\n", "syntax", None, ""),
]  # fmt: skip
