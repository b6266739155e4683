"""Records as printed: a program reads back what was put in, a person sees aligned columns."""

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from resbench.cli.output import Format, print_json, print_records

RECORDS = [
    {"name": "resnet50", "core_macs": 4_089_184_256, "share": 0.5, "trained": True, "note": None},
    {"name": "a|b", "core_macs": 7, "share": 0.25, "trained": False, "note": "two\nlines"},
]

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"))
_RECORDS = st.lists(
    st.fixed_dictionaries({"name": _TEXT, "count": st.integers(), "note": st.none() | _TEXT}), min_size=1
)
# The fixture is emptied by each read, so that the examples do not see each other.
_one_capsys = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("output", Format)
def test_each_format(output: Format, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    print_records(RECORDS, output, title="Two records")
    assert capsys.readouterr().out == snapshot


@pytest.mark.parametrize(
    ("output", "text"), [(Format.TABLE, "none\n"), (Format.JSON, "[]\n"), (Format.CSV, "\n")]
)
def test_no_records(output: Format, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_records([], output)
    assert capsys.readouterr().out == text


@_one_capsys
@given(_RECORDS)
def test_json_reads_back(capsys: pytest.CaptureFixture[str], records: list[dict[str, object]]) -> None:
    print_records(records, Format.JSON)
    assert json.loads(capsys.readouterr().out) == records


@_one_capsys
@given(_RECORDS)
def test_csv_reads_back(capsys: pytest.CaptureFixture[str], records: list[dict[str, object]]) -> None:
    print_records(records, Format.CSV)
    read = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert read == [
        {key: "" if value is None else str(value) for key, value in row.items()} for row in records
    ]


@_one_capsys
@given(_RECORDS)
def test_a_table_has_one_line_a_record(
    capsys: pytest.CaptureFixture[str], records: list[dict[str, object]]
) -> None:
    print_records(records, Format.TABLE)
    assert len(capsys.readouterr().out.removesuffix("\n").splitlines()) == 2 + len(records)


@pytest.mark.parametrize("output", [Format.TABLE, Format.MARKDOWN, Format.CSV])
def test_a_value_stands_under_its_name_whatever_the_order(
    output: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    print_records([{"name": "a", "count": 1}, {"count": 2, "name": "b"}], output)
    swapped = capsys.readouterr().out
    print_records([{"name": "a", "count": 1}, {"name": "b", "count": 2}], output)
    assert capsys.readouterr().out == swapped


def test_numbers_end_in_one_column(capsys: pytest.CaptureFixture[str]) -> None:
    print_records([{"count": 5}, {"count": 1_234_567}], Format.TABLE)
    assert [line[-1] for line in capsys.readouterr().out.splitlines()] == ["t", "-", "5", "7"]


def test_json_keeps_letters_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "Kaïming"})
    assert "Kaïming" in capsys.readouterr().out


def test_a_terminal_folds_the_last_column_a_pipe_does_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [{"name": "a" * 20, "how": "several words that would not fit beside it, were they on one line"}]
    print_records(records, Format.TABLE)
    assert len(capsys.readouterr().out.splitlines()) == 3
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_records(records, Format.TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join(line[22:].strip() for line in lines[2:]) == records[0]["how"]
