import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.cli.main import call
from resbench.datasets.prepare import prepare
from resbench.datasets.sample import draw_sample
from resbench.datasets.verify import Count, Verification
from resbench.datasets.voc_published import COUNTS

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample: a VOCdevkit that is not the published one."""
    root = tmp_path_factory.mktemp("drawn")
    draw_sample(root / "VOCdevkit")
    return root


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every data set be found whole."""

    def verify(name: str, root: Path, **_: object) -> Verification:
        counts = tuple(
            Count(name=of, train=train, train_published=train, test=test, test_published=test)
            for of, (train, test) in COUNTS.items()
        )
        return Verification(name=name, folder=str(root), counts=counts, problems=(), pictures=21_503)

    monkeypatch.setattr("resbench.datasets.verify.verify", verify)


def test_what_differs_is_shown_and_the_exit_code_is_1(
    drawn: Path, capsys: Capture, snapshot: SnapshotAssertion
) -> None:
    assert call(["data", "verify", "voc0712", "--data", str(drawn)]) == 1

    printed = capsys.readouterr()
    assert printed.out == snapshot
    assert printed.err.replace(str(drawn), "DATA") == snapshot


@pytest.mark.parametrize("output", ["csv", "markdown"])
def test_other_formats_hold_the_same_figures(
    drawn: Path, capsys: Capture, snapshot: SnapshotAssertion, output: str
) -> None:
    assert call(["data", "verify", "voc0712", "--data", str(drawn), "--no-pictures", "--format", output]) == 1

    assert capsys.readouterr().out == snapshot


def test_the_totals_are_those_published(drawn: Path, capsys: Capture) -> None:
    call(["data", "verify", "voc0712", "--data", str(drawn), "--no-pictures", "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert rows[-1]["class"] == "all"
    assert (rows[-1]["train_published"], rows[-1]["test_published"]) == ("40058", "12032")
    for row in rows:
        assert int(row["train"]) + int(row["train_missing"]) == int(row["train_published"])


def test_json_is_one_document_with_every_problem(drawn: Path, capsys: Capture) -> None:
    assert call(["data", "verify", "voc0712", "--data", str(drawn), "--format", "json"]) == 1

    printed = json.loads(capsys.readouterr().out)
    assert printed["holds"] is False
    assert len(printed["problems"]) == 3
    assert printed["pictures"] == 320
    assert len(printed["counts"]) == 20


def test_many_problems_are_cut_off_and_counted(drawn: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "VOCdevkit/VOC2007"
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    names = [f"{number:06}" for number in range(30)]
    (folder / "ImageSets/Main/test.txt").write_text("\n".join(names))
    for name in names:
        (folder / "Annotations" / f"{name}.xml").write_text("<annotation>")

    assert call(["data", "verify", "voc0712", "--data", str(tmp_path)]) == 1

    told = capsys.readouterr().err.splitlines()
    # Two lists missing, one too short, the pictures missing, thirty bad XML files: 34 problems.
    assert told[20] == "... and 14 more (--format json has all)"
    assert told[21].startswith("resbench: voc0712 in ")
    assert told[21].endswith("34 problems, 20 of 20 classes have other counts than published")


def test_a_whole_data_set_leaves_with_0(whole: None, tmp_path: Path, capsys: Capture) -> None:
    assert call(["data", "verify", "voc0712", "--data", str(tmp_path)]) == 0

    assert "is whole: every class has its published counts, all 21,503 pictures can be decoded" in (
        capsys.readouterr().err
    )


def test_a_whole_data_set_says_so_in_json(whole: None, tmp_path: Path, capsys: Capture) -> None:
    assert call(["data", "verify", "voc0712", "--data", str(tmp_path), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True


def test_cifar10_is_whole(real_data: Path, capsys: Capture) -> None:
    assert call(["data", "verify", "cifar10", "--data", str(real_data)]) == 0
    assert capsys.readouterr().err.endswith("is whole: every file has its published md5\n")


@pytest.mark.parametrize("command", ["prepare", "verify"])
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["voc0721"], "unknown data set 'voc0721': did you mean voc0712?"),
        ([], "missing argument 'NAME'"),
        (["cifar10", "--dta", "x"], "no such option '--dta'"),
    ],
)
def test_bad_input_leaves_with_2_and_one_line(
    capsys: Capture, command: str, arguments: list[str], complaint: str
) -> None:
    assert call(["data", command, *arguments]) == 2

    printed = capsys.readouterr()
    assert complaint in printed.err.lower().replace("name", "NAME")
    assert printed.err.count("\n") == 1


def test_a_missing_folder_leaves_with_2(tmp_path: Path, capsys: Capture) -> None:
    assert call(["data", "verify", "voc0712", "--data", str(tmp_path / "no")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_prepare_says_where_the_data_lies_and_how_to_check_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    asked: list[tuple[str, Path]] = []

    def without_archives(name: str, root: Path, **_: object) -> tuple[Path, ...]:
        asked.append((name, root))
        prepare(name, root, archives=())
        return (root / "VOCdevkit",)

    monkeypatch.setattr("resbench.datasets.prepare.prepare", without_archives)

    assert call(["data", "prepare", "voc0712", "--data", str(tmp_path)]) == 0

    assert asked == [("voc0712", tmp_path)]
    assert capsys.readouterr().out == (
        f"voc0712 lies in {tmp_path}/VOCdevkit\ncheck it with: resbench data verify voc0712 --data {tmp_path}\n"
    )


@pytest.mark.parametrize("command", ["prepare", "verify"])
def test_help_has_examples(capsys: Capture, command: str) -> None:
    assert call(["data", command, "--help"]) == 0
    assert f"resbench data {command} voc0712\n" in capsys.readouterr().out


def test_verifying_pictures_loads_no_torch(drawn: Path) -> None:
    program = (
        "import sys\nfrom resbench.cli.main import call\n"
        f"call(['data', 'verify', 'voc0712', '--data', {str(drawn)!r}])\n"
        "assert not {'torch', 'torchvision'} & set(sys.modules), 'torch was loaded'"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, env=environment
    )

    assert done.returncode == 0, done.stderr
    assert "cow" in done.stdout
