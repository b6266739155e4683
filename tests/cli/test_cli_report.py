import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from resbench.cli.report import report
from resbench.errors import UsageError
from resbench.results import Environment, Epoch, Measurement, Pass, Result, Statistic, Unit, plain
from resbench.specs import DataIdentity, Experiment, Precision, Scale
from resbench.store.exchange import export_results
from resbench.store.store import open_store
from resbench.training.recipes import VOC_ZJ2020


def trained(
    model: str = "resnet50",
    scale: Scale = Scale.SMOKE,
    started: str = "2026-01-01",
    label: str = "resbench sample",
) -> Result:
    data = DataIdentity(
        kind="voc_crops", label=label, official=False, fingerprint="f", classes=20, train_samples=288,
        test_samples=96, majority=0.1,
    )  # fmt: skip
    experiment = Experiment(
        model=model, device="cpu", precision=Precision.FP32, seed=7, scale=scale, data=data,
        recipe=replace(VOC_ZJ2020, name=f"{VOC_ZJ2020.name}-{scale}"),
    )  # fmt: skip
    seen = Pass(
        loss=1.0, loss_of_batches=1.0, top1=0.25, top5=0.5, top1_of_batches=0.25, top5_of_batches=0.5,
        samples=96, seconds=1.0,
    )  # fmt: skip
    best = Measurement(metric="top1_published", value=0.25, unit=Unit.ONE, statistic=Statistic.BEST, n=96)
    return Result(
        key=experiment.key, experiment=plain(experiment), measurements=(best,), started=started, seconds=1.0,
        environment=Environment(machine={}, software={}, settings={}),
        epochs=(Epoch(number=1, learning_rate=0.1, train=seen, test=seen),),
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    with open_store("resbench.db") as opened:
        opened.save(trained(started="2026-01-01T00:00:00+00:00"))
        opened.save(trained("resnet18_biased", Scale.SHORT, "2026-01-03T00:00:00+00:00", "VOC2012 subset"))
        opened.save(trained("resnet34_biased", Scale.SMOKE, "2026-01-02T00:00:00+00:00"))
    return "resbench.db"


def test_the_latest_scale_is_shown_and_said(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    report(suite="voc_compare", store=store)
    assert capsys.readouterr().out == "scale short: reports/voc_compare.md\n"
    text = Path("reports/voc_compare.md").read_text()
    assert "Reduced run (scale short), on VOC2012 subset" in text
    assert "resbench run --suite voc_compare --scale short --data DIR --device cpu --seed 7\n" in text
    assert sorted(found.name for found in Path("reports/voc_compare").iterdir()) == [
        "loss.svg", "top1.svg", "top5.svg",
    ]  # fmt: skip


def test_a_scale_output_and_models_can_be_named(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    report(
        suite="voc_compare",
        store=store,
        scale=Scale.SMOKE,
        output=Path("mine.md"),
        models="resnet50, resnet18_biased",
    )
    assert capsys.readouterr().out == "scale smoke: mine.md\n"
    text = Path("mine.md").read_text()
    assert "> **Not trained: ResNet-18.**" in text
    assert "ResNet-34 " not in text.partition("## How to read")[0].partition("| Architecture")[2]
    # The sample needs no folder.
    assert "--scale smoke --device cpu --seed 7 --models" in text


def test_a_file_of_results_serves_as_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    export_results([trained()], Path("results.jsonl"))
    report(suite="voc_compare", results=Path("results.jsonl"), output=Path("a.md"))
    assert "25.0 [17.4, 34.5]" in Path("a.md").read_text()
    assert not Path("resbench.db").exists()


def test_nothing_stored_says_how_to_run_it(store: str) -> None:
    with pytest.raises(UsageError) as caught:
        report(suite="voc_compare", store=store, scale=Scale.FULL)
    assert str(caught.value) == (
        "resbench.db holds no result of voc_compare at scale full: run 'resbench run --suite voc_compare --scale full' "
        "first, or name another --store"
    )


def test_a_missing_store_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"
    with pytest.raises(UsageError, match=r"^there is no store .*missing.db: run a suite first"):
        report(suite="voc_compare", store=str(path))
    assert not path.exists()


def test_unknown_names_are_told_with_the_nearest(store: str) -> None:
    with pytest.raises(UsageError, match="unknown suite 'voc_compar': did you mean voc_compare"):
        report(suite="voc_compar", store=store)
    with pytest.raises(UsageError, match="suite 'voc_compare' has no model 'resnet51'"):
        report(suite="voc_compare", store=store, models="resnet51")


def test_it_needs_no_torch(store: str) -> None:
    code = (
        "import sys\n"
        "from resbench.cli.report import report\n"
        "report(suite='voc_compare')\n"
        "assert 'torch' not in sys.modules\n"
        "assert 'scipy' not in sys.modules\n"
    )
    path = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": path},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
