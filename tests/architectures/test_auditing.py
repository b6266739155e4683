"""Every catalogued network is recognised, near misses are told apart: from layers, described and seen to run."""

from functools import cache
from pathlib import Path

import pytest
import torch
import torchvision

from resbench.architectures.auditing.auditing import Finding, audit_layers
from resbench.architectures.auditing.checkpoints import audit_tensors, tensors_against
from resbench.architectures.auditing.claims import claimed, contradiction
from resbench.architectures.auditing.state import state_of
from resbench.architectures.description import Architecture
from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.catalog import gather
from resbench.errors import UsageError
from resbench.models.build import build
from resbench.models.dropouts import ActiveDropouts
from resbench.models.observing import observe
from resbench.models.outside import open_model

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")
FOREIGN = Path(__file__).parent / "foreign_networks.py"
every_network = pytest.mark.parametrize("name", CATALOGUED)


def seen(module: torch.nn.Module, input_CHW: tuple[int, ...]) -> Finding:
    with ActiveDropouts():
        found = observe(module, input_CHW)
    return audit_layers(found.layers, CATALOGUED, parameters=found.parameters)


def foreign(name: str) -> Finding:
    with torch.device("meta"):
        opened = open_model(f"{FOREIGN}:{name}")
    return seen(opened.module, (3, 224, 224) if "resnet50" in name else (3, 32, 32))


@cache
def on_meta(name: str) -> torch.nn.Module:
    with torch.device("meta"):
        return build(CATALOGUED[name])


def names(finding: Finding) -> list[str]:
    return [match.name for match in finding.matches]


def described(name: str) -> Finding:
    return audit_layers(layers_of(find_architecture(name)), CATALOGUED)


def shapes(module: torch.nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(tensor.shape)) for name, tensor in module.state_dict().items()]


# The catalogued networks themselves.


@every_network
def test_a_description_is_recognised(name: str) -> None:
    found = described(name)
    assert (found.exact, names(found)) == (True, [name])
    assert found.parameters == CATALOGUED[name].costs.parameters  # type: ignore[union-attr]


@every_network
def test_a_module_is_recognised(name: str) -> None:
    found = seen(on_meta(name), CATALOGUED[name].input_CHW)
    assert (found.exact, names(found)) == (True, [name])


@every_network
def test_a_checkpoint_is_recognised_and_named_with_all_that_have_its_shapes(name: str) -> None:
    tensors = shapes(on_meta(name))
    found = audit_tensors(tensors, CATALOGUED)
    assert found.exact
    assert set(names(found)) == {other for other, state in _states().items() if state == dict(tensors)}
    assert name in names(found)


@cache
def _states() -> dict[str, dict[str, tuple[int, ...]]]:
    return {name: dict(state_of(architecture)) for name, architecture in CATALOGUED.items()}


@every_network
def test_the_state_of_a_description_is_that_of_its_module(name: str) -> None:
    assert list(state_of(CATALOGUED[name])) == shapes(on_meta(name))


def test_another_size_and_other_classes_are_no_difference() -> None:
    layers = layers_of(CATALOGUED["resnet50_v1"], (3, 65, 97), 20)
    found = audit_layers(layers, CATALOGUED)
    assert (found.exact, names(found)) == (True, ["resnet50_v1"])
    assert (found.input_CHW, found.classes) == ((3, 65, 97), 20)
    assert names(audit_tensors(state_of(CATALOGUED["resnet50"], 20), CATALOGUED)) == [
        "resnet50",
        "resnet50_v1",
    ]


@pytest.mark.parametrize(
    "name", ["resnet34", "resnet50", "wide_resnet50_2", "resnext50_32x4d", "densenet121", "vgg16"]
)
def test_torchvisions_networks_are_ours(name: str) -> None:
    with torch.device("meta"):
        module = torchvision.models.get_model(name, weights=None)
    found = seen(module, (3, 224, 224))
    assert (found.exact, names(found)) == (True, [name])
    assert name in names(audit_tensors(shapes(module), CATALOGUED))


# The same networks in other people's code, and those that only seem the same.


@pytest.mark.parametrize(
    ("written", "catalogued"),
    [
        ("resnet20", "cifar_resnet20"),
        ("resnet20_pooled", "cifar_resnet20"),
        ("resnet20_preact", "cifar_resnet20(order=full_preact)"),
        ("resnet50", "resnet50"),
        ("resnet50_of_the_paper", "resnet50_v1"),
        ("resnet20_bn_after_add", "cifar_resnet20(order=bn_after_add)"),
        # Planted: called resnet110 and resnet56, and not the paper's.
        ("resnet110", "cifar_resnet110_b"),
        ("resnet56", "cifar_resnet44"),
        ("resnet110_relu_before_add", "cifar_resnet110_relu_before_add"),
        ("resnet110_preact", "cifar_resnet110_preact"),
    ],
)
def test_how_a_network_is_written_does_not_matter(written: str, catalogued: str) -> None:
    architecture = find_architecture(catalogued)
    with torch.device("meta"):
        opened = open_model(f"{FOREIGN}:{written}")
    with ActiveDropouts():
        layers = observe(opened.module, architecture.input_CHW).layers
    found = audit_layers(layers, {**CATALOGUED, catalogued: architecture})
    assert (found.exact, names(found)) == (True, [catalogued])


