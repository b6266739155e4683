"""`resbench evaluate` as a user runs it, on pictures and weights of the test's own making."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from resbench.cli.confusion_files import as_csv, confusion_files
from resbench.cli.evaluate_protocol import Changes, changed, chosen_protocol, normalisation_called
from resbench.cli.main import call
from resbench.datasets.data import Split
from resbench.datasets.labelled import Labelled
from resbench.errors import UsageError
from resbench.execution.evaluation_findings import confusion, findings
from resbench.models.outside import open_model
from resbench.training.protocols import Average, Protocol, Views, protocol_of
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.trial.evaluating import Answers

CLASSES = ("ant", "bee", "cow", "dog", "emu", "fox", "gnu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 28 pictures of seven classes and weights of a ResNet-20 for them."""
    root = tmp_path_factory.mktemp("evaluate")
    random = np.random.default_rng(0)
    for label, name in enumerate(CLASSES):
        (root / "pictures" / name).mkdir(parents=True)
        for i in range(4):
            pixels = random.integers(0, 60 + 27 * label, (38, 44, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "pictures" / name / f"{i}.png")
    torch.manual_seed(0)
    module = open_model("cifar_resnet20", classes=7).module
    save_file(module.state_dict(), root / "r20.safetensors")
    return root


def command(folder: Path, *options: str) -> list[str]:
    given = ("--weights", str(folder / "r20.safetensors"), "--data", f"imagefolder:{folder / 'pictures'}")
    return ["evaluate", "cifar_resnet20", *given, *options]


def test_all_formats_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {}
    for output in ("table", "markdown", "csv", "json"):
        assert call(command(folder, "--per-class", "--format", output)) == 0
        told[output] = capsys.readouterr().out
    data = json.loads(told["json"])
    top1 = next(one for one in data["measurements"] if one["metric"] == "top1")
    rows = list(csv.DictReader(io.StringIO(told["csv"])))
    assert float(rows[0]["value"]) == top1["value"]
    assert [row["class"] for row in rows[4:]] == list(CLASSES)
    assert [row["metric"] for row in rows[:4]] == ["top1", "top5", "mean_class_accuracy", "loss"]
    assert data["samples"] == 28
    assert not data["reduced"]
    assert sum(map(sum, data["confusion"])) == 28
    assert sum(row[i] for i, row in enumerate(data["confusion"])) / 28 == top1["value"]
    assert data["protocol"]["crop"] == 32
    assert data["environment"]["software"]["torch"] == torch.__version__
    for text in (told["table"], told["markdown"]):
        assert "top-5 accuracy, %" in text
        assert f"{folder / 'pictures'}: 28 samples" in text
        assert "centre crop of 32; shorter side resized to 37 (bilinear, antialiased)" in text
        assert "device cpu, precision fp32" in text


def test_a_part_is_called_reduced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(command(folder, "--limit", "5", "--views", "ten_crop")) == 0
    out = capsys.readouterr().out
    assert "reduced to 5 of 28 samples" in out
    assert "2 of 7 classes have no sample here" in out
    assert "logits averaged over 10 views" in out


def test_the_confusion_is_written_twice(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "confusion.csv"
    assert call(command(folder, "--confusion", str(file), "--format", "json")) == 0
    data = json.loads(capsys.readouterr().out)
    rows = list(csv.reader(file.read_text().splitlines()))
    assert rows[0][1:] == list(CLASSES)
    assert [[int(cell) for cell in row[1:]] for row in rows[1:]] == data["confusion"]
    picture = file.with_suffix(".svg").read_text()
    assert picture.startswith("<?xml")
    assert "answered" in picture


def test_what_a_users_code_prints_is_no_figure(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\n\ndef net():\n    print('hello')\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 7))\n"
    )
    data = str(folder / "pictures")  # a folder that says what it is
    assert call(["evaluate", f"{tmp_path / 'net.py'}:net", "--data", data, "--format", "json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["weights"] == "as its code made them"
    assert "hello" in told.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--data", "cifar:x"), "unknown kind of data 'cifar': did you mean cifar10"),
        (("--data", "nowhere"), "there is no folder nowhere"),
        (("--recipe", "he2015_cifr"), "unknown recipe 'he2015_cifr': did you mean he2015_cifar"),
        (("--weights", "nowhere.pth"), "nowhere.pth"),
        (("--weights", "."), "'.' is no checkpoint: give a file of weights"),
        (("--ema",), "is no folder: --ema and --no-ema choose"),
        (("--weights", "IMAGENET1K_V1"), "torchvision publishes none for cifar_resnet20"),
        (("--num-classes", "9"), "answers with one of 9 classes"),
        (("--views", "tencrop"), "did you mean ten_crop?"),
        (("--crop", "64"), "a crop of 64 does not fit"),
        (("--views", "full", "--crop", "32"), "take no --crop"),
        (("--scales", "32"), "--scales are for --views multi_scale"),
        (("--views", "multi_scale", "--scales", "big"), "--scales 'big' are no pixels"),
        (("--interpolation", "lanczos"), "unknown interpolation"),
        (("--normalise", "imagnet"), "did you mean imagenet"),
        (("--normalise", "1,2/3"), "is no MEAN/STD"),
        (("--normalise", "pixel_mean"), "no training pictures"),
        (("--precise-bn", "2"), "needs training pictures"),
        (("--precision", "fp16"), "precision 'fp16' is for GPUs"),
        (("--device", "gpu"), "did you mean cuda?"),
        (("--memory-format", "channel_last"), "did you mean channels_last?"),
        (("--confusion", "here.txt"), "name a .csv file"),
        (("--confusion", "/nowhere/here.csv"), "cannot write /nowhere/here.csv"),
    ],
)
def test_what_can_not_be_used_is_one_line(
    folder: Path, options: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(command(folder, *options)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert captured.err.count("\n") == 1


def test_own_code_without_weights_has_no_average(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.py").write_text("def net():\n    raise RuntimeError('not to be made')\n")
    data = str(folder / "pictures")
    assert call(["evaluate", f"{tmp_path / 'net.py'}:net", "--data", data, "--ema"]) == 2
    assert "no --weights are given: --ema and --no-ema choose" in capsys.readouterr().err


def test_an_unknown_model_gets_the_nearest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["evaluate", "cifar_resnet21x", *command(folder)[2:]]) == 2
    assert "did you mean cifar_resnet" in capsys.readouterr().err


def test_ctrl_c_is_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import sys\nfrom torch import nn\n\n\nclass net(nn.Module):\n    def forward(self, images):\n"
        "        print('working', flush=True)\n        while True:\n            pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "resbench", "evaluate", f"{tmp_path / 'net.py'}:net", *command(folder)[4:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        # What a shell starts in the background ignores Ctrl-C, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    try:
        assert process.stderr is not None
        assert "working" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (130, "", "resbench: stopped\n")


def answers(labels: list[int], predicted: list[int], places: list[int]) -> Answers:
    return Answers(
        model="net",
        weights="",
        positions=tuple(range(len(labels))),
        labels=tuple(labels),
        predicted=tuple(predicted),
        places=tuple(places),
        losses=tuple(float(place) for place in places),
        settings={},
        notes=(),
    )


def labelled(classes: int, pictures: tuple[int, ...]) -> Labelled:
    return Labelled(
        kind="voc0712",
        label="drawn",
        classes=tuple(f"class {i}" for i in range(classes)),
        split=Split(labels=(0,) * len(pictures), load=lambda _: Image.new("RGB", (1, 1))),
        pictures=pictures,
        train=None,
        fingerprint="",
    )


def test_figures_by_hand() -> None:
    """Six classes, five samples of three pictures: class 0 is right 2 of 3 times, 1 never, 2 once of once."""
    data = labelled(6, (0, 0, 1, 1, 2))
    found = findings(answers([0, 0, 0, 1, 2], [0, 0, 4, 5, 2], [0, 0, 3, 5, 0]), data)
    values = {one.metric: one.value for one in found.overall}
    assert values == {
        "top1": pytest.approx(3 / 5),
        "top5": pytest.approx(4 / 5),
        "mean_class_accuracy": pytest.approx((2 / 3 + 0 + 1) / 3),
        "loss": pytest.approx(8 / 5),
    }
    assert {name: one.value for name, one in found.by_class.items()} == {
        "class 0": pytest.approx(2 / 3),
        "class 1": 0.0,
        "class 2": 1.0,
    }
    assert found.pictures == 3
    assert {one.method for one in found.overall} == {"clustered: 3 pictures"}
    assert found.confusion_KK[0] == (2, 0, 0, 0, 1, 0)


def test_of_five_classes_the_first_five_are_always_right() -> None:
    found = findings(answers([0, 1], [0, 0], [0, 1]), labelled(5, (0, 1)))
    assert [one.metric for one in found.overall] == ["top1", "mean_class_accuracy", "loss"]


def test_confusion_as_a_table() -> None:
    assert confusion([0, 0, 1], [0, 1, 1], 2) == ((1, 1), (0, 1))
    assert as_csv([[1, 1], [0, 1]], ["a,b", "c"]) == 'right \\ answered,"a,b",c\n"a,b",1,1\nc,0,1\n'
    with pytest.raises(UsageError, match=r"name a \.csv file"):
        confusion_files("matrix.png")


@pytest.mark.parametrize(
    ("model", "weights", "kind", "recipe", "source"),
    [
        ("cifar_resnet20", "r.pth", "cifar10", "", "the test of recipe he2015_cifar"),
        ("resnet18", "r.pth", "voc0712", "", "the test of recipe voc_zj2020"),
        ("resnet18", "r.pth", "imagefolder", "voc_zj2020", "the test of recipe voc_zj2020"),
        ("resnet50", "IMAGENET1K_V2", "imagefolder", "", "what torchvision publishes with IMAGENET1K_V2"),
        ("torchvision:inception_v3", "i.pth", "imagefolder", "", "the usual one of ImageNet"),
    ],
)
def test_whose_test_it_is(model: str, weights: str, kind: str, recipe: str, source: str) -> None:
    chosen = chosen_protocol(model, weights, kind, recipe, Changes())
    assert chosen.source.startswith(source)
    other = chosen_protocol(model, weights, kind, recipe, Changes(average=Average.PROBABILITIES))
    assert other.source.endswith(", changed")


def test_the_usual_test_is_for_the_networks_own_input() -> None:
    sides = [
        chosen_protocol(model, "w.pth", "imagefolder", "", Changes()).protocol.crop
        for model in ("resnet18", "cifar_resnet20", "torchvision:inception_v3", "net.py:Net")
    ]
    assert sides == [224, 32, 299, 224]


def test_changes() -> None:
    base = protocol_of(VOC_ZJ2020.pictures)
    assert changed(base, Changes()) == base
    assert changed(protocol_of(HE2015_CIFAR.pictures), Changes(resize=0)).resize is None
    whole = changed(base, Changes(views=Views.MULTI_SCALE, scales="64,96", normalise="imagenet"))
    assert (whole.crop, whole.mirrored, whole.scales) == (None, True, (64, 96))
    assert changed(base, Changes(views=Views.CENTER, resize=320, crop=320)) == replace(
        base, views=Views.CENTER, resize=320, crop=320
    )
    center = changed(base, Changes(antialias=False, interpolation="bicubic", normalise="0.5/0.25"))
    assert (center.antialias, center.interpolation, center.std) == (False, "bicubic", (0.25,) * 3)
    assert isinstance(center, Protocol)


def test_normalisations() -> None:
    assert normalisation_called("half") == ((0.5,) * 3, (0.5,) * 3)
    assert normalisation_called("0.1,0.2,0.3/1,2,3") == ((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
