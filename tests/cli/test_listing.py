"""`resbench list`: what it prints is what the catalog holds, in every format."""

import csv
import io
import json

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.catalog import gather
from resbench.cli.main import call


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert call(["list", *arguments]) == 0
    shown = capsys.readouterr()
    assert not shown.err
    return shown.out


def test_models_as_json_are_the_catalog(capsys: pytest.CaptureFixture[str]) -> None:
    models = json.loads(printed(capsys, "models", "--format", "json"))
    assert [model["name"] for model in models] == list(gather("architectures", "ARCHITECTURES"))


def test_resnet50_has_torchvisions_published_costs(capsys: pytest.CaptureFixture[str]) -> None:
    models = json.loads(printed(capsys, "models", "--format", "json"))
    resnet50 = next(model for model in models if model["name"] == "resnet50")
    # torchvision, ResNet50_Weights.IMAGENET1K_V1.meta: num_params 25557032, _ops 4.089
    assert (resnet50["parameters"], resnet50["core_macs"], resnet50["input"]) == (
        25_557_032,
        4_089_184_256,
        "3x224x224",
    )


def test_models_as_csv_hold_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads(printed(capsys, "models", "--format", "json"))
    rows = csv.DictReader(io.StringIO(printed(capsys, "models", "--format", "csv")))
    assert list(rows) == [{key: str(value) for key, value in model.items()} for model in expected]


def test_one_family(capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    assert printed(capsys, "models", "--family", "cifar") == snapshot


def test_an_unknown_family_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["list", "models", "--family", "cifr"]) == 2
    assert capsys.readouterr().err == "resbench: unknown family 'cifr': did you mean cifar?\n"


def test_suites_name_their_models(capsys: pytest.CaptureFixture[str]) -> None:
    suites = {suite["name"]: suite for suite in json.loads(printed(capsys, "suites", "--format", "json"))}
    assert suites["voc_compare"]["models"] == "resnet18_biased resnet34_biased resnet50"


def test_every_listed_suite_compares_known_models(capsys: pytest.CaptureFixture[str]) -> None:
    known = gather("architectures", "ARCHITECTURES")
    suites = json.loads(printed(capsys, "suites", "--format", "json"))
    assert suites
    assert all(set(suite["models"].split()) <= set(known) for suite in suites)
