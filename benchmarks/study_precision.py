"""Does a setting of the engine change what a recipe reaches? Test errors with and without it, seed by seed, on real CIFAR-10.

Each arm trains the same recipe (he2015_cifar, its schedule cut to a number of iterations) from the same seeds, and differs
from the plain engine (fp32, contiguous, no fused optimiser) in its settings alone. What is printed for each is the mean
test error, and its difference from the plain engine over the shared seeds, with Student's 95 % interval, beside the deviation
of the plain engine's own seeds: the noise of the recipe. A setting is called harmless as far as the interval reaches, and no
further. These are short runs, so that their errors are not the paper's.

    python benchmarks/study_precision.py --data .data --seeds 5

What was finished lies in the folder and is not run again. Of use: a machine whose other work does not matter, as nothing here
is timed but the seconds of each run, which are printed as what they are.
"""

import argparse
import statistics
import sys
from dataclasses import replace
from pathlib import Path

from resbench.datasets.cifar import open_cifar
from resbench.datasets.data import Data
from resbench.execution import in_process
from resbench.execution.progress import Silent
from resbench.results import Result
from resbench.specs import Engine, Experiment, Precision, Recipe, Scale
from resbench.statistics.pairs import Paired, compare_arms
from resbench.statistics.spread import spread_of
from resbench.store.store import open_store
from resbench.training.recipes import HE2015_CIFAR
from resbench.training.shortening import shortened

PLAIN = Engine(fused=False, memory_format="contiguous")
LAST = Engine(memory_format="channels_last")
ARMS = {
    "plain": PLAIN,
    "fused": replace(PLAIN, fused=True),
    "channels_last": replace(PLAIN, memory_format="channels_last"),
    "bf16": replace(PLAIN, precision=Precision.BF16),
    "bf16+channels_last+fused": replace(LAST, precision=Precision.BF16),
    "compile": replace(PLAIN, compile=True),
}


def main() -> None:
    asked = _asked()
    data = open_cifar(asked.data)
    recipe = _recipe(asked.side, asked.iterations, len(data.train))
    errors: dict[str, dict[int, float]] = {}
    for arm in ("plain", *(name for name in asked.arms if name != "plain")):
        results = _results(arm, recipe, data, asked)
        errors[arm] = {seed: _error(result) for seed, result in enumerate(results)}
        seconds = statistics.median(result.seconds for result in results)
        sys.stderr.write(f"{arm}: {asked.seeds} runs, median {seconds:.0f} s\n")
    _print(errors, recipe, asked)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Test errors with and without settings of the engine.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the real CIFAR-10")
    parser.add_argument("--model", default="cifar_resnet20")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--side", type=int, default=32, help="pictures are scaled to so many pixels")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--folder", type=Path, default=Path("study_precision"))
    parser.add_argument(
        "--arms", nargs="*", choices=ARMS, default=[name for name in ARMS if name != "compile"]
    )
    return parser.parse_args()


def _recipe(side: int, iterations: int, samples: int) -> Recipe:
    pictures = HE2015_CIFAR.pictures
    if side != pictures.crop:
        pictures = replace(pictures, resize=side, crop=side, pad=max(1, side * pictures.pad // pictures.crop))
    return shortened(replace(HE2015_CIFAR, pictures=pictures), iterations, samples)


def _results(arm: str, recipe: Recipe, data: Data, asked: argparse.Namespace) -> tuple[Result, ...]:
    """Train an arm from every seed; its results lie in a store of its own, as only the engine differs."""
    engine = replace(ARMS[arm], threads=asked.threads)
    wanted = [
        Experiment(
            model=asked.model,
            device=asked.device,
            precision=engine.precision,
            seed=seed,
            scale=Scale.PART,
            recipe=recipe,
            data=data.identity,
        )
        for seed in range(asked.seeds)
    ]
    asked.folder.mkdir(parents=True, exist_ok=True)
    with open_store(str(asked.folder / f"{arm}.db")) as store:
        return in_process.run(
            wanted,
            data,
            store,
            checkpoints=asked.folder / f"{arm}.checkpoints",
            workers=0,
            progress=Silent(),
            engine=engine,
        )


def _error(result: Result) -> float:
    """Return the test error of the last epoch; a run that diverged guesses."""
    top1 = result.find("top1_strict")
    return 0.9 if top1 is None else 1 - top1.value


def _print(errors: dict[str, dict[int, float]], recipe: Recipe, asked: argparse.Namespace) -> None:
    plain = errors.pop("plain")
    spread = spread_of(tuple(plain.values()))
    noise = "" if spread is None else f", deviation {100 * spread.deviation:.2f} points over the seeds"
    sys.stdout.write(
        f"{asked.model}, {recipe.name}, {asked.side}x{asked.side} pixels, batch {recipe.train_batch}, test errors:\n"
        f"plain {100 * statistics.fmean(plain.values()):.2f} % (n = {len(plain)}{noise})\n"
    )
    for (arm, found), paired in zip(errors.items(), compare_arms(plain, list(errors.values())), strict=True):
        sys.stdout.write(f"{arm} {100 * statistics.fmean(found.values()):.2f} %, {_said(paired)}\n")


def _said(paired: Paired) -> str:
    """Return the difference from the plain engine, in points."""
    if paired.mean is None:
        return "no shared seed"
    if paired.interval is None:
        return f"difference {100 * paired.mean:+.2f} points in every pair (n = {paired.n})"
    low, high = 100 * paired.interval.low, 100 * paired.interval.high
    p = "" if paired.p_corrected is None else f", p = {paired.p_corrected:.2g} after Holm"
    return f"difference {100 * paired.mean:+.2f} points ({low:+.2f} to {high:+.2f}, n = {paired.n}{p})"


if __name__ == "__main__":
    main()
