"""From a suite and what the user asked for to the experiments that answer it."""

from collections.abc import Sequence
from functools import partial

from resbench.errors import UsageError
from resbench.specs import Arm, DataIdentity, Experiment, Precision, Scale, Suite
from resbench.training.scales import at_scale


def experiments_of(
    suite: Suite,
    arms: Sequence[Arm],
    *,
    scale: Scale,
    seed: int,
    device: str,
    data: DataIdentity,
    machine: str,
) -> tuple[Experiment, ...]:
    """Return the suite's experiments in the order they run: each arm is profiled, then each is trained and tested.

    A profile depends on the machine, so the machine is part of its question, and not on the seed; a training run is the
    same question everywhere, and its result says where it was answered.
    """
    ask = partial(Experiment, device=device, precision=Precision.FP32, scale=scale)
    recipe = at_scale(suite.recipe, scale)
    profiles = (ask(model=arm.model, seed=0, profiling=suite.profiling, machine=machine) for arm in arms)
    runs = (ask(model=arm.model, seed=seed, recipe=recipe, data=data) for arm in arms)
    return (*profiles, *runs)


def check_scale(suite: Suite, scale: Scale, *, sample: bool) -> None:
    """Refuse to run more than a smoke test on drawn pictures.

    Raises:
        UsageError: `sample` at a scale that needs real pictures.
    """
    if sample and scale is not Scale.SMOKE:
        raise UsageError(
            f"scale {scale} of {suite.name} needs real pictures: give --data DIR "
            f"('resbench data prepare {suite.data}' fetches them), or try --scale smoke on the built-in sample"
        )
