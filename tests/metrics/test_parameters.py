import pytest

from resbench.architectures.layers import layers_of
from resbench.catalog import gather
from resbench.metrics.parameters import measure, parameters, size
from resbench.results import Unit
from resbench.units import mebibytes

CATALOGUED = gather("architectures", "ARCHITECTURES")


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        # The VOC 07+12 table of deep-learning-algorithm/ResNet (f185d1d), column "Model Size (MB)".
        ("resnet18_biased", "44.607"),
        ("resnet34_biased", "83.180"),
        ("resnet50", "97.492"),
        ("resnet101", "169.942"),
        ("resnet34_voc_preact", "83.177"),
        ("resnet101_voc_preact", "169.926"),
        ("densenet121", "30.437"),
    ],
)
def test_the_voc_tables_sizes_are_computed(name: str, printed: str) -> None:
    assert mebibytes(size(layers_of(CATALOGUED[name]))) == printed


def test_measurements_are_in_base_units() -> None:
    layers = layers_of(CATALOGUED["resnet50"])
    count, stored = measure(layers)
    assert (count.metric, count.value, count.unit) == ("parameters", 25_557_032, Unit.ONE)
    assert (stored.metric, stored.value, stored.unit) == ("size", 4 * 25_557_032, Unit.BYTE)


@pytest.mark.parametrize("name", CATALOGUED)
def test_another_head_costs_its_weights_and_bias(name: str) -> None:
    architecture = CATALOGUED[name]
    layers = layers_of(architecture)
    more = parameters(layers_of(architecture, classes=architecture.classes + 3))
    assert more - architecture.costs.parameters == 3 * (layers[-1].inputs + 1)
