"""Putting a report on disk: the text, and its pictures in a folder beside it."""

from pathlib import Path
from urllib.parse import quote

from resbench.reporting.suite_report import Report
from resbench.store.files import write_atomically


def write_report(report: Report, path: Path) -> None:
    """Write a report to `path` and its pictures to the folder of the same name without the suffix.

    Each file is written whole or not at all, the text last, so that it never links to a picture that is not there.
    Two reports in one folder keep their pictures apart.

    Raises:
        UsageError: a path can't be written.
        ResbenchError: the disk is full.
    """
    folder = path.with_suffix("") if path.suffix else path.with_name(f"{path.name}_pictures")
    for name, svg in report.pictures.items():
        write_atomically(folder / name, svg, "the report's picture")
    text = report.markdown.replace(f"]({report.folder}/", f"]({quote(folder.name)}/")
    write_atomically(path, text.encode(), "the report")
