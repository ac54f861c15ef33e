"""Whose code raised: an exception's traceback -> the plugin, its component and the method."""

from __future__ import annotations

import inspect
import sys
from types import FrameType
from typing import Any

from zoo.errors import PluginFailed
from zoo.registry.component import Component
from zoo.registry.foreign import cause
from zoo.registry.plugins import Plugin, Plugins


def blame(error: BaseException, plugins: Plugins) -> PluginFailed | None:
    """The error that names plugin, component and method, or None where no plugin's code was running.

    Of the functions that the exception has left, the innermost one that a plugin defines is to blame. It is named after
    the nearest component of that plugin that was running, else after the only one of its module.
    """
    frames = _frames(error)
    for number, frame in enumerate(frames):
        for plugin in plugins.plugins:
            if _defines(plugin, frame):
                owner, place = _named(plugin, frames[number:])
                return PluginFailed(f"{owner} ({place}): {cause(error)}", "--traceback shows where")
    return None


def _frames(error: BaseException) -> list[FrameType]:
    """The frames that an exception has left, innermost first."""
    frames: list[FrameType] = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.insert(0, traceback.tb_frame)
        traceback = traceback.tb_next
    return frames


def _defines(plugin: Plugin, frame: FrameType) -> bool:
    """Whether a frame's module is in the plugin's package, or is one that its components name.

    What lies below a module that components name is not the plugin's: `torch.nn:Linear` does not make it own torch.
    """
    module = frame.f_globals.get("__name__", "")
    package = plugin.module.partition(":")[0]
    named = (component.reference.partition(":")[0] for component in plugin.components)
    return module == package or module.startswith(f"{package}.") or module in named


def _named(plugin: Plugin, outwards: list[FrameType]) -> tuple[str, str]:
    for frame in outwards:
        component = _running(plugin, frame)
        if component is not None:
            return f"{component.kind} `{component.full_name}`", frame.f_code.co_name
    code, module = outwards[0].f_code, outwards[0].f_globals["__name__"]
    there = [component for component in plugin.components if component.reference.partition(":")[0] == module]
    if len(there) == 1:
        return f"{there[0].kind} `{there[0].full_name}`", code.co_qualname
    return f"plugin `{plugin.name}`", code.co_qualname


def _running(plugin: Plugin, frame: FrameType) -> Component | None:
    """The component whose code a frame runs: a method of its class, or its function."""
    codes = (type(frame.f_locals.get("self")), frame.f_code)
    return next((component for component in plugin.components if _code_of(component) in codes), None)


def _code_of(component: Component) -> Any:
    """The class that a component's reference names, or its function's code; None if its module is not imported."""
    module, _, attribute = component.reference.partition(":")
    target: Any = sys.modules.get(module)
    for part in attribute.split("."):
        target = getattr(target, part, None)
    return target if inspect.isclass(target) else getattr(target, "__code__", None)
