from pathlib import Path

import pytest

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind
from resbench.errors import UsageError
from resbench.metrics.roofline.breakdown import by_kind, lines_of
from resbench.metrics.roofline.layers import LayerTime, Times
from resbench.metrics.roofline.plot import check_picture_file, picture, write_picture
from resbench.metrics.roofline.roof import Bound, Roof

ROOF = Roof(peak=1e9, bandwidth=1e9)
"""Its ridge is at 1 FLOP/B: a convolution is above it, all else below."""


@pytest.fixture
def times() -> Times:
    seconds = (5.0, 3.0, 1.0, 0.5, 0.25, 0.25)
    return Times(tuple(LayerTime(at, each) for at, each in enumerate(seconds)), {}, 10.5, 11.0, 4)


def test_line_says_share_bound_and_part_of_the_roof(block: tuple[Layer, ...], times: Times) -> None:
    stem, _, norm, *_ = lines_of(block, precision="fp32", batch_size=1, times=times, roof=ROOF)
    flops = 2 * 8 * 8 * 9 * 16
    assert (stem.share, stem.bound) == (0.5, Bound.COMPUTE)
    assert stem.attainable_s == pytest.approx(flops / 1e9)
    assert stem.achieved == pytest.approx(flops / 1e9 / 5.0)
    assert stem.rate == pytest.approx(flops / 5.0)
    assert (norm.share, norm.bound) == (0.1, Bound.MEMORY)
    assert norm.attainable_s == pytest.approx((4 * 4 * 8 + 2 * 4 * 8 * 16) / 1e9)


def test_shares_add_up_to_one(block: tuple[Layer, ...], times: Times) -> None:
    lines = lines_of(block, precision="fp32", batch_size=1, times=times)
    assert sum(line.share or 0 for line in lines) == pytest.approx(1)
    assert all(line.bound is None and line.achieved is None for line in lines)


def test_bytes_and_bound_are_there_without_times(block: tuple[Layer, ...]) -> None:
    lines = lines_of(block, precision="bf16", batch_size=8, roof=ROOF)
    assert all(line.seconds is None and line.share is None and line.bound is not None for line in lines)


def test_kinds_are_sums_the_longest_first(block: tuple[Layer, ...], times: Times) -> None:
    lines = lines_of(block, precision="fp32", batch_size=1, times=times, roof=ROOF)
    kinds = by_kind(lines)
    assert [line.name for line in kinds] == [
        "convolution (2)",
        "batch norm (1)",
        "relu (2)",
        "residual add (1)",
    ]
    assert kinds[0].seconds == 8.0
    assert kinds[2].seconds == 0.75
    assert sum(line.cost.moved for line in kinds) == sum(line.cost.moved for line in lines)


def test_picture_shows_roof_and_kinds_and_is_the_same_twice(block: tuple[Layer, ...], times: Times) -> None:
    lines = lines_of(block, precision="fp32", batch_size=1, times=times, roof=ROOF)
    drawn = picture(lines, ROOF, "a block on a made-up machine")
    assert drawn == picture(lines, ROOF, "a block on a made-up machine")
    text = drawn.decode()
    for part in (
        'id="roof"',
        'id="layers-convolution"',
        'id="layers-batch-norm"',
        "a block on a made-up machine",
    ):
        assert part in text
    assert "1 GFLOP/s" in text
    assert "1.0 GB/s" in text
    # The longest layers are named.
    assert "block.conv" in text


def test_picture_of_nothing_that_was_measured_is_the_roof_alone(block: tuple[Layer, ...]) -> None:
    lines = lines_of(block, precision="fp32", batch_size=1, roof=ROOF)
    assert b'id="roof"' in picture(lines, ROOF, "nothing measured")


def test_layers_at_one_place_share_a_label(block: tuple[Layer, ...]) -> None:
    twins = (block[0], block[0]._replace(name="twin"))
    times = Times((LayerTime(0, 1.0), LayerTime(1, 1.0)), {}, 2.0, 2.0, 1)
    lines = lines_of(twins, precision="fp32", batch_size=1, times=times, roof=ROOF)
    text = picture(lines, ROOF, "twins").decode()
    assert text.index("stem") < text.index("twin<")


def test_files_of_pictures(block: tuple[Layer, ...], times: Times, tmp_path: Path) -> None:
    lines = lines_of(block, precision="fp32", batch_size=1, times=times, roof=ROOF)
    write_picture(tmp_path / "roof.png", lines, ROOF, "a block")
    assert (tmp_path / "roof.png").read_bytes().startswith(b"\x89PNG")
    write_picture(tmp_path / "roof.svg", lines, ROOF, "a block")
    assert b"<svg" in (tmp_path / "roof.svg").read_bytes()
    for name in ("roof.pdf", "roof", "missing/roof.svg"):
        with pytest.raises(UsageError):
            check_picture_file(tmp_path / name)


def test_unknown_kind_is_unknown(times: Times) -> None:
    (line,) = lines_of(
        (Layer("fft", Kind.UNKNOWN, (4,), (4,), (-1,)),), precision="fp32", batch_size=1, roof=ROOF
    )
    assert line.bound is Bound.UNKNOWN
