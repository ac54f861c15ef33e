"""A stranger's plugin: one model, one dataset, one task, one recipe, and nothing of zoo but its public names."""

from pathlib import Path

from zoo import dataset, hookimpl, model, task


@hookimpl
def zoo_components():
    return [
        model("tiny_mlp", "zoo_tiny.mlp:TinyMLP", task="curve", summary="A perceptron with one hidden layer"),
        dataset("sine_curve", "zoo_tiny.curve:sine_curve", task="curve", summary="A noisy sine, x in [-3, 3]"),
        task("curve", "zoo_tiny.curve:Curve", summary="A number for a number"),
    ]


@hookimpl
def zoo_recipes():
    return Path(__file__).parent / "recipes"
