"""The prediction from layers against PyTorch's autograd on the meta device, against formulas, and against a fresh process."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.errors import UsageError
from resbench.metrics.memory.asking import measure
from resbench.metrics.memory.heap import Purpose
from resbench.metrics.memory.prediction import Prediction, predict_inference, predict_training
from resbench.metrics.memory.workload import Workload

Account = Callable[..., int]
SMALL = (3, 64, 64)
NETWORKS = (
    "resnet18",
    "resnet50",
    "resnet34_c",
    "resnet18_a",
    "resnext50_32x4d",
    "resnet34_voc_preact",
    "plain18",
    "densenet121",
    "vgg16",
    "cifar_resnet20",
    "cifar_resnet110_dropout_shortcut",
    "cifar_resnet110_bn_after_add",
    "cifar_resnet110_relu_before_add",
    "cifar_resnet110_relu_only_preact",
    "cifar_resnet110_preact",
    "cifar_resnet110_constant_scaling",
)


def layers(name: str, input_CHW: tuple[int, int, int] = SMALL) -> tuple[Layer, ...]:
    return layers_of(find_architecture(name), input_CHW)


@pytest.mark.parametrize("name", NETWORKS)
def test_inference_peaks_where_pytorch_does_to_the_byte(name: str, dry_inference: Account) -> None:
    assert predict_inference(layers(name), 3).peak == dry_inference(name, 3, SMALL)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_step_peaks_where_autograd_does(name: str, dry_step: Account) -> None:
    predicted = predict_training(layers(name), 3).peak
    # Under the watch autograd adds gradients out of place, which takes one more of them for a moment.
    assert predicted <= dry_step(name, 3, SMALL) <= 1.01 * predicted


def test_adam_keeps_two_numbers_for_each_parameter(dry_step: Account) -> None:
    predicted = predict_training(layers("resnet18"), 3, optimizer="adam")
    weights = predicted.parts[Purpose.WEIGHTS]
    tensors = 62  # 21 convolutions less the head make 20, 20 norms of 2, the head of 2
    assert predicted.parts[Purpose.OPTIMIZER] == 2 * weights + 4 * tensors
    found = dry_step("resnet18", 3, SMALL, "adam")
    assert predicted.peak == pytest.approx(found, rel=0.01)


def test_gates_are_within_a_tenth(dry_inference: Account) -> None:
    # A local variable of the unit keeps the gate longer than its last reader.
    name = "cifar_resnet110_exclusive_gating"
    assert predict_inference(layers(name), 3).peak == pytest.approx(dry_inference(name, 3, SMALL), rel=0.1)


def test_the_parts_of_resnet50_are_its_parameters() -> None:
    found = predict_training(layers("resnet50", (3, 224, 224)), 2).parts
    assert found[Purpose.WEIGHTS] == found[Purpose.GRADIENTS] == found[Purpose.OPTIMIZER] == 4 * 25_557_032
    assert found[Purpose.BUFFERS] == 4 * 53_120 + 8 * 53
    assert found[Purpose.IMAGES] == 4 * 2 * 3 * 224 * 224


def convolution_norm_relu_convolution() -> list[Layer]:
    from resbench.architectures.plan import Kind

    shape = (8, 16, 16)
    return [
        Layer("conv1", Kind.CONVOLUTION, (3, 16, 16), shape, sources=(-1,), weights=216, kernel=3),
        Layer("bn1", Kind.BATCH_NORM, shape, shape, sources=(0,), weights=16),
        Layer("relu", Kind.RELU, shape, shape, sources=(1,)),
        Layer("conv2", Kind.CONVOLUTION, shape, shape, sources=(2,), weights=576, kernel=3),
    ]


def test_what_relu_and_convolution_both_keep_is_one_storage() -> None:
    kept = predict_training(convolution_norm_relu_convolution(), 2).parts[Purpose.ACTIVATIONS]
    storage = 4 * 2 * 8 * 16 * 16
    # The norm keeps its input and its statistics, ReLU and convolution one tensor together, the loss its scores.
    assert kept == 2 * storage + 2 * 4 * 8 + storage


def test_a_max_pool_keeps_its_input_and_where_each_maximum_was() -> None:
    from resbench.architectures.plan import Kind

    chain = convolution_norm_relu_convolution()
    pool = Layer("pool", Kind.MAX_POOL, (8, 16, 16), (8, 8, 8), sources=(3,), kernel=2, stride=2)
    last = Layer("conv3", Kind.CONVOLUTION, (8, 8, 8), (8, 8, 8), sources=(4,), weights=576, kernel=3)
    before = predict_training(chain, 2).parts[Purpose.ACTIVATIONS] - 4 * 2 * 8 * 16 * 16
    found = predict_training([*chain, pool, last], 2).parts[Purpose.ACTIVATIONS]
    small = 2 * 8 * 8 * 8
    assert found - before == 4 * 2 * 8 * 16 * 16 + 8 * small + 4 * small + 4 * small


@given(st.integers(1, 64), st.sampled_from(["sgd", "adam"]), st.booleans())
def test_a_peak_is_the_sum_of_what_it_is_made_of_and_grows_with_the_batch(
    batch: int, optimizer: str, first: bool
) -> None:
    def predicted(batch_size: int) -> Prediction:
        return predict_training(
            layers("cifar_resnet20", (3, 32, 32)),
            batch_size,
            optimizer=optimizer,
            frees_gradients_first=first,
        )

    found = predicted(batch)
    assert found.peak == sum(found.at_peak.values())
    assert found.peak < predicted(batch + 1).peak


def test_gradients_that_outlive_the_forward_pass_cost_memory() -> None:
    late = predict_training(layers("resnet18"), 3, frees_gradients_first=False).peak
    assert late > predict_training(layers("resnet18"), 3).peak


def test_fewer_bits_take_less() -> None:
    full = predict_training(layers("resnet18"), 64)
    autocast = predict_training(layers("resnet18"), 64, precision="bf16")
    whole = predict_training(layers("resnet18"), 64, precision="bf16", whole_model=True)
    assert whole.parts[Purpose.WEIGHTS] * 2 == full.parts[Purpose.WEIGHTS] == autocast.parts[Purpose.WEIGHTS]
    assert whole.peak < autocast.peak < full.peak


def test_autocast_holds_copies_of_the_weights_which_a_small_batch_does_not_pay_for() -> None:
    full, autocast = (
        predict_training(layers("resnet18"), 1, precision=precision).peak for precision in ("fp32", "bf16")
    )
    assert autocast > full


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="precision"):
        predict_inference((), 1, precision="fp8")
    with pytest.raises(UsageError, match="optimizer"):
        predict_training((), 1, optimizer="adem")


@pytest.mark.parametrize("batch", [4, 16])
def test_training_resnet18_takes_what_is_predicted_within_a_tenth(batch: int) -> None:
    size = (3, 96, 96)
    predicted = predict_training(layers("resnet18", size), batch, blocked=True)
    measured = measure(Workload(model="resnet18", batch_size=batch, input_CHW=size, training=True))
    assert measured.peak == pytest.approx(predicted.peak, rel=0.1)
    for purpose in (Purpose.WEIGHTS, Purpose.OPTIMIZER):
        assert measured.parts[purpose] == pytest.approx(predicted.parts[purpose], rel=0.1)
