"""A tree of a network holds each layer once, in order, under the names of its modules."""

from collections.abc import Iterator, Sequence

import pytest

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.outline import Node, outline, tree_of
from resbench.catalog import gather


def leaves(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield from leaves(node.children) if node.children else [node]


@pytest.mark.parametrize("name", gather("architectures", "ARCHITECTURES"))
def test_stem_stages_and_head_hold_each_layer_once_and_in_order(name: str) -> None:
    layers = layers_of(find_architecture(name))
    for tree in (outline(layers), tree_of(layers)):
        ends = list(leaves(tree))
        assert [place for node in tree for place in node.layers] == list(range(len(layers)))
        assert all(len(node.layers) == 1 for node in ends)
        assert sorted(node.path for node in ends) == sorted(layer.name for layer in layers)
    ends = list(leaves(outline(layers)))
    assert [node.path for node in ends] == [layer.name for layer in layers]


def test_a_residual_network_has_its_stages_and_units() -> None:
    tree = outline(layers_of(find_architecture("resnet50")))
    assert [node.name for node in tree] == ["stem", "layer1", "layer2", "layer3", "layer4", "head"]
    # Units of each stage: He et al. 2015, Table 1.
    assert [len(node.children) for node in tree[1:5]] == [3, 4, 6, 3]
    unit = tree[1].children[0]
    assert (unit.name, unit.path) == ("0", "layer1.0")
    assert "downsample.0" in [node.name for node in unit.children]


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("vgg16", ["stage1", "stage2", "stage3", "stage4", "stage5", "head"]),
        (
            "densenet121",
            [
                "stem",
                "denseblock1",
                "transition1",
                "denseblock2",
                "transition2",
                "denseblock3",
                "transition3",
                "denseblock4",
                "head",
            ],
        ),
        ("cifar_resnet110_preact", ["stem", "layer1", "layer2", "layer3", "head"]),
    ],
)
def test_other_families_have_their_stages(name: str, sections: list[str]) -> None:
    tree = outline(layers_of(find_architecture(name)))
    assert [node.name for node in tree] == sections


def test_the_head_begins_with_the_last_activation() -> None:
    head = outline(layers_of(find_architecture("cifar_resnet110_preact")))[-1]
    assert [node.name for node in head.children] == ["bn2", "relu2", "avgpool", "fc"]
