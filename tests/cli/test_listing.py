"""`resbench list`: what it prints is what the catalog holds, in every format."""

import csv
import io
import json
import subprocess
import sys

import pytest
from syrupy.assertion import SnapshotAssertion

from resbench.architectures.naming import find_architecture
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
    rows = list(csv.DictReader(io.StringIO(printed(capsys, "models", "--format", "csv"))))
    for key in ("name", "family", "parameters", "core_macs", "input", "source", "where", "url"):
        assert [row[key] for row in rows] == [str(model[key]) for model in expected]
    assert [row["aliases"].split() for row in rows] == [model["aliases"] for model in expected]


def test_json_says_what_was_chosen_and_where_it_is_from(capsys: pytest.CaptureFixture[str]) -> None:
    models = {model["name"]: model for model in json.loads(printed(capsys, "models", "--format", "json"))}
    assert models["resnet50_v1"]["choices"] == {"block": "bottleneck", "shortcut": "B", "stride_on_1x1": True}
    assert models["resnext50_32x4d"]["choices"]["groups"] == 32
    assert models["cifar_resnet110_c"]["aliases"] == ["cifar_resnet110_conv1x1"]
    assert models["vgg16"]["source"].startswith("Simonyan, Zisserman")
    assert models["vgg16"]["costs_source"]["url"].startswith("https://github.com/pytorch/vision")
    assert models["cifar_resnet20"]["classes"] == 10


@pytest.mark.parametrize("name", gather("architectures", "ARCHITECTURES"))
def test_a_listed_form_can_be_asked_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = csv.DictReader(io.StringIO(printed(capsys, "models", "--format", "csv")))
    form = next(row["form"] for row in rows if row["name"] == name)
    asked = find_architecture(f"{name}({','.join(form.split())})")
    assert asked.body == find_architecture(name).body


def test_the_list_needs_no_torch() -> None:
    program = (
        "import sys; from resbench.cli.main import call; code = call(['list', 'models', '--format', 'json']); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("family", ["cifar", "identity_mappings", "imagenet", "vgg"])
def test_one_family(family: str, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    assert printed(capsys, "models", "--family", family) == snapshot


def test_an_unknown_family_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["list", "models", "--family", "cifr"]) == 2
    assert capsys.readouterr().err == "resbench: unknown family 'cifr': did you mean cifar?\n"


def test_suites_name_their_models(capsys: pytest.CaptureFixture[str]) -> None:
    suites = {suite["name"]: suite for suite in json.loads(printed(capsys, "suites", "--format", "json"))}
    assert suites["voc_compare"]["models"] == "resnet18_biased resnet34_biased resnet50"


def test_every_listed_suite_compares_known_models(capsys: pytest.CaptureFixture[str]) -> None:
    suites = json.loads(printed(capsys, "suites", "--format", "json"))
    assert suites
    assert all(find_architecture(model) for suite in suites for model in suite["models"].split())
