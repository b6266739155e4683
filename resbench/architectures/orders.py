"""Where batch norm and ReLU stand in a residual unit (He et al. 2016, Figure 4). No torch."""

from typing import NamedTuple

from resbench.architectures.forms import Order
from resbench.architectures.plan import Step, batch_norm, relu


class Arranged(NamedTuple):
    """What stands before the split of a unit, on its branch, and after its addition."""

    before: tuple[Step, ...]
    branch: tuple[Step, ...]
    after: tuple[Step, ...] = ()


def arranged(order: Order, weights: tuple[Step, ...], *, shared: bool, activated: bool) -> Arranged:
    """Return the steps of a unit in an order.

    Args:
        order: which one.
        weights: the convolutions of the branch.
        shared: whether, with pre-activation, the shortcut gets the first activation, too.
        activated: whether the unit's input is activated already, so that a shared first activation falls away.
    """
    if order in (Order.FULL_PREACT, Order.SWAPPED_PREACT):
        return _split(_full(weights), 2, shared=shared and order is Order.FULL_PREACT, activated=activated)
    if order is Order.RELU_ONLY_PREACT:
        return _split(_relu_only(weights), 1, shared=shared, activated=activated)
    branch = tuple(
        step
        for number, weight in enumerate(weights, start=1)
        for step in (weight, batch_norm(f"bn{number}"), relu())
    )
    if order is Order.BN_AFTER_ADD:
        return Arranged((), branch[:-2], branch[-2:])
    if order is Order.RELU_BEFORE_ADD:
        return Arranged((), branch)
    return Arranged((), branch[:-1], branch[-1:] if order is Order.ORIGINAL else ())


def _full(weights: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(
        step
        for number, weight in enumerate(weights, start=1)
        for step in (batch_norm(f"bn{number}"), relu(), weight)
    )


def _relu_only(weights: tuple[Step, ...]) -> tuple[Step, ...]:
    # The ReLU that reads what the shortcut reads, too, must leave it as it is.
    return tuple(
        step
        for number, weight in enumerate(weights, start=1)
        for step in (relu(inplace=False), weight, batch_norm(f"bn{number}"))
    )


def _split(steps: tuple[Step, ...], first: int, *, shared: bool, activated: bool) -> Arranged:
    """Put the first activation, which has so many steps, before the split where it is shared."""
    if not shared:
        return Arranged((), steps)
    return Arranged(() if activated else steps[:first], steps[first:])
