import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from resbench.errors import UsageError
from resbench.reporting.suite_report import Report, suite_report
from resbench.reporting.writing import write_report
from resbench.results import Result
from resbench.specs import Scale
from resbench.suites.voc_compare import SUITE


@pytest.fixture
def report(fabricate: Callable[..., list[Result]]) -> Report:
    return suite_report(SUITE, SUITE.arms, fabricate(), scale=Scale.SHORT, command="resbench run")


@pytest.mark.parametrize("name", ["voc_compare.md", "my report.md", "report.v2.md", "report"])
def test_every_link_leads_to_a_picture(tmp_path: Path, report: Report, name: str) -> None:
    path = tmp_path / "reports" / name
    write_report(report, path)
    links = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", path.read_text())
    assert len(links) == 3
    for link in links:
        assert " " not in link
        assert (path.parent / unquote(link)).read_bytes().startswith(b"<?xml")


def test_two_reports_in_one_folder_keep_their_pictures_apart(tmp_path: Path, report: Report) -> None:
    write_report(report, tmp_path / "a.md")
    write_report(report, tmp_path / "b.md")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a", "a.md", "b", "b.md"]


def test_an_unwritable_place_is_one_line_and_nothing_else(tmp_path: Path, report: Report) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match=r"^cannot write the report's picture to .*; name a place"):
        write_report(report, file / "report.md")
    folder = tmp_path / "report.md"
    folder.mkdir()
    with pytest.raises(UsageError, match=rf"^cannot write the report to {folder}: it is a folder"):
        write_report(report, folder)
