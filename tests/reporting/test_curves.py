from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from resbench.reporting.curves import pictures, shows_published
from resbench.reporting.published_curves import published_curves
from resbench.reporting.selection import Selection, select
from resbench.results import Result
from resbench.specs import Scale
from resbench.suites.voc_compare import SUITE

Fabricate = Callable[..., list[Result]]
SVG = "{http://www.w3.org/2000/svg}"


def selected(results: list[Result], scale: Scale = Scale.SHORT) -> Selection:
    return select(SUITE, SUITE.arms, results, scale)


def groups(svg: bytes) -> dict[str, Element]:
    root: Element = fromstring(svg)
    return {found.attrib["id"]: found for found in root.iter(f"{SVG}g") if "id" in found.attrib}


def texts(svg: bytes) -> list[str]:
    root: Element = fromstring(svg)
    return [found.text or "" for found in root.iter(f"{SVG}text")]


def corners(line: Element) -> int:
    path = next(line.iter(f"{SVG}path"))
    return path.attrib["d"].count("M") + path.attrib["d"].count("L")


def test_each_model_and_seed_has_a_line_in_each_panel(fabricate: Fabricate) -> None:
    drawn = pictures(selected(fabricate(models=("resnet18_biased", "resnet50"), seeds=(0, 3))))
    assert sorted(drawn) == ["loss.svg", "top1.svg", "top5.svg"]
    for svg in drawn.values():
        lines = {name: line for name, line in groups(svg).items() if "-seed" in name}
        assert sorted(lines) == sorted(
            f"{model}-seed{seed}-{phase}"
            for model in ("resnet18_biased", "resnet50")
            for seed in (0, 3)
            for phase in ("test", "train")
        )
        assert {corners(line) for line in lines.values()} == {3}


def test_the_same_results_give_the_same_bytes_without_a_date(fabricate: Fabricate) -> None:
    first, second = (pictures(selected(fabricate())) for _ in range(2))
    assert first == second
    assert all(b"<dc:date>" not in svg for svg in first.values())


def test_a_reduced_run_says_so_in_every_picture(fabricate: Fabricate) -> None:
    for svg in pictures(selected(fabricate())).values():
        said = " ".join(texts(svg))
        assert "Reduced run (scale short), on VOC2012 subset (train / val)" in said
        assert "comparable with the published figures." in said
        assert not any(name.startswith("published") for name in groups(svg))


@pytest.mark.parametrize(
    ("scale", "official", "length", "drawn"),
    [
        (Scale.FULL, True, None, True),
        (Scale.FULL, False, None, False),
        (Scale.FULL, True, 50, False),
        (Scale.SHORT, True, None, False),
    ],
)
def test_published_curves_are_drawn_only_behind_a_run_that_asked_the_same(
    fabricate: Fabricate, scale: Scale, official: bool, length: int | None, drawn: bool
) -> None:
    selection = selected(fabricate(scale=scale, official=official, length=length), scale)
    assert shows_published(selection) is drawn
    svg = pictures(selection)["top1.svg"]
    published = [name for name in groups(svg) if name.startswith("published")]
    assert len(published) == (6 if drawn else 0)
    assert ("published" in texts(svg)) is drawn
    assert ("label" in groups(svg)) is not drawn


def test_a_model_that_was_not_run_keeps_its_place_in_the_legend(fabricate: Fabricate) -> None:
    svg = pictures(selected(fabricate(models=("resnet18_biased",))))["loss.svg"]
    assert "ResNet-50 (not run)" in texts(svg)
    assert "ResNet-18" in texts(svg)


def test_the_published_curves_are_shares() -> None:
    curve = next(
        found for found in published_curves(SUITE) if (found.model, found.phase) == ("resnet50", "test")
    )
    # The first row of the log: loss 2.4580, top-1 4.1501 %, top-5 35.7653 %.
    assert (curve.loss[0], curve.top1[0], curve.top5[0]) == pytest.approx((2.4580, 0.041501, 0.357653))
