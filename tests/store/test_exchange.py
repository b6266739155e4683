import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from resbench.errors import ResbenchError, UsageError
from resbench.results import Result
from resbench.store.exchange import EXPORT_VERSION, export_results, import_results
from resbench.store.files import write_atomically

MakeResult = Callable[..., Result]


@pytest.fixture
def exported(tmp_path: Path, make_result: MakeResult) -> Path:
    path = tmp_path / "reports" / "suite.jsonl"
    export_results([make_result(key="a", note="line\u2028break\nand more"), make_result(key="b")], path)
    return path


def test_results_come_back_in_their_order(exported: Path, make_result: MakeResult) -> None:
    assert import_results(exported) == (
        make_result(key="a", note="line\u2028break\nand more"),
        make_result(key="b"),
    )


def test_the_file_is_json_lines_with_a_header(exported: Path) -> None:
    lines = exported.read_text().splitlines()
    assert json.loads(lines[0]) == {"format": "resbench results", "version": EXPORT_VERSION, "results": 2}
    assert [json.loads(line)["key"] for line in lines[1:]] == ["a", "b"]
    assert [path.name for path in exported.parent.iterdir()] == ["suite.jsonl"]


def test_line_ends_of_another_system_are_read(exported: Path) -> None:
    before = import_results(exported)
    exported.write_bytes(exported.read_bytes().replace(b"\n", b"\r\n"))
    assert import_results(exported) == before


def test_no_results_are_results_too(tmp_path: Path) -> None:
    export_results([], tmp_path / "none.jsonl")
    assert import_results(tmp_path / "none.jsonl") == ()


def header(**changes: object) -> str:
    return json.dumps({"format": "resbench results", "version": EXPORT_VERSION, "results": 2} | changes)


@pytest.mark.parametrize(
    ("first_line", "said"),
    [
        (header(version=9), "was written by a newer resbench (schema 9, this one reads 1): upgrade resbench"),
        (header(version=0), "was written by an older resbench (schema 0, this one reads 1): read it with"),
        (header(version=None), "does not say which resbench format it has"),
        (header(format="something else"), "does not say which resbench format it has"),
        ("[]", "does not say which resbench format it has"),
        ("not JSON", "does not say which resbench format it has"),
        (header(results=3), "is torn: it announces 3 results and holds 2"),
    ],
)
def test_another_header_is_refused(exported: Path, first_line: str, said: str) -> None:
    lines = exported.read_text().split("\n")
    exported.write_text("\n".join([first_line, *lines[1:]]))
    with pytest.raises(UsageError) as caught:
        import_results(exported)
    assert str(caught.value).startswith(f"results file {exported} {said}")
    assert str(caught.value).endswith("give another file to --results")


def test_a_torn_line_is_named_by_its_number(exported: Path) -> None:
    text = exported.read_text()
    exported.write_text(text[:-100])
    with pytest.raises(UsageError, match=rf"^line 3 of {exported} is no result: "):
        import_results(exported)


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    missing = tmp_path / "missing.jsonl"
    with pytest.raises(UsageError, match=rf"^cannot read the results file {missing}: No such file"):
        import_results(missing)
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not text in UTF-8"):
        import_results(binary)
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(UsageError, match="does not say which resbench format"):
        import_results(empty)


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (
            errno.ENOSPC,
            ResbenchError,
            "could not write the report to .*: No space left on device; free some space",
        ),
        (errno.EACCES, UsageError, "cannot write the report to .*: Permission denied; name a place"),
    ],
)
def test_a_failed_write_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[ResbenchError], said: str
) -> None:
    path = tmp_path / "report.md"
    write_atomically(path, b"old", "the report")

    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=said) as caught:
        write_atomically(path, b"new", "the report")
    assert type(caught.value) is kind
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["report.md"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    target = tmp_path / "target.md"
    target.write_text("old")
    link = tmp_path / "link.md"
    link.symlink_to(target)
    write_atomically(link, b"new", "the report")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"^cannot write the report to {tmp_path}: it is a folder"):
        write_atomically(tmp_path, b"", "the report")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match=rf"^cannot write the report to {file}/report.md: "):
        write_atomically(file / "report.md", b"", "the report")
