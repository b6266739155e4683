"""The arms of a suite that only counts: exact figures from the layers, made anew each time and never stored. No torch."""

from collections.abc import Sequence
from datetime import UTC, datetime

from resbench import __version__
from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.metrics import parameters
from resbench.metrics.flops.measure import measure
from resbench.results import Environment, Result, digest, plain
from resbench.specs import Arm, Experiment, Scale, Suite


def count_arms(suite: Suite, arms: Sequence[Arm]) -> tuple[Result, ...]:
    """Return parameters, size and operations of each arm for one picture."""
    return tuple(_count(suite, arm) for arm in arms)


def _count(suite: Suite, arm: Arm) -> Result:
    profiling = suite.profiling_of(arm)
    if profiling is None:
        raise ValueError(f"{arm.id} lacks its profiling")
    experiment = Experiment(
        model=arm.model, device="none", precision=arm.precision, seed=0, scale=Scale.FULL, profiling=profiling
    )
    layers = layers_of(find_architecture(arm.model), profiling.input_CHW, profiling.num_classes)
    return Result(
        key=digest({"counted": plain(experiment)})[:16],
        experiment=plain(experiment),
        measurements=(*parameters.measure(layers), *measure(layers)),
        environment=Environment(machine={}, software={"resbench": __version__}, settings={}),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
    )
