"""Every figure that suites show, against a list of what the sources print; and no figure in two forms that disagree.

The list, published_figures.json, was put together from the papers and the files it names, apart from the suites.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.catalog import gather
from resbench.results import Statistic
from resbench.specs import Published, Suite
from resbench.suites.published import cifar_readme, he2015, he2016, imagenet_weights

LISTED: dict[str, Any] = json.loads((Path(__file__).parent / "published_figures.json").read_text())
SUITES: tuple[Suite, ...] = tuple(gather("suites", "SUITE").values())
ABOUT = {"source", "metric", "protocol", "shortcut", "statistic", "note", "columns"}
"""Entries of a section that say what it is, and hold no figure."""


def section(name: str) -> dict[str, Any]:
    """Return the figures of a section of the list."""
    return {key: value for key, value in LISTED[name].items() if key not in ABOUT}


TESTED = {
    "cifar10_depth",
    "imagenet_10crop",
    "imagenet_multiscale",
    "imagenet_1crop_original_caffe",
    "imagenet_1crop_fb_resnet_torch_v1_5",
    "paper_flops_x1e9_mult_adds",
    "identity_mappings_table1_resnet110",
    "identity_mappings_table2",
    "identity_mappings_table3",
    "identity_mappings_table4",
    "identity_mappings_table5_imagenet_1crop",
    "torchvision",
    "timm_same_weights",
    "pycls_5run",
    "cifar_readme",
}
"""Sections that a test below compares with what is encoded, entry by entry."""


def test_every_section_of_the_list_is_compared() -> None:
    assert TESTED | {"_sources"} == set(LISTED)


def sources() -> Iterator[str]:
    for found in LISTED.values():
        if "source" in found:
            yield found["source"].split()[0]


def test_every_section_names_a_source_of_the_list() -> None:
    assert set(sources()) <= set(LISTED["_sources"])


def percents(figures: tuple[Published, ...]) -> list[float]:
    return [round(100 * figure.value, 6) for figure in figures]


def test_table_6_by_depth() -> None:
    table = section("cifar10_depth")
    assert list(table.pop("plain")) == ["20,32,44,56", "plain110"]  # curves, and a bound: no figures
    for depth, figures in he2015.CIFAR_ERRORS.items():
        listed = table[f"resnet{depth}"]
        if "err" in listed:
            assert percents(figures) == [listed["err"]]
            assert (figures[0].statistic, figures[0].n) == (Statistic.SINGLE, None)
        assert he2015.CIFAR_PARAMETERS[depth].printed == listed["params_paper"]
        assert counted(f"cifar_resnet{depth}", listed["params"]) == listed["core_macs"]
    assert {f"resnet{depth}" for depth in he2015.CIFAR_ERRORS} == set(table)


def counted(model: str, parameters: int) -> int:
    """Return the multiply-accumulates of a network, in whole thousands, that has so many parameters."""
    layers = layers_of(find_architecture(model))
    assert sum(layer.parameters for layer in layers) == parameters
    return round(sum(layer.macs for layer in layers), -3)


def test_the_best_and_the_mean_of_110_layers_are_two_figures() -> None:
    listed = LISTED["cifar10_depth"]["resnet110"]
    mean, best = he2015.CIFAR_ERRORS[110]
    assert (mean.statistic, mean.n, *percents((mean,))) == (Statistic.MEAN, listed["n"], listed["mean"])
    assert mean.std == pytest.approx(listed["std"] / 100)
    assert (best.statistic, best.n, *percents((best,))) == (Statistic.BEST, listed["n"], listed["best"])


NAMES = {
    "resnet18_A": "resnet18_a",
    "resnet34_A": "resnet34_a",
    "resnet34_B": "resnet34",
    "resnet34_C": "resnet34_c",
    "resnet50_B": "resnet50_v1",
    "resnet101_B": "resnet101_v1",
    "resnet152_B": "resnet152_v1",
    "resnet50": "resnet50_v1",
    "resnet101": "resnet101_v1",
    "resnet152": "resnet152_v1",
}


def test_ten_crops_and_several_scales() -> None:
    ten = {
        NAMES.get(name, name): list(listed.values()) for name, listed in section("imagenet_10crop").items()
    }
    assert {name: percents(figures) for name, figures in he2015.TEN_CROP.items()} == ten
    several = {NAMES[name]: listed for name, listed in section("imagenet_multiscale").items()}
    assert {name: percents(figures) for name, figures in he2015.MULTI_SCALE.items()} == several


def test_the_papers_operations() -> None:
    listed = LISTED["paper_flops_x1e9_mult_adds"]
    found = {name: figure.value / 1e9 for name, figure in he2015.FLOPS.items()}
    expected = {
        "resnet18_a": listed["18"],
        "resnet34_a": listed["34"],
        "plain34": listed["34"],
        "resnet50_v1": listed["50"],
        "resnet101_v1": listed["101"],
        "resnet152_v1": listed["152"],
        "vgg16": 15.3,  # "VGG-16/19 nets (15.3/19.6 billion FLOPs)", section 4.1
        "vgg19": listed["vgg19"],
    }
    assert found == expected
    assert len(section("paper_flops_x1e9_mult_adds")) == 8  # the six figures above, and two lists of counts


OWN = {
    "18_A": "resnet18_a",
    "18_B": "resnet18",
    "18_C": "resnet18_c",
    "34_A": "resnet34_a",
    "34_B": "resnet34",
    "34_C": "resnet34_c",
    **{f"{depth}_v1": f"resnet{depth}_v1" for depth in (50, 101, 152)},
    **{f"{depth}_v1.5": f"resnet{depth}" for depth in (50, 101, 152)},
}


@pytest.mark.parametrize("listed", LISTED["paper_flops_x1e9_mult_adds"]["own_core_gmacs"])
def test_what_others_counted_of_the_same_networks(listed: str) -> None:
    table = LISTED["paper_flops_x1e9_mult_adds"]
    parameters = table["own_params"][listed if listed in table["own_params"] else listed.partition("_")[0]]
    macs = counted(OWN[listed], parameters)
    assert macs == pytest.approx(table["own_core_gmacs"][listed] * 1e9, abs=501)


SHORTCUTS = {
    "original": ("original",),
    "const_scaling s=0,F=1 (plain)": ("plain",),
    "const_scaling s=.5,F=1": ("constant_scaling_full_branch",),
    "const_scaling s=.5,F=.5": ("constant_scaling",),
    "exclusive_gating b=0..-5": ("exclusive_gating_0", "exclusive_gating_5"),
    "exclusive_gating b=-6": ("exclusive_gating",),
    "exclusive_gating b=-7": ("exclusive_gating_7",),
    "shortcut_only_gating b=0": ("shortcut_only_gating_0",),
    "shortcut_only_gating b=-6": ("shortcut_only_gating",),
    "conv1x1_shortcut": ("conv1x1",),
    "dropout0.5_shortcut": ("dropout",),
}


@pytest.mark.parametrize("listed", section("identity_mappings_table1_resnet110"))
def test_shortcut_types_and_that_fail_is_no_number(listed: str) -> None:
    value = LISTED["identity_mappings_table1_resnet110"][listed]
    for name in SHORTCUTS[listed]:
        figure = he2016.SHORTCUTS[name]
        assert (figure.statistic, figure.n, figure.fails_beyond) == (Statistic.MEDIAN, 5, 0.2)
        if value == "fail":
            assert figure.failed
            assert math.isnan(figure.value)
        else:
            assert percents((figure,)) == [value]


def test_every_shortcut_is_listed() -> None:
    assert {name for names in SHORTCUTS.values() for name in names} == set(he2016.SHORTCUTS)


def test_orders() -> None:
    listed = section("identity_mappings_table2")
    for (depth, order), figure in he2016.ORDERS.items():
        row = listed["full_preact" if order == "preact" else order]
        assert percents((figure,)) == [row[(110, 164).index(depth)]]
    assert len(he2016.ORDERS) == 2 * len(listed)


def test_deep_networks() -> None:
    table, table_4 = section("identity_mappings_table3"), section("identity_mappings_table4")
    rows = {
        "resnet110_1layer": table["cifar10"]["110_1layer_skip"],
        "resnet1001": table["cifar10"]["1001"],
        **{f"resnet{depth}_cifar100": row for depth, row in table["cifar100"].items()},
    }
    for name, (baseline, preact) in rows.items():
        base, _, ending = name.partition("_")
        assert percents(he2016.DEEP[name])[:1] == [baseline]
        assert percents(he2016.DEEP["_".join(filter(None, (base, *_moved(ending))))])[:1] == [preact]
    printed = {
        "resnet1001_preact": "resnet1001_cifar10_bs128",
        "resnet1001_preact_64": "resnet1001_cifar10_bs64",
        "resnet1001_preact_cifar100": "resnet1001_cifar100",
    }
    for name, listed in printed.items():
        median, mean = he2016.DEEP[name]
        said = f"{100 * median.value:.2f} ({100 * mean.value:.2f}+-{100 * (mean.std or 0):.2f})"
        assert said == table_4[listed]
    assert {str(depth): found.printed for depth, found in he2016.PARAMETERS.items()} == {
        depth: said.partition(" ")[0] for depth, said in table_4["params"].items()
    }
    for depth in ("110", "164"):
        listed_orders = [percents((he2016.ORDERS[int(depth), order],))[0] for order in ("original", "preact")]
        assert table["cifar10"][depth] == listed_orders
    assert {name: len(rows) for name, rows in table.items()} == {"cifar10": 4, "cifar100": 2}
    assert len(table_4) == 4


def _moved(ending: str) -> tuple[str, ...]:
    """The catalogue says `_1layer_preact`, and `_preact_cifar100`."""
    return (ending, "preact") if ending == "1layer" else ("preact", ending)


def test_others_weights() -> None:
    listed = section("torchvision")
    for name, (parameters, top1, top5, ops, file_MiB) in listed.items():
        model, _, version = name.rpartition("_")
        meta = imagenet_weights.TORCHVISION[model, version]
        assert percents(meta.accuracies) == [top1, top5]
        costs = [figure.value for figure in meta.costs]
        assert costs == pytest.approx([parameters, ops * 1e9, file_MiB * 2**20], rel=1e-12)
    assert len(imagenet_weights.TORCHVISION) == len(listed)
    timm = section("timm_same_weights")
    assert {model: percents(figures) for model, figures in imagenet_weights.TIMM.items()} == timm
    caffe, fb, pycls = (
        section(name)
        for name in ("imagenet_1crop_original_caffe", "imagenet_1crop_fb_resnet_torch_v1_5", "pycls_5run")
    )
    expected = {(NAMES[model], "original"): row for model, row in caffe.items()} | {
        (model, by): row for by, rows in (("fb", fb), ("pycls", pycls)) for model, row in rows.items()
    }
    found = {key: percents(figures) for key, figures in imagenet_weights.ONE_CROP_ERRORS.items()}
    assert found == expected


TABLE_5 = {
    "152_orig": ("resnet152_v1", ""),
    "152_preact": ("resnet152_preact", ""),
    "200_orig": ("resnet200", ""),
    "200_preact": ("resnet200_preact", ""),
    "101_bn_after_add": ("resnet101_bn_after_add", ""),
    "101_orig": ("resnet101_v1", ""),
}


def test_table_5_of_2016_with_the_crop_that_each_figure_was_read_from() -> None:
    found: dict[tuple[str, str, int], list[float]] = {}
    for (model, augmented), figures in he2016.IMAGENET.items():
        for figure in figures:
            assert figure.tested is not None
            key = (model, augmented, figure.tested.crop or 0)
            found.setdefault(key, []).extend(percents((figure,)))
    expected = {("resnet200_preact", "aspect", 320): [20.1, 4.8]}
    listed = section("identity_mappings_table5_imagenet_1crop")
    assert listed.pop("200_preact_320_aspect") == [20.1, 4.8]
    for name, row in listed.items():
        base, _, crop = name.rpartition("_")
        expected[*TABLE_5[base], int(crop)] = row
    assert found == expected


def test_the_readme_that_has_plain_networks_too() -> None:
    listed = section("cifar_readme")
    for depth, (residual, plain) in listed.items():
        found = [f"{100 * figure.value:.2f}" for figure in cifar_readme.RESNET[int(depth)]]
        assert found[0] + (f" ({found[1]})" if found[1:] else "") == str(residual)
        assert percents(cifar_readme.PLAIN[int(depth)]) == [plain]
    assert set(map(str, cifar_readme.PLAIN)) == set(map(str, cifar_readme.RESNET)) == set(listed)


def test_a_figure_of_a_protocol_that_is_not_stated_is_never_judged() -> None:
    for figures in (*cifar_readme.PLAIN.values(), *cifar_readme.RESNET.values()):
        assert all(figure.unlike for figure in figures)


def test_accuracies_on_imagenet_say_which_views_were_tested() -> None:
    for suite in SUITES:
        for arm in (*suite.arms, *suite.extra):
            if suite.data_of(arm) == "imagenet":
                assert all(figure.tested for figure in arm.published)


def shown_figures() -> Iterator[tuple[tuple[object, ...], Published]]:
    """Yield every figure of every suite with what must decide it: the network, the place it was printed, how it was made."""
    for suite in SUITES:
        for arm in (*suite.arms, *suite.extra):
            recipe = suite.recipe_of(arm)
            for figure in arm.published:
                place = (figure.source, figure.metric, figure.statistic, figure.protocol)
                asked = (arm.model, arm.weights, suite.data_of(arm), recipe.train_batch if recipe else 0)
            yield (*asked, *place), figure


def test_no_two_suites_disagree() -> None:
    known: dict[tuple[object, ...], Published] = {}
    for key, figure in shown_figures():
        assert known.setdefault(key, figure) is figure or known[key].printed == figure.printed, key


def test_the_papers_have_no_figure_of_plain_cifar_networks_but_fail() -> None:
    for suite in SUITES:
        for arm in (*suite.arms, *suite.extra):
            if arm.model.startswith("cifar_plain"):
                papers = [figure for figure in arm.published if figure.source != cifar_readme.SOURCE]
                assert all(figure.failed for figure in papers)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_suite_says_what_it_is(suite: Suite) -> None:
    assert suite.title
    assert suite.question.rstrip().endswith((".", "?"))
    assert len({arm.label for arm in (*suite.arms, *suite.extra)}) == len((*suite.arms, *suite.extra))


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_every_arm_is_a_network_that_exists(suite: Suite) -> None:
    for arm in (*suite.arms, *suite.extra):
        assert find_architecture(arm.model)
