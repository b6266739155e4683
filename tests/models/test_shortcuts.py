import pytest
import torch
from torch import nn

from resbench.architectures.description import Shortcut
from resbench.models.shortcuts import ZeroPad, projection, resizing


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 5), (1, 1)])
def test_option_a_keeps_every_second_pixel_and_appends_zero_channels(height: int, width: int) -> None:
    images_BCHW = torch.randn(2, 3, height, width)
    out = ZeroPad(3, 5, 2)(images_BCHW)
    assert out.shape == (2, 5, (height + 1) // 2, (width + 1) // 2)
    for channel in range(3):
        for row in range(out.shape[2]):
            for column in range(out.shape[3]):
                assert torch.equal(out[:, channel, row, column], images_BCHW[:, channel, 2 * row, 2 * column])
    assert not out[:, 3:].any()
    assert list(ZeroPad(3, 5, 2).parameters()) == []


def test_option_b_is_a_1x1_convolution_without_bias_and_batch_norm() -> None:
    convolution, norm = projection(3, 5, 2)
    assert sum(parameter.numel() for parameter in convolution.parameters()) == 3 * 5
    assert sum(parameter.numel() for parameter in norm.parameters()) == 2 * 5


@pytest.mark.parametrize("shortcut", [Shortcut.ZERO_PAD, Shortcut.PROJECTION, Shortcut.NONE])
def test_what_keeps_its_size_passes_unchanged(shortcut: Shortcut) -> None:
    assert resizing(shortcut, 4, 4, 1) is None


def test_option_c_projects_what_keeps_its_size_too() -> None:
    assert isinstance(resizing(Shortcut.PROJECTION_EVERYWHERE, 4, 4, 1), nn.Sequential)


@pytest.mark.parametrize(("channels_out", "stride"), [(8, 1), (4, 2), (8, 2)])
def test_what_changes_its_size_passes_the_shortcuts_module(channels_out: int, stride: int) -> None:
    assert resizing(Shortcut.NONE, 4, channels_out, stride) is None
    assert isinstance(resizing(Shortcut.ZERO_PAD, 4, channels_out, stride), ZeroPad)
    for option in (Shortcut.PROJECTION, Shortcut.PROJECTION_EVERYWHERE):
        assert isinstance(resizing(option, 4, channels_out, stride), nn.Sequential)
