"""A store's file: whole or not there, the same for every process that asks."""

import errno
import multiprocessing
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from resbench.datasets.data import Split
from resbench.errors import UsageError
from resbench.training import picture_store
from resbench.training.picture_store import PictureStore, is_whole, open_store
from resbench.training.sources import Files, Scaling, pixels_of

COUNT = 20


def picture(index: int, *, noted: str = "") -> Image.Image:
    if noted:
        with Path(noted).open("a", encoding="utf-8") as stream:
            stream.write(f"{index}\n")
    noise = np.random.default_rng(index).integers(0, 256, (9 + index % 4, 8 + index % 3, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def files(load: Callable[[int], Image.Image] = picture, **changes: Any) -> Files:
    scaling = Scaling(**{"side": None, "interpolation": "bilinear", "antialias": True, **changes})
    return Files(split=Split(labels=(0,) * COUNT, load=load), positions=tuple(range(COUNT)), scaling=scaling)


def check(store: PictureStore) -> None:
    assert len(store) == COUNT
    for sample in range(COUNT):
        assert torch.equal(store.pixels(sample), pixels_of(picture(sample)))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_store_gives_each_picture_back(workers: int, tmp_path: Path) -> None:
    done = []
    check(open_store(files(), "made", tmp_path, workers=workers, progress=lambda *said: done.append(said)))
    assert done[-1] == ("scaling pictures", COUNT, COUNT)
    assert {path.suffix for path in tmp_path.iterdir()} == {".pixels", ".lock"}


def test_another_identity_or_scaling_is_another_store(tmp_path: Path) -> None:
    one = open_store(files(), "made", tmp_path)
    others = [
        open_store(files(), "other", tmp_path),
        open_store(files(side=12), "made", tmp_path),
        open_store(files(side=12, antialias=False), "made", tmp_path),
        open_store(files(side=12, interpolation="nearest"), "made", tmp_path),
    ]
    assert len({one.path, *(other.path for other in others)}) == 5
    assert min(others[1].pixels(3).shape[1:]) == 12


@settings(max_examples=25)
# Mapped files are remembered by their path, so each example has a folder of its own.
@given(cut=st.integers(1, 5_000), data=st.data())
def test_a_torn_file_is_rebuilt(
    cut: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("store")
    path = open_store(files(), "made", folder).path
    whole = path.read_bytes()
    if data.draw(st.booleans(), label="truncated"):
        path.write_bytes(whole[: -min(cut, len(whole))])
    else:
        place = data.draw(st.integers(1, 24 * COUNT + 48), label="byte from the end")
        path.write_bytes(whole[:-place] + bytes([whole[-place] ^ 1]) + whole[len(whole) - place + 1 :])
    assert not is_whole(path, COUNT)
    check(open_store(files(), "made", folder))
    assert path.read_bytes() == whole


def _open(folder: Path, noted: str) -> None:
    check(open_store(files(partial(picture, noted=noted)), "made", folder))


def test_processes_that_ask_at_once_build_it_once(tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    context = multiprocessing.get_context("fork")
    asking = [context.Process(target=_open, args=(tmp_path / "store", str(noted))) for _ in range(3)]
    for process in asking:
        process.start()
    for process in asking:
        process.join()
    assert [process.exitcode for process in asking] == [0, 0, 0]
    assert sorted(map(int, noted.read_text().split())) == list(range(COUNT))


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(picture_store, "_write", full)
    with pytest.raises(UsageError, match="No space left") as caught:
        open_store(files(), "made", tmp_path)
    assert "\n" not in str(caught.value)
    assert {path.suffix for path in tmp_path.iterdir()} == {".lock"}


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UsageError, match="RESBENCH_CACHE"):
        open_store(files(), "made", tmp_path / "taken")


def test_what_a_store_needs_is_told_from_a_few_pictures() -> None:
    exact = sum(pixels_of(picture(sample)).numel() for sample in range(COUNT))
    assert picture_store.bytes_needed(files()) == pytest.approx(exact, rel=0.1)
