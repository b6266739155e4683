"""Explanations of printed numbers, against numbers that papers, tools and tables print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.architectures.plan import Kind
from resbench.errors import UsageError
from resbench.metrics.flops.backward import backward_count
from resbench.metrics.flops.conventions import CONVENTIONS, count, find_convention
from resbench.metrics.flops.counting import Counts
from resbench.metrics.flops.explain import Candidate, Explanation, explain
from resbench.metrics.flops.ledger import ledger_of
from resbench.metrics.flops.quoted import Agreement, parse_quoted
from resbench.metrics.flops.variants import Setting, Variant, variants


def setting(name: str) -> Setting:
    architecture = find_architecture(name)
    return Setting(architecture=architecture, input_CHW=architecture.input_CHW, classes=architecture.classes)


def explained(name: str, *numbers: str, most: int | None = 5) -> tuple[Explanation, ...]:
    return explain([parse_quoted(number) for number in numbers], setting(name), (), most=most)


def first(name: str, number: str) -> Candidate:
    (explanation,) = explained(name, number)
    return explanation.candidates[0]


V1 = ("stride on the first 1x1 (v1)",)


@pytest.mark.parametrize(
    ("name", "number", "convention", "departures", "value"),
    [
        # He et al. 2015, Table 1; numbers that are cut off and not rounded among them.
        ("resnet50", "3.8G", "core-macs", V1, 3_857_973_248),
        ("resnet101", "7.6G", "core-macs", V1, 7_570_194_432),
        ("resnet152", "11.3G", "core-macs", V1, 11_282_415_616),
        ("resnet34", "3.6G", "core-macs", ("option A: zero padding where the size changes",), 3_644_493_824),
        # torchvision's weights, fvcore's README, thop's README, torch.utils.flop_counter.
        ("resnet50", "4.1G", "core-macs", (), 4_089_184_256),
        ("resnet50", "4.09G", "core-macs", (), 4_089_184_256),
        ("resnet50", "4.11G", "fvcore", (), 4_111_512_576),
        ("resnet50", "8.2G", "flops", (), 8_178_368_512),
        ("resnet50", "8.18G", "flops", (), 8_178_368_512),
        ("resnet50", "4089238376", "torchinfo", (), 4_089_238_376),
        # The VOC table of deep-learning-algorithm/ResNet: its basic blocks have a bias.
        ("resnet50", "8.223G", "voc-table", (), 8_223_029_248),
        ("resnet34", "7.348G", "voc-table", ("a bias in the 3x3 convolutions of a block",), 7_348_045_824),
        ("resnet18_biased", "3.641G", "voc-table", (), 3_641_143_296),
        # v1 asked for, v1.5 quoted.
        ("resnet50_v1", "4.09G", "core-macs", ("stride on the 3x3 (v1.5)",), 4_089_184_256),
        # Option A asked for, option B quoted.
        (
            "cifar_resnet20",
            "40.8M",
            "core-macs",
            ("option B: a 1x1 convolution where the size changes",),
            40_813_184,
        ),
        # Three forward passes less the gradient to the picture; a batch; another picture; another head.
        ("resnet50", "12149538816", "core-macs", ("forward and backward pass",), 12_149_538_816),
        ("resnet50", "130853896192", "core-macs", ("batch 32",), 32 * 4_089_184_256),
        ("resnet18", "2.37G", "core-macs", ("input 3x256x256",), 1_813_561_344 * 64 // 49 + 512_000),
        ("resnet50", "4087136256", "core-macs", ("no head: without its linear layer",), 4_087_136_256),
        ("resnet50", "4087177216", "core-macs", ("20 classes",), 4_087_177_216),
    ],
)
def test_a_printed_number_is_explained(
    name: str, number: str, convention: str, departures: tuple[str, ...], value: int
) -> None:
    found = first(name, number)
    assert (found.conventions[0], found.departures, found.value) == (convention, departures, value)


def test_conventions_of_one_value_stand_together() -> None:
    assert first("resnet50", "3.8G").conventions == ("core-macs", "paper2015", "torchvision")
    assert first("resnet50", "8.2G").conventions == ("flops", "flop-counter-mode")
    assert first("resnet50_v1", "3.86G").conventions == ("core-macs", "paper2015", "torchvision")


def test_all_that_agree_about_as_likely_are_named() -> None:
    (thop,) = explained("resnet50", "4.13G")
    assert [one.conventions for one in thop.candidates] == [("ptflops-pytorch",), ("thop",)]
    (twice,) = explained("resnet50", "8.2G")
    assert [one.conventions[0] for one in twice.candidates] == ["flops", "calflops", "voc-table"]
    (all_of_them,) = explained("resnet50", "8.2G", most=None)
    assert len(all_of_them.candidates) > 10
    assert all_of_them.candidates[:3] == twice.candidates


def test_rounding_comes_before_cutting_off() -> None:
    (explanation,) = explained("resnet34", "3.6G")
    assert [one.agreement for one in explanation.candidates] == [Agreement.ROUNDED] + [Agreement.CUT_OFF] * 4


def test_where_nothing_agrees_the_nearest_are_given() -> None:
    (explanation,) = explained("resnet50", "12.123456G")
    assert explanation.candidates == ()
    assert len(explanation.nearest) == 3
    offs = [abs(one.off) for one in explanation.nearest]
    assert offs == sorted(offs)
    assert explanation.nearest[0].value == round(12_123_456_000 * (1 + explanation.nearest[0].off))
    assert all(len(one.departures) <= 1 for one in explanation.nearest)


def test_a_departure_that_changes_nothing_is_not_named() -> None:
    (explanation,) = explained("resnet18", "1814073344", most=None)
    for found in explanation.candidates:
        assert "bias" not in " ".join(found.departures)


@pytest.mark.parametrize("name", ["resnet50", "resnet34_a", "cifar_resnet110_exclusive_gating", "vgg16"])
def test_sums_add_up_to_the_values(name: str) -> None:
    asked = setting(name)
    numbers = [
        str(count(convention, ledger_of(layers_of(find_architecture(name))))) for convention in CONVENTIONS
    ]
    for explanation in explain([parse_quoted(number) for number in numbers], asked, ()):
        assert explanation.candidates
        for found in explanation.candidates:
            assert found.batch * sum(term.value for term in found.terms()) == found.value


@given(data=st.data(), name=st.sampled_from(["resnet18", "resnet50_v1", "cifar_resnet20", "densenet121"]))
def test_a_variants_count_is_that_of_its_layers(data: st.DataObject, name: str) -> None:
    variant = data.draw(st.sampled_from(variants(setting(name))))
    convention = data.draw(st.sampled_from(CONVENTIONS))
    asked = variant.setting
    assert asked.architecture is not None
    layers = layers_of(asked.architecture, asked.input_CHW, asked.classes or 1)
    if asked.classes == 0:
        layers = layers[:-1]
    if asked.biased:
        layers = tuple(
            layer._replace(biases=layer.output_CHW[0]) if layer.kind is Kind.CONVOLUTION else layer
            for layer in layers
        )
    ledger = ledger_of(layers)
    expected = count(convention, ledger)
    if asked.backward:
        after = backward_count(convention, ledger)
        if after is None:
            assert Counts(()).of(convention, asked) is None
            return
        expected += after
    assert Counts(()).of(convention, asked) == asked.batch * expected


def test_variants_depart_in_two_ways_at_most_the_likeliest_first() -> None:
    found = variants(setting("resnet50"))
    assert found[0] == Variant((), 0, setting("resnet50"))
    assert [one.price for one in found] == sorted(one.price for one in found)
    assert max(len(one.departures) for one in found) == 2
    assert len({one.departures for one in found}) == len(found)
    said = {departure for one in found for departure in one.departures}
    assert {"batch 256", "input 3x299x299", "21841 classes", "forward and backward pass", *V1} <= said


def test_a_plan_without_plain_form_has_no_such_variant() -> None:
    said = {text for one in variants(setting("cifar_resnet110_exclusive_gating")) for text in one.departures}
    assert not any("option" in text or "plain" in text for text in said)
    assert "input 3x64x64" in said


def test_a_picture_too_small_for_the_network_is_no_variant() -> None:
    asked = setting("vgg16")
    tiny = Setting(architecture=asked.architecture, input_CHW=(3, 8, 8), classes=10)
    assert Counts(()).of(find_convention("core-macs"), tiny) is None
    assert Counts(()).ledger(tiny) == ()


def test_an_observed_network_is_taken_as_it_is() -> None:
    layers = layers_of(find_architecture("resnet50"))
    asked = Setting(architecture=None, input_CHW=(3, 224, 224), classes=None)
    batch, core = explain([parse_quoted("32.7G"), parse_quoted("4.09G")], asked, layers)
    assert core.candidates[0].conventions == ("core-macs", "torchvision")
    assert batch.candidates[0].departures == ("batch 8",)


@pytest.mark.parametrize(
    ("text", "value", "rounded", "cut_off"),
    [
        ("4.1G", 4_100_000_000, (4_050_000_000, 4_150_000_000), (4_100_000_000, 4_199_999_999)),
        ("3.8 GMACs", 3_800_000_000, (3_750_000_000, 3_850_000_000), (3_800_000_000, 3_899_999_999)),
        ("558m", 558_000_000, (557_500_000, 558_500_000), (558_000_000, 558_999_999)),
        ("4.1e9", 4_100_000_000, (4_050_000_000, 4_150_000_000), (4_100_000_000, 4_199_999_999)),
        (
            "1.2T",
            1_200_000_000_000,
            (1_150_000_000_000, 1_250_000_000_000),
            (1_200_000_000_000, 1_299_999_999_999),
        ),
        ("4,089,184,256", 4_089_184_256, (4_089_184_256, 4_089_184_256), (4_089_184_256, 4_089_184_256)),
        ("4089184256", 4_089_184_256, (4_089_184_256, 4_089_184_256), (4_089_184_256, 4_089_184_256)),
        # More digits than a whole number has: no count agrees.
        ("40.55104K", 40_551, (40_552, 40_551), (40_552, 40_551)),
    ],
)
def test_a_number_says_how_exact_it_is(
    text: str, value: int, rounded: tuple[int, int], cut_off: tuple[int, int]
) -> None:
    found = parse_quoted(text)
    assert int(found.value) == value
    assert (found.rounded, found.cut_off) == (rounded, cut_off)


@pytest.mark.parametrize(
    "text",
    ["", "G", "4.1", "-4G", "4.1GG", "4..1G", "0", "0.0G", "1,23G", "nan", "4.1e", "٤G", "11.3 billion"],
)
def test_what_is_no_number_of_operations_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"number of operations|no operation"):
        parse_quoted(text)


@given(value=st.integers(1, 10**15), decimals=st.integers(0, 9))
def test_a_number_agrees_with_what_was_printed_as_it(value: int, decimals: int) -> None:
    unit = 10 ** (9 - decimals)
    for shown, agreements in (
        ((value + unit // 2) // unit, {Agreement.ROUNDED}),
        (value // unit, {Agreement.ROUNDED, Agreement.CUT_OFF}),
    ):
        if shown:
            digits = str(shown).rjust(decimals + 1, "0")
            whole, rest = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
            assert parse_quoted(f"{whole}.{rest}G" if rest else f"{whole}G").agreement(value) in agreements
