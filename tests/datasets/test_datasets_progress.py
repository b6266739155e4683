import io
import sys

import pytest

from resbench.datasets.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())

    with progress_bar() as report:
        report("reading [b]annotations[/b]", 50, 200)
        report("decoding pictures", 3, 3)

    assert "reading [b]annotations[/b]" in terminal.getvalue()
    assert "25%" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_a_file_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())

    with progress_bar() as report:
        report("reading annotations", 50, 200)

    assert file.getvalue() == ""
