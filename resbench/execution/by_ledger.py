"""Arms predicted from others of their family: the time of a step on the line through the operations of two that were measured.

Arms are of one family where their networks differ in depth alone, and they train on the same pictures in the same batches. Of each
family the arm with the fewest operations, that with the most, and the one nearest the middle are measured. The line goes
through the outer two, and what the middle one lies off it says how far the others may be off.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from resbench.architectures.choosing import choices_of
from resbench.architectures.description import Body
from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.residual import ResidualBody
from resbench.execution.forecast import Parts
from resbench.results import digest, plain
from resbench.specs import Experiment

LEAST_OFF = 0.10
"""No arm that was not measured is said to be known better: one arm in the middle shows little of how the others scatter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Experiments of one family, by their multiply-accumulates for a picture.

    Attributes:
        members: in the order of their operations.
        macs: of each.
    """

    members: tuple[Experiment, ...]
    macs: tuple[int, ...]

    @property
    def measured(self) -> tuple[int, ...]:
        """Places of the members to measure: all of up to three, else the outer two and the one nearest the middle."""
        last = len(self.members) - 1
        if last < 3:
            return tuple(range(last + 1))
        middle = (self.macs[0] + self.macs[last]) / 2
        return (0, min(range(1, last), key=lambda place: abs(self.macs[place] - middle)), last)


def families_of(experiments: Sequence[Experiment]) -> tuple[Family, ...]:
    """Return the families of some experiments that train."""
    groups: dict[str, list[tuple[int, Experiment]]] = {}
    for experiment in experiments:
        groups.setdefault(_family(experiment), []).append((macs_of(experiment), experiment))
    return tuple(
        Family(members=tuple(one for _, one in ordered), macs=tuple(macs for macs, _ in ordered))
        for group in groups.values()
        for ordered in [sorted(group, key=lambda pair: pair[0])]
    )


def to_measure(families: Sequence[Family]) -> tuple[Experiment, ...]:
    """Return the experiments to measure, family by family."""
    return tuple(family.members[place] for family in families for place in family.measured)


def with_the_others(families: Sequence[Family], found: Mapping[str, Parts]) -> dict[str, Parts]:
    """Return the parts of every member, by its key: as measured, or on the line of its family."""
    parts = dict(found)
    for family in families:
        for place, experiment in enumerate(family.members):
            if experiment.key not in parts:
                parts[experiment.key] = _on_the_line(family, place, found)
    return parts


def macs_of(experiment: Experiment) -> int:
    """Return the multiply-accumulates of the network for one picture of the recipe, forward."""
    recipe, data = experiment.recipe, experiment.data
    if recipe is None or data is None:
        raise ValueError("only an experiment that trains has a recipe and data")
    crop = recipe.pictures.crop
    return sum(
        layer.macs for layer in layers_of(find_architecture(experiment.model), (3, crop, crop), data.classes)
    )


def _family(experiment: Experiment) -> str:
    architecture, recipe = find_architecture(experiment.model), experiment.recipe
    assert recipe is not None
    form = [type(architecture.body).__name__, choices_of(architecture), _widths(architecture.body)]
    seen = [recipe.pictures, recipe.train_batch, recipe.test_batch, recipe.train_limit, recipe.validation]
    done = [recipe.optimizer.name, recipe.ema > 0, recipe.precise_bn]
    return digest(plain([form, seen, done, experiment.data, experiment.precision]))


def _widths(body: Body) -> object:
    """Return what else than plain choices makes a residual network: stem and stages, but for how often a unit repeats."""
    if not isinstance(body, ResidualBody):
        return None
    return [body.stem, [replace(stage, blocks=1) for stage in body.stages]]


def _on_the_line(family: Family, place: int, found: Mapping[str, Parts]) -> Parts:
    first, middle, last = family.measured
    low, between, high = (found[family.members[at].key] for at in (first, middle, last))
    share = _share(family, place)
    expected = _mix(low.step_s, high.step_s, _share(family, middle))
    off = max(LEAST_OFF, 2 * abs(math.log(between.step_s / expected)))
    nearest = low if share < 0.5 else high
    ratio = _mix(low.step_s, high.step_s, share) / nearest.step_s
    return replace(
        nearest,
        visits=tuple(tuple(ratio * step_s for step_s in visit) for visit in nearest.visits),
        start_s=_mix(low.start_s, high.start_s, share),
        epoch_s=_mix(low.epoch_s, high.epoch_s, share),
        test_start_s=_mix(low.test_start_s, high.test_start_s, share),
        test_batch_s=_mix(low.test_batch_s, high.test_batch_s, share),
        opening_s=fmean((low.opening_s, high.opening_s)),
        checkpoint_B=round(_mix(low.checkpoint_B, high.checkpoint_B, share)),
        off=off,
    )


def _share(family: Family, place: int) -> float:
    least, most = family.macs[0], family.macs[-1]
    return (family.macs[place] - least) / (most - least) if most > least else 0.0


def _mix(low: float, high: float, share: float) -> float:
    return low + share * (high - low)
