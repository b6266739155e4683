"""Predicted beside measured peak memory at the full picture size, on the CPU: `pytest benchmarks/test_memory_prediction.py -s`.

The process gives freed memory back at once, so that what is resident is what is in use. With the C library's usual heap the peak
is higher by what that heap keeps; it is printed, and nothing is asserted of it. The largest case takes 3.5 GiB.
"""

import pytest

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.metrics.memory.asking import measure
from resbench.metrics.memory.prediction import predict_inference, predict_training
from resbench.metrics.memory.workload import Workload
from resbench.units import MIB


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("batch", [8, 32])
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_the_peak_is_predicted_within_a_tenth(name: str, batch: int, training: bool) -> None:
    architecture = find_architecture(name)
    predict = predict_training if training else predict_inference
    predicted = predict(layers_of(architecture), batch, blocked=True)
    peaks = [
        measure(
            Workload(
                model=name,
                batch_size=batch,
                input_CHW=architecture.input_CHW,
                training=training,
                returns_memory=returns,
            )
        ).peak
        for returns in (True, False)
    ]
    print(  # noqa: T201 - the figures are what it is run for
        f"\n{name}, batch {batch}, {'training' if training else 'inference'}: "
        f"predicted {predicted.peak / MIB:.1f} MiB, measured {peaks[0] / MIB:.1f} MiB "
        f"({peaks[0] / predicted.peak - 1:+.1%}), with the usual heap {peaks[1] / MIB:.1f} MiB"
        f" ({peaks[1] / predicted.peak - 1:+.1%})"
    )
    assert peaks[0] == pytest.approx(predicted.peak, rel=0.1)
