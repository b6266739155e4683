"""Which catalogued networks the names and shapes of a checkpoint can be of. No torch.

A checkpoint tells of weights, biases and statistics. Networks that have the same of these, as one with the stride on the
3x3 and one with it on the first 1x1, are all named.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from resbench.architectures.auditing.anatomy import anatomy_of
from resbench.architectures.auditing.auditing import Candidate, Finding, equally_near, rank
from resbench.architectures.auditing.comparing import Difference, Traits, compare, independent
from resbench.architectures.auditing.facts import facts_of
from resbench.architectures.auditing.state import (
    CONVOLUTION,
    LINEAR,
    OTHER,
    Held,
    Tensor,
    classifier,
    held_by,
    state_of,
)
from resbench.architectures.description import Architecture
from resbench.architectures.layers import Shape, layers_of
from resbench.errors import UsageError

_OTHERS = 3
_HIDDEN = "a checkpoint holds no strides, paddings, poolings, ReLUs, additions, zero-padded shortcuts, constants or dropouts"
Content = tuple[str, Shape, bool]


class _State(NamedTuple):
    """The layers of a state dict with the number of classes left out, and what is counted of it."""

    held: tuple[Held, ...]
    rest: tuple[Held, ...]
    parameters: int
    classes: int | None


def audit_tensors(tensors: Sequence[Tensor], catalogued: Mapping[str, Architecture]) -> Finding:
    """Return which networks have such a state dict.

    Args:
        tensors: names and shapes, in the order of the file.
        catalogued: the networks to compare with, by name.

    Raises:
        UsageError: there is no convolution and no linear layer among them.
    """
    state = _state(tensors)
    if not any(one.kind in (CONVOLUTION, LINEAR) for one in state.held):
        raise UsageError(
            f"the checkpoint holds no weights of convolutions or linear layers: {len(tensors)} tensors, "
            f"{', '.join(name for name, _ in tensors[:3])}"
        )
    known = {
        name: _state(state_of(one, state.classes))
        for name, one in catalogued.items()
        if _costs_as(one, state)
    }
    how, names = _same(state, known)
    facts = facts_of(state.held)
    ranked: list[Candidate] = []
    if not names:
        everything = {name: _state(state_of(one, state.classes)) for name, one in catalogued.items()}
        ranked = rank(_candidates(state, facts, everything), state.parameters)
    near = equally_near(ranked, state.parameters)
    matches = tuple(Candidate(name, known[name].parameters) for name in names) or near
    return Finding(
        exact=bool(names),
        matches=matches,
        others=tuple(ranked[len(near) :][:_OTHERS]),
        how=how,
        traits=facts | _unknown(state.rest),
        hidden=(*_differing([catalogued[name] for name in names]), _HIDDEN),
        parameters=state.parameters,
        classes=state.classes,
        input_CHW=None,
    )


def tensors_against(tensors: Sequence[Tensor], architecture: Architecture) -> Candidate:
    """Return a catalogued network, and where the names and shapes of a checkpoint differ from its."""
    state = _state(tensors)
    theirs = {architecture.name: _state(state_of(architecture, state.classes))}
    return next(_candidates(state, facts_of(state.held), theirs))


def _state(tensors: Sequence[Tensor]) -> _State:
    everything = held_by(tensors)
    layers = tuple(one for one in everything if one.kind != OTHER)
    head = classifier(layers)
    return _State(
        held=tuple(
            one._replace(shape=(0, *one.shape[1:])) if head and one.path == head.path else one
            for one in layers
        ),
        rest=tuple(one for one in everything if one.kind == OTHER),
        parameters=sum(map(_numbers, everything)),
        classes=head.shape[0] if head else None,
    )


def _numbers(held: Held) -> int:
    product = 1
    for side in held.shape:
        product *= side
    return product + (held.shape[0] if held.bias else 0)


def _costs_as(architecture: Architecture, state: _State) -> bool:
    """Whether it has as many parameters, so that it may be the same."""
    layers = layers_of(architecture, classes=state.classes)
    return sum(layer.parameters for layer in layers) == state.parameters - sum(map(_numbers, state.rest))


def _same(state: _State, known: Mapping[str, _State]) -> tuple[str, list[str]]:
    """Return in what the checkpoint is the same as some networks', and these; in as much as possible."""
    for how, view in _VIEWS.items():
        found = view(state.held)
        names = [
            name
            for name, theirs in known.items()
            if len(theirs.held) == len(state.held) and view(theirs.held) == found
        ]
        if names:
            return how, names
    return "", []


def _by_name(held: Sequence[Held]) -> object:
    return {one.path: one.content for one in held}


def _in_order(held: Sequence[Held]) -> object:
    return [one.content for one in held]


def _by_container(held: Sequence[Held]) -> object:
    """A file may be sorted by name: the layers of one module still belong together.

    This tells pre-activation from the original, whose layers have the same shapes in the same order.
    """
    containers: dict[str, list[Content]] = {}
    for one in held:
        containers.setdefault(one.path.rpartition(".")[0], []).append(one.content)
    return Counter(tuple(sorted(contents)) for contents in containers.values())


def _as_a_heap(held: Sequence[Held]) -> object:
    return Counter(one.content for one in held)


_VIEWS: Mapping[str, Callable[[Sequence[Held]], object]] = {
    "the same names and shapes": _by_name,
    "the same shapes module by module, under other names": _by_container,
    "the same shapes in the same order, under other names": _in_order,
    "the same shapes in another order, under other names": _as_a_heap,
}


def _candidates(state: _State, facts: Mapping[str, str], known: Mapping[str, _State]) -> Iterator[Candidate]:
    for name, theirs in known.items():
        expected = facts_of(theirs.held)
        differences = [
            Difference(fact, facts[fact], expected[fact]) for fact in facts if facts[fact] != expected[fact]
        ]
        if not differences:
            differences = [_shapes(state.held, theirs.held)]
        ordered = sorted(independent(differences), key=lambda difference: -difference.weight)
        yield Candidate(name, theirs.parameters, tuple(ordered))


def _shapes(held: Sequence[Held], theirs: Sequence[Held]) -> Difference:
    """Return the first layer of a shape, or more of a shape, than the other network has."""
    missing = Counter(one.content for one in theirs)
    missing.subtract(one.content for one in held)
    more = next((one for one in held if missing[one.content] < 0), None)
    less = next((one for one in theirs if missing[one.content] > 0), None)
    return Difference("shapes", _shape(more), _shape(less), more.path if more else "")


def _shape(held: Held | None) -> str:
    if held is None:
        return "no more layers"
    return f"{held.kind} {'x'.join(map(str, held.shape))}" + (" with bias" if held.bias else "")


def _unknown(rest: Sequence[Held]) -> dict[str, str]:
    if not rest:
        return {}
    names = ", ".join(one.path for one in rest[:3])
    return {"other tensors": f"{len(rest)}: {names}" + (" and more" if len(rest) > 3 else "")}


def _differing(matches: Sequence[Architecture]) -> tuple[str, ...]:
    """Return in what networks that one checkpoint fits differ."""
    if len(matches) < 2:
        return ()
    first, *others = (Traits(anatomy_of(layers_of(one))) for one in matches)
    traits = [difference.trait for other in others for difference in compare(first, other)]
    return (f"these differ in what the file does not show: {', '.join(dict.fromkeys(traits))}",)
