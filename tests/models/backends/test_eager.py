import pytest
import torch
from torch import Tensor, nn

from resbench.models.backends import BackendOptions, Prepared, find_backend, prepare
from resbench.specs import Precision

IMAGES_BCHW = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(144, 5))


def ready(module: nn.Module, options: BackendOptions) -> Prepared:
    return prepare(find_backend("eager"), module, IMAGES_BCHW, options)


def test_inference_is_evaluation_mode_without_gradients() -> None:
    module = network()
    expected_BK = module.eval()(IMAGES_BCHW).detach()
    prepared = ready(module.train(), BackendOptions())
    logits_BK = prepared.call(prepared.place(IMAGES_BCHW))
    assert torch.equal(logits_BK, expected_BK)
    assert logits_BK.is_inference()
    assert prepared.compile_s == 0


def test_channels_last_is_the_layout_of_weights_and_images() -> None:
    module = network()
    prepared = ready(module, BackendOptions(memory_format="channels_last"))
    convolution = module[0]
    assert isinstance(convolution, nn.Conv2d)
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)
    assert prepared.place(IMAGES_BCHW).is_contiguous(memory_format=torch.channels_last)
    assert prepared.settings["memory format"] == "channels_last"


@pytest.mark.parametrize("whole_model", [False, True])
def test_bf16_is_autocast_or_the_whole_model(whole_model: bool) -> None:
    module = network()
    prepared = ready(module, BackendOptions(precision=Precision.BF16, whole_model=whole_model))
    seen: list[Tensor] = []
    module[0].register_forward_hook(lambda _layer, _inputs, output: seen.append(output))
    placed_BCHW = prepared.place(IMAGES_BCHW)
    logits_BK = prepared.call(placed_BCHW)
    wanted = torch.bfloat16 if whole_model else torch.float32
    assert {value.dtype for value in module.parameters()} == {wanted}
    assert placed_BCHW.dtype == wanted
    assert seen[0].dtype == logits_BK.dtype == torch.bfloat16
    assert prepared.settings["precision"].startswith("bf16 (whole" if whole_model else "bf16 (autocast")


def test_training_keeps_what_gradients_need() -> None:
    prepared = ready(network(), BackendOptions(training=True))
    module = prepared.module
    assert module is not None
    assert module.training
    prepared.call(prepared.place(IMAGES_BCHW)).sum().backward()
    assert all(value.grad is not None for value in module.parameters())


def test_calls_can_be_repeated_under_other_contexts() -> None:
    prepared = ready(network(), BackendOptions(precision=Precision.BF16))
    placed_BCHW = prepared.place(IMAGES_BCHW)
    first_BK, second_BK = prepared.call(placed_BCHW), prepared.call(placed_BCHW)
    assert torch.equal(first_BK, second_BK)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    assert not torch.is_autocast_enabled("cpu")
