"""`resbench run` on a suite of a user's own that tests weights, and its report."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from resbench.architectures.naming import find_architecture
from resbench.cli.main import call
from resbench.models.build import build

SUITE = """
from resbench.results import Statistic, Unit
from resbench.specs import Arm, Kind, Published, Source, Suite, Tested

SOURCE = Source(title="nobody", where="nowhere", url="https://example.org")
FIGURE = Published(
    metric="top1_error", value=0.5, unit=Unit.ONE, printed="50.0%", decimals=1, statistic=Statistic.SINGLE,
    protocol="a test", source=SOURCE, test_samples=4, n=1, tested=Tested(views="center", sides=(36,), crop=32),
)
SUITE = Suite(
    name="weights", title="Weights", question="Are they right?", source=SOURCE, kind=Kind.EVALUATED, data="imagenet",
    arms=(Arm(model="cifar_resnet20", label="ResNet-20", published=(FIGURE,), weights="net.safetensors"),),
)
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(SUITE)
    for name, colour in (("blue", (0, 0, 250)), ("red", (250, 0, 0))):
        folder = Path("pictures/val", name)
        folder.mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (40, 48), colour).save(folder / f"{number}.png")


def run(*options: str) -> int:
    return call(["run", "--suite", "./mine.py", *options])


def test_weights_are_tested_once_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    save_file(build(find_architecture("cifar_resnet20"), classes=2).state_dict(), "net.safetensors")
    assert run("--data", "pictures") == 0
    text = Path("reports/weights.md").read_text()
    assert "Tested on pictures of 2 classes, which is not the published data set." in text
    assert "| ResNet-20 | one crop of 32 of 36 | top-1 error | 50.0 " in text
    assert "not comparable (data)" in text
    assert "resbench run --suite ./mine.py --scale full --data DIR" in text
    assert "[1/1] test cifar_resnet20" in capsys.readouterr().err
    assert run("--data", "pictures") == 0
    assert "test of cifar_resnet20: in the store since" in capsys.readouterr().err
    assert Path("reports/weights.md").read_text() == text
    assert call(["report", "--suite", "./mine.py"]) == 0
    assert Path("reports/weights.md").read_text() == text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give --data DIR"),
        (("--data", "pictures"), "needs the weights net.safetensors, and there is no such file"),
        (("--data", "pictures", "--set", "optimizer.lr=1"), "trains nothing: leave out --set"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_what_is_missing_is_one_line(
    options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*options) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
