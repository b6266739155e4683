"""Conventions against the figures that tools and papers print; the peers themselves run in test_peers.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.description import Architecture
from resbench.architectures.layers import Kind, layers_of
from resbench.catalog import gather
from resbench.errors import UsageError
from resbench.metrics.flops import (
    CONVENTIONS,
    PEER_RULES,
    biased_outputs,
    core_macs,
    find_convention,
    flops,
    inputs_of,
    measure,
    outputs_of,
)
from resbench.results import Statistic, Unit

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")


@pytest.mark.parametrize(
    ("name", "gflops"),
    [
        # The VOC 07+12 table of deep-learning-algorithm/ResNet (f185d1d), column "GFlops (1080Ti)".
        ("resnet18_biased", 3.641),
        ("resnet34_biased", 7.348),
        ("resnet50", 8.223),
        ("resnet101", 15.668),
    ],
)
def test_the_voc_tables_gflops_are_computed(name: str, gflops: float) -> None:
    assert round(flops(layers_of(CATALOGUED[name]), "voc-table") / 1e9, 3) == gflops


@pytest.mark.parametrize(
    ("convention", "counts"),
    [
        # What each tool printed for torchvision 0.29.1's definitions, 224x224, batch 1.
        ("core-macs", (1814073344, 3663761408, 4089184256, 7801405440, 11513626624)),
        ("2 x core", (3628146688, 7327522816, 8178368512, 15602810880, 23027253248)),
        ("fvcore", (1819065856, 3671262720, 4111512576, 7833969664, 11558835200)),
        ("ptflops-pytorch", (1825313768, 3680019432, 4132436968, 7865129960, 11602639848)),
        ("ptflops-aten", (1814074344, 3663762408, 4089185256, 7801406440, 11513627624)),
    ],
)
def test_a_rule_gives_what_the_tool_prints(convention: str, counts: tuple[int, ...]) -> None:
    names = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]
    assert tuple(flops(layers_of(CATALOGUED[name]), convention) for name in names) == counts


def test_the_paper_counts_resnet18_and_34_as_we_do() -> None:
    # He et al. 2015, Table 1: 1.8e9 and 3.6e9 multiply-adds; its 34-layer figure is option A's 3.644e9.
    assert round(core_macs(layers_of(CATALOGUED["resnet18"])) / 1e9, 1) == 1.8
    assert core_macs(layers_of(CATALOGUED["resnet34"])) / 1e9 == pytest.approx(3.6, abs=0.07)


@given(name=st.sampled_from(sorted(CATALOGUED)), height=st.integers(1, 256), width=st.integers(1, 256))
def test_twice_is_twice_and_every_other_rule_only_adds(name: str, height: int, width: int) -> None:
    layers = layers_of(CATALOGUED[name], (3, height, width))
    core = core_macs(layers)
    assert flops(layers, "2 x core") == 2 * core
    assert flops(layers, "voc-table") > 2 * core
    assert all(rule.count(layers) > core for rule in PEER_RULES)


def test_elements_are_counted_by_kind() -> None:
    layers = layers_of(CATALOGUED["resnet18_biased"])
    assert inputs_of(layers, Kind.AVERAGE_POOL) == 512 * 7 * 7
    assert outputs_of(layers, Kind.AVERAGE_POOL) == 512
    assert outputs_of(layers, Kind.MAX_POOL) == 64 * 56 * 56
    assert biased_outputs(layers, Kind.LINEAR) == 1000
    # Four convolutions a stage, each of half the pixels a side and twice the channels of the last.
    assert biased_outputs(layers, Kind.CONVOLUTION) == sum(
        4 * channels * side**2 for channels, side in ((64, 56), (128, 28), (256, 14), (512, 7))
    )


def test_an_unknown_convention_gets_the_nearest() -> None:
    assert find_convention("voc-table").metric == "flops"
    with pytest.raises(UsageError, match="unknown FLOP convention 'voc_table': did you mean voc-table"):
        flops((), "voc_table")


def test_measurements_name_their_convention() -> None:
    found = measure(layers_of(CATALOGUED["resnet50"]))
    assert [(one.metric, one.method, one.value) for one in found] == [
        ("macs", "core", 4089184256),
        ("flops", "2 x core", 8178368512),
        ("flops", "voc-table", 8223029248),
    ]
    assert {one.unit for one in found} == {Unit.ONE}
    assert {one.statistic for one in found} == {Statistic.COMPUTED}


def test_every_convention_has_a_name_and_a_rule_in_words() -> None:
    names = [convention.name for convention in (*CONVENTIONS, *PEER_RULES)]
    assert len(set(names)) == len(names)
    assert all(convention.rule for convention in (*CONVENTIONS, *PEER_RULES))
