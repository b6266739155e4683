"""Every suite from end to end at smoke scale on the drawn pictures, down to its report. The deepest networks are left out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from resbench.architectures.naming import find_architecture
from resbench.catalog import gather
from resbench.cli.main import call
from resbench.models.build import build
from resbench.specs import Kind, Suite

SUITES: dict[str, Suite] = gather("suites", "SUITE")
DEFAULT = ""

RUN = {
    "cifar_activation": "cifar_resnet110_preact,cifar_resnet164_cifar100",
    "cifar_batch_and_gpus": DEFAULT,
    "cifar_depth": "cifar_resnet20,cifar_resnet32",
    "cifar_inputs": "per_pixel,raw_255_bare,imagenet",
    "cifar_plain_vs_resnet": "cifar_plain20,cifar_plain32,cifar_resnet20,cifar_resnet32",
    "cifar_shortcut": "cifar_resnet20,cifar_resnet20_b,cifar_resnet20_c_no_relu,cifar_plain20",
    "cifar_shortcut_types": "cifar_resnet110_dropout_shortcut",
    "cifar_wide_stem": DEFAULT,
    "imagenet_cost": DEFAULT,
    "imagenet_eval": "resnet50_pycls",
    "imagenet_options": "resnet34_c",
    "latency": "resnet18_1_fp32_onnxruntime",
    "voc_compare": "resnet18_biased",
}
"""Arms that run in seconds at the real scale; none named: those that run where the user names none."""


def test_every_suite_is_run_here() -> None:
    assert set(RUN) == set(SUITES)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def weights_and_pictures(suite: Suite, models: str) -> list[str]:
    """Make what no sample stands for: weights of others (drawn ones, here), and pictures of their thousand classes."""
    from safetensors.torch import save_file

    for arm in suite.chosen((models,)):
        save_file(build(find_architecture(arm.model)).state_dict(), arm.weights)
    for number in range(1000):
        place = Path("pictures/val", f"n{number:08}")
        place.mkdir(parents=True)
        Image.new("RGB", (260, 256), (number % 256, number // 4, 0)).save(place / "1.png", compress_level=1)
    return ["--data", "pictures"]


PREPARE: dict[Kind, Callable[[Suite, str], list[str]]] = {Kind.EVALUATED: weights_and_pictures}


@pytest.mark.parametrize("name", RUN)
def test_it_runs_and_renders(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite, models = SUITES[name], RUN[name]
    named = [f"--models={models}"] if models else []
    options = [*named, *(PREPARE[suite.kind](suite, models) if suite.kind in PREPARE else [])]
    assert call(["run", "--suite", name, "--scale", "smoke", *options]) == 0, capsys.readouterr().err
    text = Path("reports", f"{name}.md").read_text()
    assert text.startswith(f"# {suite.title}\n")
    arms = suite.chosen(tuple(filter(None, models.split(","))))
    assert all(f"| {arm.label} " in text for arm in arms)
    if suite.kind is Kind.TRAINED:
        assert "Reduced run (scale smoke)" in text
        assert "sample" in text
    assert "| not run" not in text.partition("\n## Run it again")[0]
    again = call(
        ["report", "--suite", name, "--results", f"reports/{name}.jsonl", "--output", "again.md", *named]
    )
    assert again == 0
    assert Path("again.md").read_text().replace("](again/", f"]({name}/") == text


def test_weights_of_others_need_their_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "--suite", "imagenet_eval", "--scale", "smoke"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
