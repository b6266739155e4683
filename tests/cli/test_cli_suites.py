"""`resbench list suites`, `show suite` and `new suite`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.catalog import gather
from resbench.cli.main import call
from resbench.execution.suite_file import read_suite
from resbench.execution.suite_form import SuiteForm
from resbench.specs import Suite

SUITES: dict[str, Suite] = gather("suites", "SUITE")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert call(list(arguments)) == 0
    return capsys.readouterr().out


def test_the_list_has_every_suite(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(printed(capsys, "list", "suites", "--format", "json"))
    assert [row["name"] for row in rows] == list(SUITES)
    depth = next(row for row in rows if row["name"] == "cifar_depth")
    assert (depth["kind"], depth["data"], depth["arms"], depth["extra"]) == (
        "trained",
        "cifar10",
        5,
        "cifar_resnet1202",
    )


def test_one_suite_reads_as_it_should(
    capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    assert printed(capsys, "show", "suite", "cifar_shortcut_types") == snapshot


@pytest.mark.parametrize("name", SUITES)
def test_every_published_figure_is_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(printed(capsys, "show", "suite", name, "--format", "json"))
    figures = [figure["printed"] for arm in (*rows["arms"], *rows["extra"]) for figure in arm["published"]]
    suite = SUITES[name]
    assert figures == [figure.printed for arm in (*suite.arms, *suite.extra) for figure in arm.published]
    assert "NaN" not in json.dumps(rows)


def test_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(capsys, "show", "suite", "--schema")) == SuiteForm.model_json_schema()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "suite"), "which suite?"),
        (("show", "suite", "cifar_dpth"), "did you mean cifar_depth"),
        (("show", "resnet50", "cifar_depth"), "goes with a suite"),
        (("new", "suite", "mine.txt"), "ends in .toml"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(list(arguments)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_new_suite_is_sound_and_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my-own.toml"
    assert printed(capsys, "new", "suite", str(path)) == f"{path}\n"
    assert read_suite(path).name == "my_own"
    assert call(["new", "suite", str(path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert call(["new", "suite", str(path), "--force"]) == 0


def test_showing_needs_no_torch() -> None:
    program = (
        "import sys; from resbench.cli.main import call; code = call(['show', 'suite', 'cifar_depth']); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
