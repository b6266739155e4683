"""A drawn stand-in for ImageNet: two folders of pictures of several sizes, so that its suites run with nothing downloaded.

The classes are those of the built-in sample, one object a picture; one seed decides all of it.
"""

from itertools import cycle
from pathlib import Path
from random import Random
from typing import Final

from resbench.datasets.progress import Report, silent
from resbench.datasets.sample import draw_one
from resbench.datasets.sample_looks import LOOKS

LABEL: Final = "resbench sample (drawn pictures in folders)"
SEED: Final = 2012
EACH: Final = {"train": 15, "val": 5}
"""Pictures of each class in each part."""

_SIZES: Final = ((160, 120), (120, 160), (140, 140), (192, 128))
"""Width and height, in turn: pictures of differing sizes, as photographs are."""


def draw_folders(root: Path, *, progress: Report = silent) -> None:
    """Draw the whole sample: `root/train/CLASS/*.jpg` and `root/val/CLASS/*.jpg`.

    Raises:
        OSError: a file cannot be written.
    """
    random = Random(SEED)  # noqa: S311 - pictures, not secrets
    total, done = len(LOOKS) * sum(EACH.values()), 0
    sizes = cycle(_SIZES)
    for part, each in EACH.items():
        for name, look in LOOKS.items():
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(each):
                picture = draw_one(random, look).resize(next(sizes))
                picture.save(folder / f"{number:03}.jpg", quality=90)
                done += 1
                progress("drawing the sample", done, total)
