"""A data set as the rest of resbench sees it: labelled pictures to train on, labelled pictures to test on."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from resbench.specs import DataIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One part of a data set.

    Attributes:
        labels: the class of each sample, an index into `Data.classes`.
        load: returns the RGB picture of sample i. It can be pickled, so that worker processes can load, too;
            it raises `ResbenchError`, naming the file, for a picture that cannot be read.
    """

    labels: tuple[int, ...]
    load: Callable[[int], Image.Image]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """A data set: which samples exactly, the names of its classes, and its two parts."""

    identity: DataIdentity
    classes: tuple[str, ...]
    train: Split
    test: Split


def majority_share(labels: tuple[int, ...]) -> float:
    """Return the share of samples in their most frequent class: what always guessing that class would score."""
    return max(Counter(labels).values()) / len(labels)
