"""`resbench train --overfit-one-batch`: can this network learn at all?"""

import time
from typing import TYPE_CHECKING

from resbench.cli.progress import Display, stop_on_signals
from resbench.cli.train_question import Question
from resbench.errors import ResbenchError
from resbench.training.watching import Step

if TYPE_CHECKING:
    from resbench.training.overfit import Overfit

STEPS = 200
"""How many steps the network has where nothing else is said."""

_NAMED = 3


def try_one_batch(question: Question, *, steps: int, budget_s: float | None) -> None:
    """Train on one batch and say whether the network knows it by heart.

    Raises:
        ResbenchError: it does not.
        Stopped: Ctrl-C or SIGTERM.
    """
    from resbench.cli.output import print_line
    from resbench.trial.before_training import overfit_of

    batch = question.recipe.train_batch
    began = time.monotonic()
    with stop_on_signals() as stop, Display(stop) as display:

        def tell(done: int, loss: float, top1: float) -> bool:
            spent_s = time.monotonic() - began
            if done:
                display.step(
                    Step(
                        phase="one batch",
                        epoch=1,
                        epochs=1,
                        done=done,
                        total=steps,
                        samples=done * batch,
                        seconds=spent_s,
                        loss=loss,
                        top1=top1,
                    )
                )
            return display.stopping() or (budget_s is not None and spent_s > budget_s)

        display.say(f"data: {question.data.identity.label}; one batch of {batch}, without augmentation")
        found = overfit_of(question.experiment, question.data, steps=steps, tell=tell)
        if display.stopping() and not found.learned:
            raise stop.explained(f"stopped after {found.steps} steps")
    if not found.learned:
        raise ResbenchError(_failure(question, found))
    print_line(
        f"{question.experiment.model} knows one batch of {batch} by heart after {found.steps} steps: the loss fell from "
        f"{found.first:.3g} to {found.last:.3g} (below {found.threshold:.3g}, 1 % of guessing)"
    )


def _failure(question: Question, found: "Overfit") -> str:
    told = (
        f"{question.experiment.model} can't learn one batch of {question.recipe.train_batch} by heart: the loss is "
        f"{found.last:.3g} after {found.steps} steps (it began at {found.first:.3g} and must fall below "
        f"{found.threshold:.3g}, 1 % of guessing)"
    )
    if found.stuck:
        named = ", ".join(found.stuck[:_NAMED])
        more = f" and {len(found.stuck) - _NAMED} more" if len(found.stuck) > _NAMED else ""
        return f"{told}; no gradient reaches {named}{more}"
    return f"{told}; try more --iterations, or --set optimizer.lr=N"
