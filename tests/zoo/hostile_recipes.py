"""Recipes that try to reach code, files or the machine's limits: each is a table of one text a case."""

from __future__ import annotations

GOOD = 'task = "curve"\nmodel = "tiny_mlp"\ndataset = "sine_curve"\noptimizer = "adam"\n[train]\nsteps = 1\n'
CODE = "__import__('os').system('touch pwned')"

NAMES = [
    "os:system", "os.system", "subprocess:run", "builtins:exec", "builtins.eval", "pathlib:Path.write_text",
    "tiny/os:system", "tiny/../basics/adam", "zoo_tiny.mlp:TinyMLP", "__class__", "tiny_mlp.__class__", "__init__",
    "__import__('os')", "{0.__class__}", "%s%n%x", "$(touch pwned)", "`touch pwned`", "; touch pwned", "| touch pwned",
    "file:///etc/passwd", "http://127.0.0.1:9/model", "/etc/passwd", "../../../etc/passwd", "\\u0000", "a\\u0000b",
    "", " ", "*", "(a+)+$", "[[[[", "tiny_mlp\\n[train]", "\\u202Etiny_mlp", "tiny_mlp\\u200b", "🐈" * 50, "a" * 5000,
]  # fmt: skip

PARAMETERS = [
    "__class__", "__init__", "__dict__", "self", "__call__", "forward", "num_inputs.__class__", "args", "kwargs",
    "__globals__", "__reduce__", "{width}", "lambda: 0", "__import__('os')",
]  # fmt: skip

RECIPES = {
    **{f"a model named {name[:30]}": GOOD.replace('"tiny_mlp"', f'"{name}"') for name in NAMES},
    **{f"a parameter {key}": GOOD.replace('model = "tiny_mlp"', f'model = {{ name = "tiny_mlp", "{key}" = 1 }}')
       for key in PARAMETERS},
    # paths
    **{f"extends {path}": f'extends = "{path}"\n' for path in (
        "/etc/passwd", "../secret.toml", "./../secret.toml", "a/../../secret.toml", "/dev/zero", "/dev/stdin",
        "/proc/self/environ", "~/secret.toml", "file:///etc/passwd", "http://127.0.0.1:9/a.toml", "\\u0000",
        "a\\u0000.toml", ".", "..", "", "a" * 5000, "link.toml/../../secret.toml", "$HOME/secret.toml")},
    **{f"a recipe named {name}": f'name = "{name}"\n' + GOOD for name in (
        "/tmp/pwned", "../pwned", "..", ".", "", "a/b", "~", "\\u0000", "a" * 5000, "$(touch pwned)", "a\\nb")},
    **{f"weights from {path}": GOOD + f'[init]\nfrom = "{path}"\n' for path in (
        "/etc", "/etc/passwd", "..", "../..", "/proc/self", "/dev/zero", "\\u0000", "a" * 5000, "http://127.0.0.1:9/")},
    "a split that is a path": GOOD + '[eval]\nsplit = "../../etc/passwd"\n',
    "a device that is a path": GOOD + 'device = "/dev/sda"\n',
    "a device of absurd number": GOOD + 'device = "cuda:99999999999999999999"\n',
    # code and patterns as values
    "code as a number": GOOD + f'seed = "{CODE}"\n',
    "code as a pattern": GOOD + f'freeze = ["{CODE}"]\n',
    "code as an initialiser": GOOD + f'initialize = {{ "*" = "{CODE}" }}\n',
    "a private initialiser": GOOD + 'initialize = { "*" = "__class__" }\n',
    "an initialiser with code": GOOD + 'initialize = { "*" = "normal(__import__(1))" }\n',
    "a slow pattern": GOOD + f'freeze = ["{"*a" * 40}b"]\n',
    "a slow expression": GOOD + 'freeze = ["^(([a-z])+.)+[A-Z]([a-z])+$", "(a|a)*b"]\n',
    "a format as a metric": GOOD + '[eval]\nmetrics = ["{0.__class__.__mro__}"]\n',
    "quick sets a dunder": GOOD + '[quick]\n"__class__.__init__" = 1\n',
    "quick goes deep": GOOD + f'[quick]\n"train{".a" * 10_000}" = 1\n',
    "code as a figure": GOOD + f'monitor = "{CODE}"\n',
    "an expected figure of code": GOOD + f'[expect]\n"{CODE}" = {{ min = 0 }}\n',
    "groups of dunders": GOOD + 'groups = [{ params = ["*"], __class__ = 1 }]\n',
    # numbers and dates
    "a huge integer": GOOD + f"seed = {'9' * 5_000}\n",
    "a huge hexadecimal": GOOD + f"seed = 0x{'f' * 10_000}\n",
    "a large integer": GOOD + f"batch_size = {2**63}\n",
    "infinite steps": GOOD.replace("steps = 1", "steps = inf"),
    "no rate at all": GOOD.replace('"adam"', '{ name = "adam", lr = nan }').replace("steps = 1", 'steps = "1"'),
    "a negative batch": GOOD + "batch_size = -1\n",
    "a date": GOOD + "seed = 1979-05-27T07:32:00Z\n",
    "a time as a name": "task = 07:32:00\n" + GOOD.partition("\n")[2],
    # size and depth
    "a string of 10 MB": GOOD + f'monitor = "{"a" * 10_000_000}"\n',
    "a string of nearly 1 MB": GOOD + f'device = "{"a" * 990_000}"\n',
    "a key of nearly 1 MB": f"{'a' * 990_000} = 1\n" + GOOD,
    "arrays 10,000 deep": GOOD + f"groups = {'[' * 10_000}{']' * 10_000}\n",
    "arrays 400 deep": GOOD + f"groups = {'[' * 400}{']' * 400}\n",
    "inline tables 10,000 deep": GOOD + f"initialize = {'{a=' * 10_000}1{'}' * 10_000}\n",
    "keys 10,000 deep": GOOD + f"initialize{'.a' * 10_000} = 1\n",
    "a header 10,000 deep": GOOD + f"[a{'.a' * 10_000}]\n",
    "50,000 groups": GOOD + "[[train.groups]]\n" * 50_000,
    "20,000 keys": GOOD + "".join(f"k{i} = 1\n" for i in range(20_000)),
    "2,000 keys": GOOD + "".join(f"k{i} = 1\n" for i in range(2_000)),
    # bytes
    "a NUL byte": GOOD.replace("curve", "cur\0ve"),
    "a control character": GOOD + "\x1b[2J",
    "invalid UTF-8": GOOD.encode() + b'monitor = "\xff\xfe"\n',
    "UTF-16": GOOD.encode("utf-16"),
    "an overlong encoding": GOOD.encode() + b'monitor = "\xc0\xaf"\n',
    "a lone surrogate": GOOD + 'monitor = "\\uD800"\n',
    "a pickle": b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
    "Python": "import os\nos.system('touch pwned')\n",
    "YAML": "!!python/object/apply:os.system ['touch pwned']\n",
    "nothing": "",
}  # fmt: skip

# Right as recipes: what they hold is a pattern for names and a text for people, which nothing evaluates.
HARMLESS = {
    "code as a pattern": GOOD + f'freeze = ["{CODE}"]\n',
    "code as a summary": f'summary = "{CODE}"\n' + GOOD,
}
