"""The reference for each data sheet's figures is the chip: units times operations a cycle times clock."""

import pytest

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.errors import UsageError
from resbench.metrics.roofline.devices import DEVICES, Device, estimates, find_device, needs_at_least

RESNET50 = layers_of(find_architecture("resnet50"))

CUDA_CORES_GHZ = {
    "gtx-1080-ti": (3584, 1.582),
    "t4": (2560, 1.59),
    "v100-sxm2": (5120, 1.53),
    "v100-pcie": (5120, 1.38),
    "a100-sxm": (6912, 1.41),
    "a100-pcie": (6912, 1.41),
    "h100-sxm": (16896, 1.98),
    "h100-pcie": (14592, 1.755),
    "rtx-3090": (10496, 1.695),
    "rtx-4090": (16384, 2.52),
    "l4": (7424, 2.04),
    "a10": (9216, 1.695),
}
TENSOR_SMS_FMA_GHZ = {
    "t4": (40, 512, 1.59),
    "v100-sxm2": (80, 512, 1.53),
    "v100-pcie": (80, 512, 1.38),
    "a100-sxm": (108, 1024, 1.41),
    "a100-pcie": (108, 1024, 1.41),
    "h100-sxm": (132, 2048, 1.83),
    "h100-pcie": (114, 2048, 1.62),
    "rtx-3090": (82, 256, 1.695),
    "rtx-4090": (128, 256, 2.52),
    "l4": (58, 512, 2.04),
    "a10": (72, 512, 1.695),
}
"""Dense multiply-accumulates of 16-bit floats that one multiprocessor does in a cycle, added up in float32."""


@pytest.mark.parametrize("name", CUDA_CORES_GHZ)
def test_float32_is_two_operations_a_core_and_cycle(name: str) -> None:
    cores, clock_GHz = CUDA_CORES_GHZ[name]
    assert find_device(name).peaks["fp32"] == pytest.approx(2 * cores * clock_GHz * 1e9, rel=0.01)


@pytest.mark.parametrize("name", TENSOR_SMS_FMA_GHZ)
def test_tensor_cores_are_dense(name: str) -> None:
    multiprocessors, fma, clock_GHz = TENSOR_SMS_FMA_GHZ[name]
    peaks = find_device(name).peaks
    expected = 2 * multiprocessors * fma * clock_GHz * 1e9
    assert peaks["fp16"] == pytest.approx(expected, rel=0.01)
    assert peaks.get("bf16", peaks["fp16"]) == peaks["fp16"]
    assert peaks.get("tf32", peaks["fp16"] / 2) == pytest.approx(peaks["fp16"] / 2, rel=0.01)


def test_every_device_is_checked() -> None:
    names = {device.name for device in DEVICES}
    assert names == set(CUDA_CORES_GHZ)
    assert names - {"gtx-1080-ti"} == set(TENSOR_SMS_FMA_GHZ)


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_every_device_names_a_source(device: Device) -> None:
    source = device.source
    assert source.url.startswith("https://")
    assert source.where


def test_resnet50_on_the_seeds_card() -> None:
    estimate = needs_at_least(find_device("gtx-1080-ti"), RESNET50, "fp32")
    # 2 x 4,089,184,256 over 2 x 3,584 x 1.582 GHz.
    assert estimate.compute_s == pytest.approx(4_089_184_256 / (3_584 * 1.582e9))
    assert estimate.memory_s > estimate.compute_s


def test_large_batch_takes_more_but_less_an_image() -> None:
    for one, many in zip(estimates(RESNET50, "fp16", 1), estimates(RESNET50, "fp16", 64), strict=True):
        assert many.compute_s == pytest.approx(64 * one.compute_s)
        assert one.memory_s < many.memory_s <= 64 * one.memory_s


def test_precision_without_a_peak_is_left_out_of_the_table_and_refused_alone() -> None:
    assert "gtx-1080-ti" not in {estimate.device.name for estimate in estimates(RESNET50, "bf16")}
    with pytest.raises(UsageError, match="GeForce GTX 1080 Ti has no peak in 'bf16': choose from fp32"):
        needs_at_least(find_device("gtx-1080-ti"), RESNET50, "bf16")


def test_near_name_is_offered() -> None:
    with pytest.raises(UsageError, match="did you mean gtx-1080-ti"):
        find_device("1080ti")
