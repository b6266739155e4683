"""Every suite from end to end at smoke scale on the drawn pictures, down to its report; the deepest networks left out."""

from pathlib import Path

import pytest

from resbench.catalog import gather
from resbench.cli.main import call
from resbench.specs import Kind, Scale, Suite
from resbench.training.scales import REDUCTIONS, Reduction

SUITES: dict[str, Suite] = gather("suites", "SUITE")

CHOSEN = {
    "cifar_activation": "cifar_resnet110_preact",
    "cifar_depth": "cifar_resnet20,cifar_resnet32",
    "cifar_plain_vs_resnet": "cifar_plain20,cifar_resnet20",
    "cifar_inputs": "per_pixel,raw_255_bare",
    "cifar_batch_and_gpus": "batch_128,batch_256",
    "cifar_shortcut": "cifar_plain20,cifar_resnet20_c_no_relu",
    "cifar_shortcut_types": "cifar_resnet110_dropout_shortcut",
    "cifar_wide_stem": "",
    "imagenet_cost": "",
    "latency": "resnet18_1_fp32",
    "voc_compare": "resnet18_biased",
}
"""Arms that run in seconds."""

TINY = Reduction(length=0.01, picture=0.25, train_limit=8, test_limit=8, iterations=2)
"""Less than a smoke run, which takes minutes on a busy machine: the way from end to end is the same."""

NEED_DATA = {"imagenet_options", "imagenet_eval"}


def test_each_suite_is_run_here_or_needs_data_that_no_sample_stands_for() -> None:
    assert set(CHOSEN) | NEED_DATA == set(SUITES)


@pytest.mark.parametrize("name", CHOSEN)
def test_it_runs_and_renders(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(REDUCTIONS, Scale.SMOKE, TINY)
    options = [f"--models={CHOSEN[name]}"] if CHOSEN[name] else []
    assert call(["run", "--suite", name, "--scale", "smoke", *options]) == 0, capsys.readouterr().err
    text = Path("reports", f"{name}.md").read_text()
    suite = SUITES[name]
    assert text.startswith(f"# {suite.title}\n")
    labels = [arm.label for arm in suite.chosen(tuple(filter(None, CHOSEN[name].split(","))))]
    assert all(f"| {label} " in text for label in labels)
    if suite.kind is Kind.TRAINED:
        assert "Reduced run (scale smoke)" in text
        assert "sample" in text
    stored = Path("reports", f"{name}.jsonl").read_text().splitlines()
    assert len(stored) == 1 + len(labels) * (2 if suite.recipe and suite.profiling else 1)
    again = call(
        ["report", "--suite", name, "--results", f"reports/{name}.jsonl", "--output", "again.md", *options]
    )
    assert again == 0
    assert Path("again.md").read_text().replace("](again/", f"]({name}/") == text


@pytest.mark.parametrize("name", sorted(NEED_DATA))
def test_what_needs_real_data_says_so(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(["run", "--suite", name, "--scale", "smoke"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
