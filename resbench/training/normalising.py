"""From grey levels to the network's input: erased, scaled to 0 to 1, less the mean, by the standard deviation."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from resbench.errors import UsageError
from resbench.specs import Pictures
from resbench.training.draws import Draws
from resbench.training.photometric import jitter_


@dataclass(frozen=True, slots=True, kw_only=True)
class Normaliser:
    """Subtracts the mean, (3, 1, 1) or of each pixel (3, H, W), and divides by `std_C11`, if any; in place."""

    mean_CHW: Tensor
    std_C11: Tensor | None

    def __call__(self, images_XCHW: Tensor) -> Tensor:
        """Return the normalised images, which were scaled from 0 to 1.

        Raises:
            UsageError: the mean of each pixel is that of another size.
        """
        if self.mean_CHW.shape[1:] not in (images_XCHW.shape[-2:], (1, 1)):
            sizes = ["x".join(map(str, part.shape[-2:])) for part in (self.mean_CHW, images_XCHW)]
            raise UsageError(
                f"the mean of each pixel is for pictures of {sizes[0]}, found {sizes[1]}: give the recipe pictures.mean "
                "and pictures.std, of each channel"
            )
        return self.less(images_XCHW, self.mean_CHW)

    def less(self, images_XCHW: Tensor, mean_CHW: Tensor) -> Tensor:
        """Return the images less this mean, divided by the standard deviation."""
        images_XCHW.sub_(mean_CHW)
        return images_XCHW if self.std_C11 is None else images_XCHW.div_(self.std_C11)

    def padded_mean(self, height: int, width: int, padding: int) -> Tensor:
        """Return the mean of each pixel of a picture with zeros around it: what is subtracted from black pixels is 0."""
        plane_CHW = self.mean_CHW.expand(3, height, width) if self.mean_CHW.numel() == 3 else self.mean_CHW
        return pad(plane_CHW, (padding,) * 4)

    def to(self, device: torch.device) -> "Normaliser":
        """Return the same on a device."""
        std = None if self.std_C11 is None else self.std_C11.to(device)
        return Normaliser(mean_CHW=self.mean_CHW.to(device), std_C11=std)


def normaliser(pictures: Pictures, mean_CHW: Tensor | None) -> Normaliser:
    """Return what normalises as the recipe says: by its channel statistics, or else by this mean of each pixel.

    Raises:
        UsageError: there is neither; or the recipe asks for steps that do not go together.
    """
    if pictures.pad and pictures.pad_space == "input" and (pictures.color_jitter or pictures.erase):
        raise UsageError(
            "pictures.pad_space is 'input', but pictures are jittered or erased before they are normalised: "
            "set pictures.pad_space to 'picture'"
        )
    if pictures.mean:
        mean, std = (torch.tensor(part)[:, None, None] for part in (pictures.mean, pictures.std))
        return Normaliser(mean_CHW=mean, std_C11=std)
    if mean_CHW is None:
        raise UsageError("the mean of each pixel is needed: give the recipe pictures.mean, or the mean")
    return Normaliser(mean_CHW=mean_CHW, std_C11=None)


def distort(levels_BCHW: Tensor, samples_B: Tensor, draws: Draws) -> Tensor:
    """Jitter, scale to 0 to 1 and erase in place, each sample as drawn for it.

    Args:
        levels_BCHW: cropped and flipped, float32, 0 to 255.
        samples_B: which samples they are; on the CPU, like the draws.
        draws: of the epoch.
    """
    if draws.order_N4 is not None and draws.factors_N4 is not None:
        jitter_(levels_BCHW, draws.order_N4[samples_B], draws.factors_N4[samples_B])
    levels_BCHW.div_(255)
    if draws.erased_N4 is not None:
        for image_CHW, box in zip(levels_BCHW, draws.erased_N4[samples_B].tolist(), strict=True):
            top, left, height, width = box
            if height:
                image_CHW[:, top : top + height, left : left + width] = 0
    return levels_BCHW
