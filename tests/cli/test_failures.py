"""What a failure is called, by a property: whatever it says, the user reads one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.cli.failures import explain
from resbench.errors import ResbenchError, UsageError


@given(st.text(), st.sampled_from([ResbenchError, UsageError, RuntimeError, OSError, FileNotFoundError]))
def test_every_failure_is_one_line_with_a_code(text: str, kind: type[Exception]) -> None:
    failure = explain(kind(text))
    assert len(failure.line.splitlines()) <= 1
    assert failure.exit_code in (1, 2)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError(2, "No such file or directory", "a"), 2),
        (NotADirectoryError(20, "Not a directory", "a"), 2),
        (IsADirectoryError(21, "Is a directory", "a"), 2),
        (PermissionError(13, "Permission denied", "a"), 2),
        (OSError(28, "No space left on device", "a"), 1),
        (OSError(5, "Input/output error", "a"), 1),
    ],
)
def test_a_wrong_path_is_the_users_a_broken_device_is_not(error: OSError, code: int) -> None:
    assert explain(error).exit_code == code


def test_both_files_of_a_failed_rename_are_named() -> None:
    error = OSError(18, "Invalid cross-device link", "a.tmp", None, "a.md")
    assert explain(error).line == "invalid cross-device link: a.tmp -> a.md"
