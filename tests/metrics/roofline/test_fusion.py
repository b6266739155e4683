import pytest

from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.naming import find_architecture
from resbench.catalog import gather
from resbench.metrics.roofline.bytes import costs_of
from resbench.metrics.roofline.fusion import fused_costs_of, groups_of


def test_block_is_two_passes(block: tuple[Layer, ...]) -> None:
    assert groups_of(block) == ((0,), (1, 2, 3, 4, 5))


def test_pass_reads_from_outside_once_and_writes_its_end(block: tuple[Layer, ...]) -> None:
    stem, rest = fused_costs_of(block)
    alone = costs_of(block)
    assert stem == alone[0]
    # The stem's output, 8 planes of 4 x 4, is read by the convolution and by the addition: once for the pass.
    assert (rest.read_B, rest.written_B) == (4 * 8 * 16, 4 * 8 * 16)
    assert rest.weights_B == 4 * (8 * 8 * 9 + 4 * 8)
    assert rest.flops == sum(cost.flops for cost in alone[1:])


def test_block_of_resnet18() -> None:
    layers = layers_of(find_architecture("resnet18"))
    names = [[layers[at].name for at in members] for members in groups_of(layers)][:4]
    assert names == [
        ["conv1", "bn1", "relu"],
        ["maxpool"],
        ["layer1.0.conv1", "layer1.0.bn1", "layer1.0.relu"],
        ["layer1.0.conv2", "layer1.0.bn2", "layer1.0.add", "layer1.0.relu"],
    ]
    second = fused_costs_of(layers)[3]
    plane = 64 * 56 * 56
    assert second.name == "layer1.0.conv2 .. layer1.0.relu"
    assert (second.read_B, second.written_B) == (4 * 2 * plane, 4 * plane)


def test_batch_norm_before_a_convolution_whose_input_is_read_twice_stands_alone() -> None:
    layers = layers_of(find_architecture("resnet152_preact"))
    groups = {layers[members[0]].name: members for members in groups_of(layers)}
    # The shortcut needs what stands before the batch norm, so that it must be written.
    assert [layers[at].name for at in groups["layer1.1.bn1"]] == ["layer1.1.bn1", "layer1.1.relu"]


@pytest.mark.parametrize("name", gather("architectures", "ARCHITECTURES"))
def test_fusing_loses_no_layer_and_moves_less(name: str) -> None:
    layers = layers_of(find_architecture(name))
    groups = groups_of(layers)
    assert sorted(at for members in groups for at in members) == list(range(len(layers)))
    alone, fused = costs_of(layers), fused_costs_of(layers)
    assert sum(cost.flops for cost in alone) == sum(cost.flops for cost in fused)
    assert sum(cost.weights_B for cost in alone) == sum(cost.weights_B for cost in fused)
    for members, cost in zip(groups, fused, strict=True):
        assert cost.moved <= sum(alone[at].moved for at in members)
