"""The measurements that results store, under the names they have been stored under."""

import pytest

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.metrics.flops.conventions import find_convention
from resbench.metrics.flops.measure import METHODS, measure
from resbench.results import Statistic, Unit


def test_measurements_name_their_convention() -> None:
    found = measure(layers_of(find_architecture("resnet50")))
    assert [(one.metric, one.method, one.value) for one in found] == [
        ("macs", "core", 4089184256),
        ("flops", "2 x core", 8178368512),
        ("flops", "voc-table", 8223029248),
    ]
    assert {one.unit for one in found} == {Unit.ONE}
    assert {one.statistic for one in found} == {Statistic.COMPUTED}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_of_the_metric_of_its_convention(method: str) -> None:
    stored = {one.method: one.metric for one in measure(layers_of(find_architecture("cifar_resnet20")))}
    assert stored[method] == find_convention(METHODS[method]).metric
