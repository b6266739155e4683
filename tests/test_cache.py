"""What is kept in the user's cache folder is there whole, or one line says why not."""

import json
from pathlib import Path

import pytest

from resbench.cache import keep
from resbench.errors import UsageError


def test_what_is_kept_is_there_whole_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "one.json"
    assert keep(file, {"a": [1, 2]}, "it") == file
    assert keep(file, {"a": 3}, "it") == file
    assert json.loads(file.read_text("utf-8")) == {"a": 3}
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"^cannot keep the roof in .*file/sub: .*set RESBENCH_CACHE"):
        keep(tmp_path / "file" / "sub" / "one.json", {}, "the roof")