@pytest.mark.parametrize(
    ("written", "nearest", "traits"),
    [
        (
            "resnet56_padded_on_both_sides",
            "cifar_resnet56",
            {
                "padding side": (
                    "1/2 of the channels of zeros in front, the rest behind",
                    "all channels of zeros behind",
                )
            },
        ),
        ("resnet56_biased", "cifar_resnet56", {"convolution bias": ("yes", "no")}),
        (
            "resnet110_preact_without_last",
            "cifar_resnet110_preact",
            {"after the last addition": ("nothing", "BN-ReLU")},
        ),
        (
            "resnet20_bn_after_add",
            "cifar_resnet20",
            {"BN and ReLU order": ("conv-BN-ReLU-conv, add, BN-ReLU", "conv-BN-ReLU-conv-BN, add, ReLU")},
        ),
        (
            "resnet50_with_3x3_stem",
            "resnet50",
            {"stem": ("3x3 / 2, 64 channels", "7x7 / 2, 64 channels")},
        ),
        ("resnet50_without_max_pool", "resnet50", {"stem pool": ("none", "max-pool 3x3 / 2")}),
        (
            "resnet20_twice_as_wide",
            "cifar_resnet20",
            {
                "width": ("32, 64, 128", "16, 32, 64"),
                "stem": ("3x3 / 1, 32 channels", "3x3 / 1, 16 channels"),
            },
        ),
    ],
)
def test_a_near_miss_is_told_by_what_differs_and_nothing_else(
    written: str, nearest: str, traits: dict[str, tuple[str, str]]
) -> None:
    found = foreign(written)
    assert not found.exact
    assert names(found) == [nearest]
    assert {one.trait: (one.found, one.expected) for one in found.matches[0].differences} == traits


@pytest.mark.parametrize(
    ("name", "nearest", "trait", "where"),
    [
        ("resnet50(shortcut=A)", "resnet50", "shortcut where the size changes", "layer1.0, 4 of 4 units"),
        ("cifar_resnet20(depth=14)", "cifar_resnet20", "depth", ""),
        ("resnet50(groups=2,group_width=32)", "resnet50", "groups", "layer1.0, 16 of 16 units"),
        (
            "cifar_resnet110_exclusive_gating(shortcut_dropout=0.5)",
            "cifar_resnet110_exclusive_gating",
            "dropout",
            "layer1.0, 54 of 54 units",
        ),
        (
            "cifar_resnet32(order=no_output_relu)",
            "cifar_resnet32",
            "BN and ReLU order",
            "layer1.0, 15 of 15 units",
        ),
    ],
)
def test_a_choice_is_told_with_where_it_differs(name: str, nearest: str, trait: str, where: str) -> None:
    found = described(name)
    assert names(found) == [nearest]
    assert [(one.trait, one.where) for one in found.matches[0].differences] == [(trait, where)]


def test_a_plain_network_is_a_residual_one_without_shortcuts() -> None:
    found = audit_layers(
        layers_of(find_architecture("cifar_plain56")),
        {name: one for name, one in CATALOGUED.items() if "plain" not in name},
    )
    assert names(found)[0] == "cifar_resnet56"
    assert [one.trait for one in found.matches[0].differences] == ["shortcuts"]


def test_networks_that_are_equally_near_are_all_named() -> None:
    found = described("cifar_resnet110(shortcut_scale=0.5)")
    assert names(found) == ["cifar_resnet110", "cifar_resnet110_constant_scaling"]


def test_parameters_that_nothing_reads_are_a_difference() -> None:
    layers = layers_of(CATALOGUED["resnet18"])
    found = audit_layers(layers, CATALOGUED, parameters=11_689_512 + 5)
    assert not found.exact
    assert names(found) == ["resnet18"]
    (only,) = found.matches[0].differences
    assert (only.trait, only.found) == ("parameters", "11,689,517 in the module")


def test_a_network_of_another_kind_is_far_from_all() -> None:
    with torch.device("meta"):
        module = torchvision.models.mobilenet_v2(weights=None)
    assert seen(module, (3, 224, 224)).far
    assert not foreign("resnet20_twice_as_wide").far


def test_no_layers_are_refused() -> None:
    with pytest.raises(UsageError, match="no layers"):
        audit_layers((), CATALOGUED)


# Checkpoints of other people's code.


@pytest.mark.parametrize(
    ("written", "first", "how"),
    [
        ("resnet110", "cifar_resnet110_b", "the same shapes module by module, under other names"),
        ("resnet50_of_the_paper", "resnet50", "the same shapes in the same order, under other names"),
        ("resnet110_preact", "cifar_resnet110_preact", "the same shapes module by module, under other names"),
    ],
)
def test_a_checkpoint_of_other_names_is_recognised_by_its_shapes(written: str, first: str, how: str) -> None:
    with torch.device("meta"):
        module = open_model(f"{FOREIGN}:{written}").module
    found = audit_tensors(shapes(module), CATALOGUED)
    assert (found.exact, names(found)[0], found.how) == (True, first, how)


