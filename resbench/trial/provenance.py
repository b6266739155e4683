"""Where the figures of a case come from: the environment that all cases share, and what is this case's own."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from resbench.environment.fingerprint import fingerprint
from resbench.models.layering import layered
from resbench.models.outside import open_model
from resbench.results import Environment
from resbench.trial.records import Arm


def model_facts(model: str, input_CHW: tuple[int, int, int], classes: int | None) -> dict[str, str]:
    """Return the fingerprint of a network, made without memory: parameters, core MACs, layout of what it saves.

    Raises:
        UsageError: there is no such network, or the input does not suit it.
    """
    with torch.device("meta"):
        module = open_model(model, classes=classes).module
    return fingerprint(module, layered(model, input_CHW, classes).layers)


def environment_of(common: Environment, arm: Arm) -> Environment:
    """Return the environment of one arm: with what its backend is and has set, and with its network's fingerprint."""
    case = arm.case
    settings: dict[str, str] = arm.opened.get("settings", {})
    versions: dict[str, str] = arm.opened.get("versions", {})
    own = {
        "mode": "eval, inference_mode" if case.mode == "inference" else "training step",
        "threads": str(case.threads),
        "figures at the machine's pace": "yes" if arm.paced else "no",
    }
    return replace(
        common,
        software={**common.software, **versions},
        settings={**common.settings, **settings, **own},
        model=model_facts(case.model, case.input_CHW, case.num_classes),
    )


def common_to(environment: Environment, own: Sequence[Environment]) -> Environment:
    """Return the environment with the settings that all arms share, as they have them; what differs is each one's own.

    The process that starts the others may be set otherwise than they are: it rounds float32 as PyTorch does by default.
    """
    first, *others = (each.settings for each in own)
    shared = {
        name: value for name, value in first.items() if all(other.get(name) == value for other in others)
    }
    return replace(environment, settings=shared)
