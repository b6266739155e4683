"""What is asked: published figures and their sources, recipes, experiments, suites. Frozen data, no torch."""

from resbench.specs.engine import Engine
from resbench.specs.evaluating import Evaluating
from resbench.specs.experiment import (
    EXPERIMENT_VERSION,
    DataIdentity,
    Experiment,
    Precision,
    Profiling,
    Scale,
)
from resbench.specs.published import Published, Source, Tested
from resbench.specs.recipe import Loss, Optimizer, Pictures, Recipe, Schedule
from resbench.specs.suite import Arm, Kind, Suite

__all__ = [
    "EXPERIMENT_VERSION",
    "Arm",
    "DataIdentity",
    "Engine",
    "Evaluating",
    "Experiment",
    "Kind",
    "Loss",
    "Optimizer",
    "Pictures",
    "Precision",
    "Profiling",
    "Published",
    "Recipe",
    "Scale",
    "Schedule",
    "Source",
    "Suite",
    "Tested",
]
