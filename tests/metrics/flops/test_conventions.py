"""Rules against the figures that tools and papers print; the tools themselves run in test_peers_live.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.description import Architecture
from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.plan import Kind
from resbench.catalog import gather
from resbench.errors import UsageError
from resbench.metrics.flops.conventions import CONVENTIONS, Convention, Term, count, find_convention, terms
from resbench.metrics.flops.ledger import Ledger, ledger_of

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")
RESNETS = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]
MIB = 2**20


def ledger(name: str, convention: str = "core-macs") -> Ledger:
    return ledger_of(layers_of(find_convention(convention).form(find_architecture(name))))


def counted(name: str, convention: str) -> int:
    return count(find_convention(convention), ledger(name, convention))


@pytest.mark.parametrize(
    ("convention", "counts"),
    [
        # What each tool printed for torchvision 0.29.1's definitions: 3x224x224, batch 1, 1000 classes.
        ("core-macs", (1814073344, 3663761408, 4089184256, 7801405440, 11513626624)),
        ("torchvision", (1814073344, 3663761408, 4089184256, 7801405440, 11513626624)),
        ("ptflops-aten", (1814074344, 3663762408, 4089185256, 7801406440, 11513627624)),
        ("torchinfo", (1814083944, 3663779432, 4089238376, 7801511784, 11513779048)),
        ("fvcore", (1819065856, 3671262720, 4111512576, 7833969664, 11558835200)),
        ("thop", (1824033792, 3678739456, 4133742592, 7866435584, 11603945472)),
        ("ptflops-pytorch", (1825313768, 3680019432, 4132436968, 7865129960, 11602639848)),
        ("flop-counter-mode", (3628146688, 7327522816, 8178368512, 15602810880, 23027253248)),
        ("flops", (3628146688, 7327522816, 8178368512, 15602810880, 23027253248)),
        ("calflops", (3636250112, 7339389440, 8211108352, 15650904576, 23094313472)),
        # Table 1 prints 1.8, 3.6, 3.8, 7.6 and 11.3 x 10^9.
        ("paper2015", (1794805760, 3644493824, 3857973248, 7570194432, 11282415616)),
    ],
)
def test_a_rule_gives_what_the_tool_prints(convention: str, counts: tuple[int, ...]) -> None:
    assert tuple(counted(name, convention) for name in RESNETS) == counts


@pytest.mark.parametrize(
    ("name", "mebibytes", "gflops"),
    [
        # The VOC 07+12 table of deep-learning-algorithm/ResNet (f185d1d): "Model size" and "GFlops (1080Ti)".
        ("resnet18_biased", None, 3.641),
        ("resnet34_biased", None, 7.348),
        ("resnet50", None, 8.223),
        ("resnet101", None, 15.668),
        ("densenet121", 30.437, 5.731),
        ("resnet34_voc_preact", 83.177, 7.349),
        ("resnet101_voc_preact", 169.926, 15.668),
    ],
)
def test_the_voc_tables_figures_are_computed(name: str, mebibytes: float | None, gflops: float) -> None:
    assert round(counted(name, "voc-table") / 1e9, 3) == gflops
    assert counted(name, "voc-table") == 2 * counted(name, "thop-0.0.31")
    if mebibytes is not None:
        parameters = sum(row.weights + row.biases for row in ledger(name))
        assert round(4 * parameters / MIB, 3) == mebibytes


def test_the_paper_counts_its_own_forms() -> None:
    printed = [1.8, 3.6, 3.8, 7.6, 11.3]
    for name, billions in zip(RESNETS, printed, strict=True):
        # It cuts 3.858 to 3.8 and rounds 7.570 to 7.6.
        assert counted(name, "paper2015") / 1e9 == pytest.approx(billions, abs=0.06)
    form = find_convention("paper2015").form
    assert form(find_architecture("resnet50")).body == find_architecture("resnet50_v1").body
    assert form(find_architecture("resnet34")).body == find_architecture("resnet34_a").body
    for name in ("resnet34_c", "plain34", "vgg16", "densenet121"):
        assert form(find_architecture(name)) == find_architecture(name)


def test_activations_are_the_elements_out_of_weighted_layers() -> None:
    # fvcore's ActivationCountAnalysis; pycls adds the max-pool's.
    def outputs(name: str, *kinds: Kind) -> int:
        return sum(row.outputs for row in ledger(name) if row.kind in kinds)

    weighted = (Kind.CONVOLUTION, Kind.LINEAR)
    assert [outputs(name, *weighted) for name in RESNETS] == [2484712, 3739112, 11114984, 16232936, 22555112]
    assert outputs("resnet50", *weighted, Kind.MAX_POOL) == 11315688


def test_the_sum_of_resnet50s_fvcore_count_is_written_out() -> None:
    assert terms(find_convention("fvcore"), ledger("resnet50")) == (
        Term("MACs of convolutions and linear layers", 1, 4089184256),
        Term("batch-norm elements", 2, 11113984),
        Term("elements into adaptive average pools", 1, 2048 * 7 * 7),
    )


def test_functions_are_invisible_to_a_tool_that_hooks_modules() -> None:
    # The last ReLU and the global average pool of DenseNet-121 are calls of functions.
    pooled = {
        name: sum(
            term.value
            for term in terms(find_convention(name), ledger("densenet121"))
            if "pools" in term.label
        )
        for name in ("thop", "fvcore", "ptflops-pytorch")
    }
    transitions = [128 * 56**2, 256 * 28**2, 512 * 14**2]
    assert pooled["thop"] == sum(transitions) // 4
    assert pooled["fvcore"] == 1024 * 7 * 7
    assert pooled["ptflops-pytorch"] == 2 * (64 * 112**2 + sum(transitions)) + 1024 * 7 * 7


def layer(kind: Kind, module: str, operator: str, **fields: int) -> Layer:
    return Layer("it", kind, (8, 4, 4), (8, 4, 4), module=module, operator=operator, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "counts"),
    [
        # Operations for each of 128 elements, from the source of each tool.
        (
            layer(Kind.NORM, "LayerNorm", "aten.layer_norm", weights=16),
            {"fvcore": 5, "thop": 4, "calflops": 5},
        ),
        (layer(Kind.NORM, "LayerNorm", "aten.layer_norm"), {"fvcore": 4, "thop": 2, "calflops": 4}),
        (layer(Kind.NORM, "GroupNorm", "aten.group_norm", weights=16), {"ptflops-pytorch": 2, "thop": 0}),
        (layer(Kind.NORM, "LayerNorm", "aten.layer_norm", weights=16), {"ptflops-pytorch": 1}),
        (layer(Kind.NORM, "LayerNorm2d", "aten.layer_norm", weights=16), {"ptflops-pytorch": 0, "thop": 0}),
        (layer(Kind.RELU, "ReLU", "aten.relu"), {"ptflops-pytorch": 2, "calflops": 1, "fvcore": 0}),
        (layer(Kind.RELU, "", "aten.relu"), {"ptflops-pytorch": 1, "calflops": 1, "thop": 0}),
        (layer(Kind.ELEMENTWISE, "GELU", "aten.gelu"), {"ptflops-pytorch": 2, "calflops": 1, "fvcore": 0}),
        (layer(Kind.ELEMENTWISE, "SiLU", "aten.silu"), {"ptflops-pytorch": 1, "calflops": 1}),
        (layer(Kind.ELEMENTWISE, "Hardswish", "aten.hardswish"), {"ptflops-pytorch": 0, "calflops": 0}),
        (layer(Kind.ELEMENTWISE, "ReLU6", "aten.hardtanh"), {"ptflops-pytorch": 1, "calflops": 0}),
        (layer(Kind.ELEMENTWISE, "LeakyReLU", "aten.leaky_relu"), {"ptflops-pytorch": 1, "calflops": 1}),
        (layer(Kind.SOFTMAX, "", "aten.softmax"), {"ptflops-pytorch": 1, "calflops": 1, "fvcore": 0}),
        (layer(Kind.SOFTMAX, "", "aten.scaled_dot_product_attention"), {"ptflops-pytorch": 0, "calflops": 0}),
        (layer(Kind.ELEMENTWISE, "Upsample", "aten.upsample_bilinear2d"), {"fvcore": 4, "thop": 11}),
        (layer(Kind.ELEMENTWISE, "Upsample", "aten.upsample_nearest2d"), {"fvcore": 1, "thop": 1}),
        (layer(Kind.ELEMENTWISE, "Upsample", "aten.upsample_nearest2d"), {"ptflops-pytorch": 2}),
        (layer(Kind.ELEMENTWISE, "", "aten.upsample_nearest2d"), {"ptflops-pytorch": 1, "thop": 0}),
        (
            layer(Kind.MAX_POOL, "MaxPool2d", "aten.max_pool2d"),
            {"ptflops-pytorch": 2, "calflops": 1, "fvcore": 0},
        ),
        (
            layer(Kind.AVERAGE_POOL, "AvgPool2d", "aten.avg_pool2d"),
            {"fvcore": 0, "thop": 1, "ptflops-pytorch": 2},
        ),
        (
            layer(Kind.AVERAGE_POOL, "", "aten.mean", adaptive=True),
            {"fvcore": 0, "ptflops-pytorch": 0, "calflops": 0},
        ),
        (layer(Kind.ADD, "", "aten.add"), {convention.name: 0 for convention in CONVENTIONS}),
        (layer(Kind.MULTIPLY, "", "aten.mul"), {convention.name: 0 for convention in CONVENTIONS}),
        (layer(Kind.CONCATENATE, "", "aten.cat"), {convention.name: 0 for convention in CONVENTIONS}),
    ],
    ids=lambda value: f"{value.module or 'function'} {value.operator}" if isinstance(value, Layer) else "",
)
def test_what_each_tool_counts_for_an_element(seen: Layer, counts: dict[str, int]) -> None:
    found = {name: count(find_convention(name), ledger_of([seen])) for name in counts}
    assert found == {name: 128 * factor for name, factor in counts.items()}


@pytest.mark.parametrize(
    ("operator", "blind"),
    [
        ("aten.scaled_dot_product_attention", {"fvcore", "ptflops-pytorch", "ptflops-aten", "calflops"}),
        ("aten.matmul", set()),
        ("aten.bmm", {"calflops"}),
        ("aten.baddbmm", {"fvcore", "ptflops-aten"}),
    ],
)
def test_a_product_of_activations_is_seen_by_some(operator: str, blind: set[str]) -> None:
    seen = ledger_of([layer(Kind.MATMUL, "", operator, macs=1000)])
    hooks = {"thop", "thop-0.0.31", "voc-table", "torchinfo"}
    for convention in CONVENTIONS:
        factor = 2 if convention.metric == "flops" else 1
        expected = 0 if convention.name in blind | hooks else 1000 * factor
        assert count(convention, seen) == expected, convention.name


@given(
    name=st.sampled_from(sorted(CATALOGUED)),
    convention=st.sampled_from(CONVENTIONS),
    height=st.integers(1, 256),
    width=st.integers(1, 256),
)
def test_terms_add_up_and_no_rule_is_below_its_core(
    name: str, convention: Convention, height: int, width: int
) -> None:
    try:
        layers = layers_of(CATALOGUED[name], (3, height, width))
    except UsageError:
        return  # too small for the network
    found = ledger_of(layers)
    total = count(convention, found)
    assert sum(term.value for term in terms(convention, found)) == total
    assert total >= (2 if convention.metric == "flops" else 1) * sum(layer.macs for layer in layers)
    assert sum(count(convention, ledger_of([layer])) for layer in layers) == total


def test_every_convention_has_a_name_and_a_rule_in_words() -> None:
    names = [convention.name for convention in CONVENTIONS]
    assert names == list(dict.fromkeys(names))
    assert len(names) == 13
    assert all(convention.rule and convention.metric in ("macs", "flops") for convention in CONVENTIONS)
    assert all(find_convention(convention.name) is convention for convention in CONVENTIONS)


def test_an_unknown_convention_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown FLOP convention 'voc_table': did you mean voc-table"):
        find_convention("voc_table")
