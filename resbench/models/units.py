"""The modules that PyTorch has no class for: residual units, dense layers, the zero-padded shortcut of option A."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from resbench.architectures.plan import Gating


class ZeroPad(nn.Module):
    """Option A: every `stride`-th pixel, with zero channels appended. No parameters (He et al. 2015, section 3.3)."""

    def __init__(self, appended: int, stride: int) -> None:
        super().__init__()
        self.appended = appended
        self.stride = stride

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return (B, C + appended, ceil(H / stride), ceil(W / stride))."""
        kept = images_BCHW[:, :, :: self.stride, :: self.stride]
        return functional.pad(kept, (0, 0, 0, 0, 0, self.appended))


class ResidualUnit(nn.Module):
    """before, then branch + shortcut, then after, each a run of submodules under torchvision's names.

    Args:
        runs: the submodules of each part, by name: "before", "branch", "shortcut", "after" and "gate". Without
            "shortcut" the unit is plain; with an empty one it is the identity. A name that stands twice is one module.
        gating: how the sigmoid of the gate enters, where there is a gate.
        scales: constants that multiply the branch and the shortcut.
    """

    def __init__(
        self,
        runs: Mapping[str, Sequence[tuple[str, nn.Module]]],
        gating: Gating | None = None,
        scales: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        super().__init__()
        for run in runs.values():
            for name, module in run:
                self.add_module(name, module)
        names = {part: tuple(name for name, _ in run) for part, run in runs.items()}
        self.before, self.branch, self.after = names["before"], names["branch"], names["after"]
        self.shortcut = names.get("shortcut")
        self.gating = gating
        self.branch_scale, self.shortcut_scale = scales
        # A ReLU needs its own output again for its gradient: nothing may be added to that in place.
        self.adds_inplace = not isinstance(runs["branch"][-1][1], nn.ReLU)

    def forward(self, input_BCHW: Tensor) -> Tensor:
        """Return (B, channels out, ceil(H / stride), ceil(W / stride))."""
        split = self._run(self.before, input_BCHW)
        out = self._run(self.branch, split)
        if self.shortcut is None:
            return self._run(self.after, out)
        shortcut = self._run(self.shortcut, split)
        if self.gating is not None:
            gate = torch.sigmoid(self.get_submodule("gate")(split))
            if self.gating is Gating.EXCLUSIVE:
                out = out * gate
            shortcut = shortcut * (1 - gate)
        if self.branch_scale != 1:
            out = out * self.branch_scale
        if self.shortcut_scale != 1:
            shortcut = shortcut * self.shortcut_scale
        if self.adds_inplace:
            out += shortcut
        else:
            out = out + shortcut
        return self._run(self.after, out)

    def _run(self, names: tuple[str, ...], out: Tensor) -> Tensor:
        for name in names:
            out = self.get_submodule(name)(out)
        return out


class DenseLayer(nn.Sequential):
    """Its input, and what its submodules make of it, concatenated along the channels."""

    def forward(self, input_BCHW: Tensor) -> Tensor:
        """Return (B, channels in + growth, H, W)."""
        added = input_BCHW
        for module in self:
            added = module(added)
        return torch.cat((input_BCHW, added), dim=1)
