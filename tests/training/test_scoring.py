"""Against the crops slid over a picture one by one, and against softmax and mean written out."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError, UsageError
from resbench.models.outside import open_model
from resbench.training.evaluation import mean_logits
from resbench.training.protocols import Average
from resbench.training.scoring import check_dense, scores

LOGITS = partial(scores, average=Average.LOGITS, at_once=4)


def convolutional() -> nn.Sequential:
    """Without padding: 11x11 pixels make one place of the last features, and steps of 4 pixels the next."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(8, 16, 5, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 7),
    ).eval()


def test_a_whole_picture_is_the_mean_over_crops_slid_over_it() -> None:
    """Global pooling before a linear layer: 6 x 4 crops of 11x11, four pixels apart, scored alone and averaged."""
    model, image_CHW = convolutional(), torch.randn(3, 11 + 4 * 5, 11 + 4 * 3)
    slid = [
        image_CHW[:, top : top + 11, left : left + 11] for top in range(0, 21, 4) for left in range(0, 13, 4)
    ]
    assert len(slid) == 24
    expected_K = model(torch.stack(slid)).mean(dim=0)
    found_BK = LOGITS(model, [[image_CHW[None]]])
    torch.testing.assert_close(found_BK[0], expected_K, rtol=1e-5, atol=1e-6)


def test_a_residual_network_is_the_mean_of_its_head_at_each_place() -> None:
    """What He et al. call fully convolutional: the last layer as a 1x1 convolution over the last features."""
    torch.manual_seed(2)
    model = open_model("resnet18", classes=6).module.eval()
    features: list[Tensor] = []
    model.get_submodule("layer4").register_forward_hook(lambda _module, _given, out: features.append(out))
    found_BK = LOGITS(model, [[torch.randn(1, 3, 96, 160)]])
    head = model.get_submodule("fc")
    assert isinstance(head, nn.Linear)
    dense_BKHW = nn.functional.conv2d(features[0].clone(), head.weight[:, :, None, None], head.bias)
    assert dense_BKHW.shape[2:] == (3, 5)
    torch.testing.assert_close(found_BK, dense_BKHW.mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)


def test_each_scale_counts_the_same_and_samples_do_not_mix() -> None:
    """Two pictures of other shapes, two scales, with mirror images: the mean of the four, picture by picture."""
    model = convolutional()
    pictures = [
        [torch.randn(2, 3, 20, 30), torch.randn(2, 3, 40, 60)],
        [torch.randn(2, 3, 30, 20), torch.randn(2, 3, 40, 60)],
        [torch.randn(2, 3, 20, 30), torch.randn(2, 3, 60, 40)],
    ]
    expected_BK = torch.stack([torch.cat([model(part) for part in parts]).mean(dim=0) for parts in pictures])
    for at_once in (1, 2, 3, 100):
        found_BK = scores(model, pictures, Average.LOGITS, at_once=at_once)
        torch.testing.assert_close(found_BK, expected_BK, rtol=1e-5, atol=1e-6)


def test_views_of_one_size_are_averaged_as_training_does() -> None:
    model, images_BVCHW = convolutional(), torch.randn(4, 10, 3, 16, 16)
    assert torch.equal(LOGITS(model, images_BVCHW), mean_logits(model, images_BVCHW))


@pytest.mark.parametrize("as_list", [False, True])
def test_probabilities_are_averaged_where_that_is_asked_for(as_list: bool) -> None:
    """By hand: (0.9, 0.1) and (0.2, 0.8) average to (0.55, 0.45); their logits say the second class."""
    logits_VK = torch.tensor([[0.9, 0.1], [0.2, 0.8]]).log()
    images = logits_VK[None, :, :, None, None]
    batch = [[images[0, :1]], [images[0]]][1:] if as_list else images
    found_BK = scores(nn.Flatten(1), batch, Average.PROBABILITIES, at_once=1)
    assert found_BK.exp()[0].tolist() == pytest.approx([0.55, 0.45])


def test_a_probability_that_float32_has_no_room_for_is_still_a_number() -> None:
    images_BVCHW = torch.tensor([400.0, 0.0])[None, None, :, None, None]
    found_BK = scores(nn.Flatten(1), images_BVCHW, Average.PROBABILITIES, at_once=1)
    assert found_BK[0].tolist() == pytest.approx([0.0, -400.0])


class OutOfMemory(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")


class Three(nn.Module):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, images


@pytest.mark.parametrize(
    ("model", "error", "told"),
    [
        (
            OutOfMemory(),
            ResbenchError,
            "8 views of 16x16 do not fit the device's memory: give a smaller --batch",
        ),
        (nn.Linear(3, 4), UsageError, "can't take pictures of 16x16"),
        (nn.Identity(), UsageError, "output is 8x3x16x16"),
        (Three(), UsageError, "output is tuple"),
    ],
)
def test_what_goes_wrong_is_one_line(model: nn.Module, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        LOGITS(model, torch.zeros(4, 2, 3, 16, 16))


def test_a_head_for_places_in_a_grid_is_refused() -> None:
    with torch.device("meta"):
        with pytest.raises(UsageError, match="pools to"):
            check_dense(open_model("torchvision:vgg16").module)
        check_dense(open_model("torchvision:resnet18").module)
