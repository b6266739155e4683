"""How weights that others trained are tested: which weights, and which views of each picture they see."""

from dataclasses import dataclass

from resbench.specs.published import Tested


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluating:
    """One test of one set of weights.

    Attributes:
        weights: as the arm names them: a name of torchvision's, a file, or the folder of a run.
        digest: of the file, SHA-256 in hex; empty for a name, whose file is checked by its own hash.
        tested: the views.
        mirrored: whether whole pictures are joined by their mirror image; ten crops have theirs already.
        interpolation, antialias: how pictures are scaled.
        mean, std: of each channel, on the scale 0 to 1.
        average: of the views: their `logits` or their `probabilities`.
        limit: so many test samples, spread evenly; None: all.
    """

    weights: str
    digest: str
    tested: Tested
    mirrored: bool
    interpolation: str
    antialias: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]
    average: str
    limit: int | None
