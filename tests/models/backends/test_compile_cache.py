"""The folder in which Inductor keeps compiled code, empty while something is measured."""

import os
from pathlib import Path

import pytest

from resbench.models.backends.compile_cache import VARIABLE, fresh_cache


def test_the_folder_is_new_and_goes_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with fresh_cache() as folder:
        assert os.environ[VARIABLE] == str(folder)
        assert list(folder.iterdir()) == []
        assert tmp_path not in folder.parents
        (folder / "kernel.so").touch()
    assert not folder.exists()
    assert os.environ[VARIABLE] == str(tmp_path)
    monkeypatch.delenv(VARIABLE)
    with fresh_cache():
        pass
    assert VARIABLE not in os.environ


def test_inside_another_it_lies_in_that_one_s_and_is_empty_all_the_same() -> None:
    with fresh_cache() as outer:
        (outer / "kernel.so").touch()
        with fresh_cache() as inner:
            assert inner.parent == outer
            assert list(inner.iterdir()) == []
        assert os.environ[VARIABLE] == str(outer)
