"""From `--track tensorboard:runs` to a watch. Each program is imported only when it is asked for."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from resbench.errors import UsageError, unknown
from resbench.training.watching import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """The run that is told about.

    Attributes:
        name: that a person knows it by.
        key: of its experiment: a run that goes on is the same run there, too, where the program can do that.
        settings: the experiment by dotted names: "recipe.optimizer.lr": 0.1.
    """

    name: str
    key: str
    settings: Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class Tracker:
    """A watch, and what closes it (with whether the run finished)."""

    watch: Watch
    close: Callable[[bool], None]


NAMES = ("mlflow", "tensorboard", "wandb")


def open_tracker(asked: str, run: Tracked) -> Tracker:
    """Return the tracker for `NAME` or `NAME:WHERE`.

    `tensorboard:DIR` writes event files below DIR (default: runs); `wandb:PROJECT` and `mlflow:EXPERIMENT` name a
    project (default: resbench). Where these two send what they get is set as their own documentation says.

    Raises:
        UsageError: there is no such tracker, it is not installed, or it can't be opened.
    """
    name, _, where = asked.partition(":")
    if name not in NAMES:
        raise unknown("tracker", name, NAMES)
    module = importlib.import_module(f"resbench.training.trackers.{name}")
    tracker: Tracker = module.open_tracker(where, run)
    return tracker


def require(module: str, extra: str) -> Any:
    """Return a module of an extra.

    Raises:
        UsageError: it is not installed; the message has the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"--track {extra} needs a package that is not installed: pip install 'resbench[{extra}]'"
        ) from error


def settings_of(experiment: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """Return an experiment, as plain data, by dotted names; what is not set is left out, a list is one text."""
    found: dict[str, str | int | float | bool] = {}
    for name, value in experiment.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": setting for inner, setting in settings_of(value).items()}
        elif isinstance(value, list | tuple):
            found[name] = ",".join(map(str, value))
        elif value is not None:
            found[name] = value
    return found
