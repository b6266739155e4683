"""One process of several, for test_world.py: a training step of small networks, and what the processes agree on.

Run as `one_of_several.py FOLDER`; writes what it found to `FOLDER/RANK.pt`.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from resbench.training.world import World, joined

BATCH = 128


def network(kind: str) -> nn.Module:
    """Return a small network with the weights of one seed; `kind` says which normalisation it has."""
    torch.manual_seed(7)
    norm = nn.Identity() if kind == "none" else nn.BatchNorm2d(6)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), norm, nn.ReLU(), nn.Conv2d(6, 6, 3), nn.Flatten(), nn.Linear(96, 5)
    )
    return model.double() if kind == "none" else model


def samples() -> tuple[Tensor, Tensor]:
    """Return a batch in which each sample differs in scale, so that a share's statistics are not the batch's."""
    generator = torch.Generator().manual_seed(3)
    scale_B = torch.linspace(0.5, 2.5, BATCH)[:, None, None, None]
    images_BCHW = torch.randn(BATCH, 3, 6, 6, generator=generator) * scale_B + scale_B
    return images_BCHW, torch.randint(5, (BATCH,), generator=generator)


def step(world: World, kind: str) -> dict[str, Tensor]:
    """Return the gradients and the batch norm's statistics of one step of this process."""
    images_BCHW, labels_B = samples()
    model = network(kind)
    wrapped = world.wrap(
        model, torch.device("cpu"), "per_process" if kind == "per_process" else "synchronised"
    )
    mine = list(world.share(range(BATCH)))
    logits_BK = wrapped(images_BCHW[mine].to(next(model.parameters()).dtype))
    loss = nn.functional.cross_entropy(logits_BK, labels_B[mine])
    (loss * world.loss_weight(len(mine), BATCH)).backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    own = {f"own {name}": buffer.clone() for name, buffer in model.named_buffers()}
    world.level(model)
    return {
        **{name: grad for name, grad in found.items() if grad is not None},
        **own,
        **dict(model.named_buffers()),
    }


def main(folder: Path) -> None:
    """Do it all and write it."""
    with joined("gloo", patience_s=60) as world:
        found = {kind: step(world, kind) for kind in ("none", "synchronised", "per_process")}
        counts = torch.zeros(7, dtype=torch.float64)
        for turn in world.turns(7):
            counts[turn] = 0.1 * (turn + 1)
        torch.save(
            {
                **found,
                "share": list(world.share(range(BATCH))),
                "total": world.total(counts),
                "agreed": [world.agree(world.rank == 1), world.agree(flag=False)],
            },
            folder / f"{world.rank}.pt",
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
