"""Things drawn from code: the objects and distractors of `scenes`, turned, shaded, and cut out with soft edges.

Every drawing is a function of the `random.Random` it is given. The pixels must not depend on the machine: angles go
through `math`, whose functions are the C library's, and arrays only meet operations that IEEE 754 rounds exactly.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]
Colour = tuple[int, int, int]

SUPERSAMPLING = 3
MARGIN = 1.25  # a canvas is this much wider than the thing on it, for the shadow
SHADOW = [round(0.45 * value) for value in range(256)]  # opacity of the shadow, by that of the blurred thing
WHITE, BLACK = (245, 245, 240), (25, 22, 28)


@dataclass(frozen=True)
class Part:
    """A filled outline in the thing's own coordinates: x to the right, y down, all inside the unit circle.

    Parts are painted in order. One without a colour is a hole.
    """

    outline: Sequence[Point]
    colour: Colour | None


@dataclass(frozen=True)
class Cutout:
    """A thing ready to be pasted: RGB `picture`, its opacity `mask` and its `shadow`, all of one size."""

    picture: Image.Image
    mask: Image.Image
    shadow: Image.Image
    solid: np.ndarray  # bool (side, side): the pixels that are the thing's


Drawing = Callable[[Random], list[Part]]


# Objects: each is several parts whose proportions vary


def fish(random: Random) -> list[Part]:
    body, fins = _two_colours(random)
    height = random.uniform(0.36, 0.5)
    centre, reach = 0.2, 0.78
    tail = random.uniform(0.4, 0.52)

    def band(start: float, end: float) -> list[Point]:
        """The body between two of its verticals."""
        across = [start + (end - start) * step / 8 for step in range(9)]
        upper = [(centre + x * reach, -height * math.sqrt(1 - x * x)) for x in across]
        return upper + [(x, -y) for x, y in reversed(upper)]

    parts = [
        Part([(-0.4, 0.0), (-0.98, -tail), (-0.8, 0.0), (-0.98, tail)], fins),
        Part([(-0.2, -height * 0.8), (-0.05, -height - 0.26), (0.5, -height * 0.7)], fins),
        Part([(-0.1, height * 0.8), (-0.05, height + 0.18), (0.3, height * 0.8)], fins),
        Part(_ellipse(centre, 0, reach, height), body),
    ]
    parts += [Part(band(x, x + 0.16), fins) for x in (-0.75, -0.3, 0.15)[: random.randrange(4)]]
    eye = 0.2 * height
    return [
        *parts,
        Part(_ellipse(0.64, -height * 0.25, 1.2 * eye, 1.2 * eye), WHITE),
        Part(_ellipse(0.66, -height * 0.25, 0.65 * eye, 0.65 * eye), BLACK),
    ]


def mug(random: Random) -> list[Part]:
    clay, paint = _two_colours(random)
    left, right = -0.72, 0.4
    half, centre = (right - left) / 2, (right + left) / 2
    top, bottom = -random.uniform(0.5, 0.62), random.uniform(0.5, 0.62)
    round_ = 0.16  # how much of the rim and the bottom is seen from above
    handle = random.uniform(0.36, 0.46)

    def wall(start: float, end: float) -> list[Point]:
        """The outside between two heights."""
        below = _arc(centre, end, half, round_, 0, math.pi)
        above = _arc(centre, start, half, round_, math.pi, 0)
        return below + above

    parts = [
        Part(_ellipse(right, 0.02, handle, handle), clay),
        Part(_ellipse(right + 0.02, 0.02, handle - 0.17, handle - 0.17), None),
        Part(wall(top, bottom - round_), clay),
    ]
    if random.random() < 0.7:
        start = random.uniform(-0.15, 0.0)
        parts.append(Part(wall(start, start + random.uniform(0.12, 0.3)), paint))
    drink = random.choice([(58, 34, 22), (120, 62, 24), (225, 214, 190), (96, 110, 50)])
    return [
        *parts,
        Part(_ellipse(centre, top, half, round_), _lighter(clay)),
        Part(_ellipse(centre, top + 0.015, half * 0.86, round_ * 0.72), drink),
    ]


def mushroom(random: Random) -> list[Part]:
    cap, _ = _two_colours(random)
    stem = random.choice([(238, 226, 200), (214, 190, 150), (246, 240, 228)])
    dots = random.choice([WHITE, (250, 225, 130), _lighter(cap)])
    width, height = random.uniform(0.82, 0.95), random.uniform(0.72, 0.9)
    waist, foot = random.uniform(0.2, 0.28), random.uniform(0.28, 0.4)
    parts = [
        Part([(-waist, 0), (waist, 0), *_arc(0, 0.78, foot, 0.16, 0, math.pi)], stem),
        Part(_arc(0, 0.02, width, 0.2, 0, math.pi), _darker(stem)),
        Part(_arc(0, 0.02, width, height, math.pi, 2 * math.pi) + _arc(0, 0.02, width, 0.07, 0, math.pi), cap),
    ]
    spots = [(0.0, -0.6, 0.13), (-0.42, -0.36, 0.15), (0.4, -0.42, 0.12), (-0.02, -0.22, 0.14), (0.62, -0.14, 0.11)]
    for x, y, size in random.sample(spots, random.randrange(2, 6)):
        parts.append(Part(_ellipse(x * width, y * height, size, size * 0.85), dots))
    return parts


# Distractors: none has the outline or the parts of an object


def ball(random: Random) -> list[Part]:
    colour, stripe = _two_colours(random)
    band = [(0.9 * x, 0.22 * y) for x, y in _ellipse(0, 0, 1, 1)]
    return [Part(_ellipse(0, 0, 0.92, 0.92), colour), Part(band, stripe)]


def box(random: Random) -> list[Part]:
    colour, ribbon = _two_colours(random)
    width, height = random.uniform(0.5, 0.75), random.uniform(0.35, 0.65)
    x = random.uniform(-0.4, 0.2)
    return [
        Part(_rectangle(-width, -height, width, height), colour),
        Part(_rectangle(x, -height, x + 0.2, height), ribbon),
    ]


def ring(random: Random) -> list[Part]:
    colour, _ = _two_colours(random)
    hole = random.uniform(0.4, 0.6)
    return [Part(_ellipse(0, 0, 0.92, 0.92), colour), Part(_ellipse(0, 0, hole, hole), None)]


def cross(random: Random) -> list[Part]:
    colour, _ = _two_colours(random)
    arm = random.uniform(0.18, 0.32)
    return [Part(_rectangle(-0.9, -arm, 0.9, arm), colour), Part(_rectangle(-arm, -0.9, arm, 0.9), colour)]


def triangle(random: Random) -> list[Part]:
    outer, inner = _two_colours(random)
    corners = [(0.9 * math.cos(angle), 0.9 * math.sin(angle)) for angle in (0.0, 2.1, 4.2)]
    share = random.uniform(0.3, 0.6)
    return [Part(corners, outer), Part([(share * x, share * y) for x, y in corners], inner)]


def crescent(random: Random) -> list[Part]:
    colour, _ = _two_colours(random)
    return [Part(_ellipse(0, 0, 0.92, 0.92), colour), Part(_ellipse(random.uniform(0.35, 0.55), 0, 0.75, 0.75), None)]


OBJECTS: dict[str, Drawing] = {"fish": fish, "mug": mug, "mushroom": mushroom}
DISTRACTORS: tuple[Drawing, ...] = (ball, box, ring, cross, triangle, crescent)


def cut_out(parts: Sequence[Part], side: float, turn: float, light: Point, haze: float) -> Cutout:
    """Draw a thing `side` pixels across.

    Args:
        turn: angle in radians, clockwise.
        light: unit vector that points to where the light comes from, y down.
        haze: how far the thing's colours fade, 0 to 1.
    """
    picture, mask = _painted(parts, side, turn)
    blur = max(1.0, 0.05 * side)
    height = mask.filter(ImageFilter.GaussianBlur(blur))
    shaded = _shaded(np.asarray(picture), np.asarray(height), blur, light, haze)
    shift = 0.05 * side
    shadow = ImageChops.offset(height, round(-shift * light[0]), round(-shift * light[1])).point(SHADOW)
    return Cutout(Image.fromarray(shaded), mask, shadow, np.asarray(mask) >= 128)


def _painted(parts: Sequence[Part], side: float, turn: float) -> tuple[Image.Image, Image.Image]:
    """Colours and opacity, without light."""
    canvas = math.ceil(side * MARGIN)
    large = canvas * SUPERSAMPLING
    scale, middle = side * SUPERSAMPLING / 2, large / 2
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    # Painted on its own colour: the soft edge must not mix with black.
    picture = Image.new("RGB", (large, large), next(part.colour for part in parts if part.colour))
    mask = Image.new("L", (large, large))
    colours, opacity = ImageDraw.Draw(picture), ImageDraw.Draw(mask)
    for part in parts:
        outline = [(middle + x * cos - y * sin, middle + x * sin + y * cos) for x, y in part.outline]
        opacity.polygon(outline, fill=255 if part.colour else 0)
        if part.colour:
            colours.polygon(outline, fill=part.colour)
    return picture.reduce(SUPERSAMPLING), mask.reduce(SUPERSAMPLING)


def _shaded(picture: np.ndarray, height: np.ndarray, blur: float, light: Point, haze: float) -> np.ndarray:
    """Light from one side on a thing whose blurred mask is its height, so that it looks inflated."""
    relief = height.astype(np.float32)
    slope = np.zeros_like(relief)
    slope[:, 1:-1] = (relief[:, :-2] - relief[:, 2:]) * np.float32(light[0])
    slope[1:-1] += (relief[:-2] - relief[2:]) * np.float32(light[1])
    along = np.arange(len(relief), dtype=np.float32) / np.float32(len(relief)) - np.float32(0.5)
    ramp = along[None, :] * np.float32(light[0]) + along[:, None] * np.float32(light[1])
    shade = np.float32(1) - slope * np.float32(blur / 255) * np.float32(0.75) + ramp * np.float32(0.5)
    shine = np.maximum(shade - np.float32(1.25), 0) * np.float32(220)
    lit = picture * shade[:, :, None] + shine[:, :, None]
    hazed = lit + (np.float32(128) - lit) * np.float32(haze)
    return hazed.clip(0, 255).astype(np.uint8)


# Outlines and colours


def _arc(x: float, y: float, across: float, down: float, start: float, end: float, steps: int = 24) -> list[Point]:
    """Part of an ellipse, from one angle to another, both ends included."""
    angles = [start + (end - start) * step / steps for step in range(steps + 1)]
    return [(x + across * math.cos(angle), y + down * math.sin(angle)) for angle in angles]


def _ellipse(x: float, y: float, across: float, down: float) -> list[Point]:
    return _arc(x, y, across, down, 0, 2 * math.pi, 40)


def _rectangle(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _two_colours(random: Random) -> tuple[Colour, Colour]:
    """Draw colours of any hue, far enough apart in it to be seen on one another."""
    hue = random.random()
    other = hue + random.uniform(0.25, 0.75)
    return _colour(random, hue), _colour(random, other)


def _colour(random: Random, hue: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, random.uniform(0.35, 0.95), random.uniform(0.55, 1.0))
    return round(255 * red), round(255 * green), round(255 * blue)


def _lighter(colour: Colour) -> Colour:
    red, green, blue = (value + (255 - value) // 3 for value in colour)
    return red, green, blue


def _darker(colour: Colour) -> Colour:
    red, green, blue = (value * 3 // 4 for value in colour)
    return red, green, blue
