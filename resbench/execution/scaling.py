"""How much of a suite is run: a named scale, or a share of it.

A share F runs F of the pictures, and F of the iterations on them, so that every picture is seen as often as in full.
At least one batch of each is kept; of samples held out for validation, that share, too. Sizes of pictures and batches stay as they are.
"""

from dataclasses import dataclass, replace

from resbench.errors import UsageError, unknown
from resbench.specs import DataIdentity, Recipe, Scale
from resbench.training.scales import at_scale

NAMED = tuple(scale for scale in Scale if scale is not Scale.PART)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is run: a named scale, or `Scale.PART` with the share that was asked for."""

    scale: Scale
    share: float = 1.0

    def __str__(self) -> str:
        """Return it as `--scale` takes it."""
        return f"{self.share:g}" if self.scale is Scale.PART else str(self.scale)


def parse_amount(text: str) -> Amount:
    """Return what `--scale` asks for: `smoke`, `short`, `full`, or a number above 0 and below 1.

    Raises:
        UsageError: it is none of these.
    """
    if text in NAMED:
        return Amount(scale=Scale(text))
    try:
        share = float(text)
    except ValueError:
        raise unknown("scale", text, (*NAMED, "a share such as 0.01")) from None
    if share == 1:
        return Amount(scale=Scale.FULL)
    if not 0 < share < 1:
        raise UsageError(f"--scale {text}: a share lies above 0 and below 1, as in 0.01")
    return Amount(scale=Scale.PART, share=share)


def reduced(recipe: Recipe, amount: Amount, data: DataIdentity) -> Recipe:
    """Return the recipe as that much of it runs; `full` is the recipe itself."""
    if amount.scale is not Scale.PART:
        return at_scale(recipe, amount.scale)
    schedule = recipe.schedule
    if schedule.unit == "iteration":
        length = _part(schedule.length, amount.share)
        schedule = replace(
            schedule,
            length=length,
            warmup=_part(schedule.warmup, amount.share) if schedule.warmup else 0,
            milestones=tuple(min(length, _part(at, amount.share)) for at in schedule.milestones),
        )
    # A recipe may have limits of its own.
    trained = min(recipe.train_limit or data.train_samples, data.train_samples)
    tested = min(recipe.test_limit or data.test_samples, data.test_samples)
    return replace(
        recipe,
        name=f"{recipe.name}-{amount}",
        schedule=schedule,
        train_limit=min(trained, max(recipe.train_batch, _part(trained, amount.share))),
        test_limit=min(tested, max(recipe.test_batch, _part(tested, amount.share))),
        validation=_part(recipe.validation, amount.share) if recipe.validation else 0,
    )


def _part(whole: int, share: float) -> int:
    return max(1, round(whole * share))
