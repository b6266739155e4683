"""A catalogued network with other choices is the network that the catalogue has under that form's own name."""

import pytest

from resbench.architectures.choosing import choices_of
from resbench.architectures.description import Architecture
from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.catalog import gather
from resbench.errors import UsageError

CATALOGUED: dict[str, Architecture] = gather("architectures", "ARCHITECTURES")


@pytest.mark.parametrize(
    ("chosen", "catalogued"),
    [
        ("resnet34(shortcut=A)", "resnet34_a"),
        ("resnet34(option=A)", "resnet34_a"),
        ("resnet34(option=none)", "plain34"),
        ("resnet50(stride_on_1x1=yes)", "resnet50_v1"),
        ("resnet50_v1(stride_on_1x1=false)", "resnet50"),
        ("cifar_resnet20(depth=110,shortcut=b)", "cifar_resnet110_b"),
        ("resnet50(group_width=128)", "wide_resnet50_2"),
        ("cifar_resnet110(order=full_preact)", "cifar_resnet110_preact"),
    ],
)
def test_a_chosen_form_has_the_layers_of_the_catalogued_one(chosen: str, catalogued: str) -> None:
    found = find_architecture(chosen)
    assert found.costs is None
    assert layers_of(found) == layers_of(CATALOGUED[catalogued])


def test_the_name_says_what_was_chosen_in_one_word_for_each_choice() -> None:
    assert find_architecture("resnet34( option = A )").name == "resnet34(shortcut=A)"
    assert find_architecture("resnet18(classes=7)").classes == 7


def test_a_form_scales_by_its_width() -> None:
    """Twice the channels are four times the weights of every 3x3 convolution but the first, which sees the picture."""
    narrow, wide = (layers_of(find_architecture(f"cifar_resnet20(width={width})")) for width in (16, 32))
    for one, other in zip(narrow[1:], wide[1:], strict=True):
        assert other.macs == (4 if one.kind == "convolution" else 2 if one.kind == "linear" else 0) * one.macs


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("resnet34(option=D)", "unknown shortcut of resnet34 'D': choose from A, B, C, none"),
        ("resnet34(shortcut=A,option=B)", "option and shortcut are the same choice"),
        ("resnet34(shortcutt=A)", "unknown choice of resnet34 'shortcutt': did you mean shortcut"),
        ("resnet34(depth=35)", "depth=35 is not one of 18, 34"),
        ("resnet34(depth=x)", "depth=x is not a whole number"),
        ("resnet34(classes=0)", "classes=0 must be at least 1"),
        ("resnet50(stride_on_1x1=maybe)", "stride_on_1x1=maybe is not yes or no"),
        ("vgg16(option=B)", "unknown choice of vgg16 'shortcut': choose from classes"),
    ],
)
def test_a_choice_that_cannot_be_made_says_why(name: str, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_architecture(name)
    assert line in str(caught.value)


@pytest.mark.parametrize("name", CATALOGUED)
def test_the_choices_of_a_network_give_it_again(name: str) -> None:
    choices = choices_of(CATALOGUED[name])
    told = ",".join(f"{key}={value}" for key, value in choices.items())
    assert find_architecture(f"{name}({told})").body == CATALOGUED[name].body
