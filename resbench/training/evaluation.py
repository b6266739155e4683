"""Top-k accuracy and loss over a set of samples, in both readings: every sample equal, and the mean of batch means."""

import time
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from resbench.results import Pass
from resbench.specs import Loss
from resbench.training.losses import per_sample


@dataclass(slots=True)
class Tally:
    """Gathers the batches of one pass. Sums stay on the device, so that adding a batch never waits for it."""

    started: float = field(default_factory=time.perf_counter)
    _batches: list[Tensor] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)

    def add(self, losses_B: Tensor, logits_BK: Tensor, labels_B: Tensor) -> None:
        """Count one batch: the loss of each sample, and whether its class is first or among the first five."""
        ranked_Bk = logits_BK.detach().topk(min(5, logits_BK.shape[1]), dim=1).indices
        right_Bk = ranked_Bk == labels_B[:, None]
        sums = [losses_B.detach().double().sum(), right_Bk[:, 0].double().sum(), right_Bk.double().sum()]
        self._batches.append(torch.stack(sums))
        self._sizes.append(len(labels_B))

    @property
    def samples(self) -> int:
        """How many samples were counted."""
        return sum(self._sizes)

    def latest(self, batches: int) -> tuple[float, float]:
        """Return the mean loss and the top-1 share over the last `batches` batches (waits for the device)."""
        sums = torch.stack(self._batches[-batches:]).sum(dim=0).tolist()
        count = sum(self._sizes[-batches:])
        return sums[0] / count, sums[1] / count

    def finish(self) -> Pass:
        """Return what the pass found (waits for the device)."""
        sums_N3 = torch.stack(self._batches).cpu()
        sizes_N1 = torch.tensor(self._sizes, dtype=torch.float64)[:, None]
        loss, top1, top5 = (sums_N3.sum(dim=0) / sizes_N1.sum()).tolist()
        loss_of_batches, top1_of_batches, top5_of_batches = (sums_N3 / sizes_N1).mean(dim=0).tolist()
        return Pass(
            loss=loss,
            loss_of_batches=loss_of_batches,
            top1=top1,
            top5=top5,
            top1_of_batches=top1_of_batches,
            top5_of_batches=top5_of_batches,
            samples=self.samples,
            seconds=time.perf_counter() - self.started,
        )


@torch.inference_mode()
def mean_logits(model: nn.Module, images_BVCHW: Tensor) -> Tensor:
    """Return the logits (B, K) of samples with V views each: the mean of the views' logits."""
    batch, views = images_BVCHW.shape[:2]
    logits: Tensor = model(images_BVCHW.flatten(0, 1))
    return logits.float().view(batch, views, -1).mean(dim=1)


@torch.inference_mode()
def count_batch(model: nn.Module, loss: Loss, tally: Tally, images_BVCHW: Tensor, labels_B: Tensor) -> None:
    """Test one batch and add it to the tally."""
    logits_BK = mean_logits(model, images_BVCHW)
    tally.add(per_sample(loss, logits_BK, labels_B), logits_BK, labels_B)