def test_a_checkpoint_sorted_by_name_is_recognised_module_by_module() -> None:
    renamed = [
        (name.replace("downsample", "shortcut").replace("fc.", "linear."), shape)
        for name, shape in state_of(CATALOGUED["cifar_resnet110_preact"])
    ]
    found = audit_tensors(sorted(renamed), CATALOGUED)
    assert (found.how, names(found)) == (
        "the same shapes module by module, under other names",
        ["cifar_resnet110_preact"],
    )


def test_a_checkpoint_in_no_order_is_recognised_by_its_shapes_alone() -> None:
    state = state_of(CATALOGUED["vgg16"])
    loose = [(name.replace(".", "_", 1), shape) for name, shape in reversed(state)]
    found = audit_tensors(loose, CATALOGUED)
    assert (found.how, names(found)) == ("the same shapes in another order, under other names", ["vgg16"])


def test_a_checkpoint_says_what_it_can_not_show() -> None:
    found = audit_tensors(state_of(CATALOGUED["resnet101"]), CATALOGUED)
    assert names(found) == ["resnet101", "resnet101_v1"]
    assert "these differ in what the file does not show: stride placement" in found.hidden
    plain = audit_tensors(state_of(CATALOGUED["cifar_resnet20"]), CATALOGUED)
    assert names(plain) == ["cifar_resnet20", "cifar_plain20"]
    assert any("shortcuts" in line for line in plain.hidden)


@pytest.mark.parametrize(
    ("name", "nearest", "traits"),
    [
        ("cifar_resnet56(block_bias=yes)", "cifar_resnet56", ["convolution bias"]),
        ("cifar_resnet20(depth=14)", "cifar_resnet20", ["depth"]),
        ("cifar_resnet20_b(block_bias=yes)", "cifar_resnet20_b", ["convolution bias"]),
        ("wide_resnet50_2(groups=2,group_width=64)", "wide_resnet50_2", ["groups"]),
        ("cifar_resnet110_preact(shortcut=B)", "cifar_resnet110_b", ["batch norms"]),
    ],
)
def test_the_nearest_to_a_checkpoint_is_told_by_what_differs(
    name: str, nearest: str, traits: list[str]
) -> None:
    found = audit_tensors(state_of(find_architecture(name)), CATALOGUED)
    assert not found.exact
    assert nearest in names(found)
    match = next(match for match in found.matches if match.name == nearest)
    assert [one.trait for one in match.differences] == traits


def test_tensors_that_are_no_layers_are_mentioned_and_do_not_matter() -> None:
    tensors = [*state_of(CATALOGUED["resnet18"]), ("mean", (3,)), ("std", (3,))]
    found = audit_tensors(tensors, CATALOGUED)
    assert names(found) == ["resnet18"]
    assert found.traits["other tensors"] == "2: .mean, .std"


def test_a_checkpoint_without_batch_counts_is_recognised() -> None:
    # torch before 0.4.1 had none.
    old = [
        (name, shape)
        for name, shape in state_of(CATALOGUED["resnet34"])
        if not name.endswith("batches_tracked")
    ]
    assert names(audit_tensors(old, CATALOGUED)) == ["resnet34"]


def test_tensors_of_no_network_are_refused() -> None:
    with pytest.raises(UsageError, match="no weights of convolutions or linear layers: 1 tensors, step"):
        audit_tensors([("step", ())], CATALOGUED)


# Names that say something else.


@pytest.mark.parametrize(
    ("subject", "claim"),
    [
        ("runs/resnet110.pth", "cifar_resnet110"),
        ("ResNet-50_best.pth", "resnet50"),
        ("torchvision:resnet50", "resnet50"),
        ("torchvision:wide_resnet50_2", "wide_resnet50_2"),
        ("nets/resnet20.py:build", "cifar_resnet20"),
        ("nets/resnet20.py:resnet32", "cifar_resnet32"),
        ("cifar_resnet110_b.safetensors", "cifar_resnet110_b"),
        ("preact_resnet18.pth", None),
        ("resnet1101.pth", None),
        ("model.pth", None),
        ("resnet50(shortcut=A)", None),
    ],
)
def test_what_a_name_claims(subject: str, claim: str | None) -> None:
    assert claimed(subject, CATALOGUED) == claim


def test_a_name_that_misleads_is_contradicted_with_the_reason() -> None:
    tensors = state_of(CATALOGUED["cifar_resnet110_b"])
    found = audit_tensors(tensors, CATALOGUED)
    told = contradiction("cifar_resnet110", tensors_against(tensors, CATALOGUED["cifar_resnet110"]), found)
    assert told.startswith(
        "the name says cifar_resnet110, but it is cifar_resnet110_b; projections: 1x1 from 16 to 32"
    )
    # He et al. 2015: option A adds no parameters.
    assert told.endswith("1,730,714 parameters, where cifar_resnet110 has 1,727,962")
