"""How each class of the built-in sample looks: its outline, its hue and its texture."""

import math
from dataclasses import dataclass
from enum import Enum, auto


class Texture(Enum):
    """What fills an outline, in the class's colour and a darker one."""

    PLAIN = auto()
    ROWS = auto()
    COLUMNS = auto()
    CHECKS = auto()


@dataclass(frozen=True, slots=True)
class Look:
    """One class of the sample.

    Attributes:
        points: how many tips the outline has.
        inner: radius between two tips, where that of the tips is 1.
        aspect: width over height.
        hue: of the colour circle, 0 to 1.
        texture: what fills the outline.
    """

    points: int
    inner: float
    aspect: float
    hue: float
    texture: Texture

    def outline(self, turn: float) -> list[tuple[float, float]]:
        """Return the corners of the outline around (0, 0), turned by `turn` radians."""
        corners = []
        for number in range(2 * self.points):
            radius = self.inner if number % 2 else 1.0
            angle = math.pi * number / self.points
            x, y = radius * math.sin(angle) * self.aspect, -radius * math.cos(angle)
            corners.append((x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)))
        return corners


def _polygon(points: int) -> float:
    """Return the inner radius that makes the edges between the tips straight."""
    return math.cos(math.pi / points)


LOOKS = {
    "aeroplane": Look(4, 0.25, 1.4, 0.58, Texture.PLAIN),
    "bicycle": Look(12, _polygon(12), 1.6, 0.00, Texture.COLUMNS),
    "bird": Look(3, 0.25, 1.0, 0.12, Texture.PLAIN),
    "boat": Look(3, _polygon(3), 1.5, 0.50, Texture.ROWS),
    "bottle": Look(12, _polygon(12), 0.5, 0.35, Texture.PLAIN),
    "bus": Look(4, 0.9, 1.6, 0.04, Texture.CHECKS),
    "car": Look(6, _polygon(6), 1.6, 0.66, Texture.PLAIN),
    "cat": Look(5, 0.45, 1.0, 0.80, Texture.PLAIN),
    "chair": Look(4, 0.5, 0.7, 0.08, Texture.ROWS),
    "cow": Look(8, 0.8, 1.3, 0.95, Texture.CHECKS),
    "diningtable": Look(4, _polygon(4), 1.6, 0.10, Texture.COLUMNS),
    "dog": Look(5, 0.7, 1.2, 0.08, Texture.PLAIN),
    "horse": Look(6, 0.5, 1.2, 0.03, Texture.PLAIN),
    "motorbike": Look(12, 0.7, 1.4, 0.70, Texture.ROWS),
    "person": Look(4, _polygon(4), 0.55, 0.92, Texture.ROWS),
    "pottedplant": Look(9, 0.4, 0.8, 0.30, Texture.PLAIN),
    "sheep": Look(10, 0.85, 1.2, 0.16, Texture.ROWS),
    "sofa": Look(4, 0.95, 1.5, 0.75, Texture.COLUMNS),
    "train": Look(3, 0.8, 0.8, 0.45, Texture.CHECKS),
    "tvmonitor": Look(4, 0.8, 1.2, 0.55, Texture.CHECKS),
}
"""By class; no two share outline, hue and texture."""
