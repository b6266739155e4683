"""The learning rate as a function of the step alone, so that a resumed run needs no schedule state. No torch."""

import math

from resbench.specs import Optimizer, Schedule


def learning_rate(optimizer: Optimizer, schedule: Schedule, *, epoch: int, iteration: int) -> float:
    """Return the learning rate of one step.

    Args:
        optimizer: holds the rate that the schedule starts from.
        schedule: its shape.
        epoch: counted from 1.
        iteration: steps done before this one, over the whole run.

    Raises:
        ValueError: the schedule's name is unknown.
    """
    position = epoch if schedule.unit == "epoch" else iteration + 1
    if position <= schedule.warmup:
        if schedule.warmup_lr is not None:
            return schedule.warmup_lr
        return optimizer.lr * position / schedule.warmup
    if schedule.name == "cosine":
        share = (position - schedule.warmup) / (schedule.length - schedule.warmup)
        fall = (1 + math.cos(math.pi * share)) / 2
        return schedule.final_lr + (optimizer.lr - schedule.final_lr) * fall
    if schedule.name == "steps":
        passed = sum(position > milestone for milestone in schedule.milestones)
        return optimizer.lr * schedule.gamma**passed
    raise ValueError(f"unknown schedule '{schedule.name}'")
