"""Drawn pictures of 32x32 in place of CIFAR, so that its suites run with nothing downloaded.

Each class is an outline, a hue and a texture of `resbench.datasets.sample_looks`, on a noisy ground; one seed decides all
of it. They are drawn into memory: CIFAR's own files are pickles, and only the published ones are opened.
"""

import colorsys
import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from resbench.datasets.data import Data, Split, majority_share
from resbench.datasets.sample_looks import LOOKS, Texture
from resbench.specs import DataIdentity

LABEL = "resbench sample (drawn pictures of 32x32)"
SEED = 2009
SIDE = 32
TRAIN, TEST = 600, 200
CLASSES = {"cifar10": 10, "cifar100": 100}
_HUES = 5

Pixels = NDArray[np.uint8]


class Drawn(NamedTuple):
    """Pictures and their classes."""

    images_NHWC: Pixels
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPictures:
    """Loads the pictures of one part; each process draws them at its first picture."""

    classes: int
    train: bool

    def __call__(self, index: int) -> Image.Image:
        """Return one picture."""
        return Image.fromarray(draw(self.classes, train=self.train).images_NHWC[index])


def open_cifar_sample(name: str) -> Data:
    """Return the sample in place of `cifar10` or `cifar100`."""
    classes = CLASSES[name]
    train, test = (
        Split(labels=draw(classes, train=part).labels, load=DrawnPictures(classes=classes, train=part))
        for part in (True, False)
    )
    pixels = b"".join(draw(classes, train=part).images_NHWC.tobytes() for part in (True, False))
    identity = DataIdentity(
        kind=name,
        label=LABEL,
        official=False,
        fingerprint=hashlib.sha256(pixels).hexdigest(),
        classes=classes,
        train_samples=len(train),
        test_samples=len(test),
        majority=majority_share(test.labels),
    )
    return Data(
        identity=identity,
        classes=tuple(f"drawn {number}" for number in range(classes)),
        train=train,
        test=test,
    )


# Two parts of each of two sets: 10 MB of pixels in all.
@lru_cache(maxsize=4)
def draw(classes: int, *, train: bool) -> Drawn:
    """Draw one part: every class as often as any, in a shuffled order."""
    random = Random(SEED + 2 * classes + train)  # noqa: S311 - pictures, not secrets
    labels = [number % classes for number in range(TRAIN if train else TEST)]
    random.shuffle(labels)
    return Drawn(np.stack([_picture(random, label) for label in labels]), tuple(labels))


def _picture(random: Random, label: int) -> Pixels:
    look = list(LOOKS.values())[label % len(LOOKS)]
    hue = (look.hue + label // len(LOOKS) / _HUES + random.uniform(-0.02, 0.02)) % 1.0
    bright, dark = (
        255 * np.array(colorsys.hsv_to_rgb(hue, 0.8, light)) for light in (random.uniform(0.75, 1.0), 0.45)
    )
    noise_HWC = np.frombuffer(random.randbytes(SIDE * SIDE), np.uint8).reshape(SIDE, SIDE, 1) / 255
    ground_HWC = random.uniform(70, 180) + 40 * (noise_HWC - 0.5) + np.zeros(3)
    mask = Image.new("L", (SIDE, SIDE))
    size = random.uniform(0.6, 0.9) * SIDE / 2 / max(1.0, look.aspect)
    x, y = (SIDE / 2 + random.uniform(-3, 3) for _ in range(2))
    corners = look.outline(math.radians(random.uniform(-12, 12)))
    ImageDraw.Draw(mask).polygon([(x + a * size, y + b * size) for a, b in corners], fill=255)
    filled_HWC = np.where(_texture(look.texture)[:, :, None], dark, bright)
    inside_HW1 = np.asarray(mask)[:, :, None] > 0
    return np.where(inside_HW1, filled_HWC, ground_HWC).clip(0, 255).astype(np.uint8)


def _texture(texture: Texture) -> NDArray[np.bool_]:
    """Return where the second colour of a texture is: stripes or checks of three pixels."""
    rows_HW, columns_HW = (axis // 3 % 2 == 1 for axis in np.indices((SIDE, SIDE)))
    patterns: dict[Texture, NDArray[np.bool_]] = {
        Texture.PLAIN: np.zeros((SIDE, SIDE), dtype=bool),
        Texture.ROWS: rows_HW,
        Texture.COLUMNS: columns_HW,
        Texture.CHECKS: rows_HW ^ columns_HW,
    }
    return patterns[texture]
