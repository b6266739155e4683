"""The page that says how to add a network, done as it says: its file is written, found, built, counted and run."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import resbench.architectures
from resbench import catalog
from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.cli.main import call
from resbench.models.build import build

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "add-a-network.md"
NAMES = ("wrn16_4", "resnet50_deep_stem")


@pytest.fixture(autouse=True)
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the page's file where it says, as far as Python can tell: into the package's search path."""
    (block,) = re.findall(r"^ *```python\n(.*?)^ *```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "deep_stem.py").write_text("\n".join(line.removeprefix("   ") for line in block.splitlines()))
    package = resbench.architectures
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    catalog.gather.cache_clear()
    yield
    sys.modules.pop("resbench.architectures.deep_stem", None)
    catalog.gather.cache_clear()


def test_the_page_names_the_file_that_is_written() -> None:
    assert "`resbench/architectures/deep_stem.py`" in PAGE.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_the_network_is_built_and_costs_what_the_page_says(name: str) -> None:
    architecture = find_architecture(name)
    assert architecture.costs is not None
    with torch.device("meta"):
        module = build(architecture).eval()
        with FlopCounterMode(display=False) as counter:
            logits = module(torch.empty(2, *architecture.input_CHW))
    assert logits.shape == (2, architecture.classes)
    assert sum(parameter.numel() for parameter in module.parameters()) == architecture.costs.parameters
    assert counter.get_total_flops() == 2 * 2 * architecture.costs.core_macs
    layers = layers_of(architecture)
    assert sum(layer.parameters for layer in layers) == architecture.costs.parameters
    assert sum(layer.macs for layer in layers) == architecture.costs.core_macs


def test_the_costs_are_the_papers() -> None:
    # Zagoruyko and Komodakis 2016 print 2.7M for WRN-16-4; He et al. 2019, Table 5, 4.3 GFLOPs for ResNet-50-C.
    wide, deep = (find_architecture(name).costs for name in NAMES)
    assert wide is not None
    assert deep is not None
    assert f"{wide.parameters / 1e6:.1f}M" == "2.7M"
    assert f"{deep.core_macs / 1e9:.1f}" == "4.3"


def test_the_commands_know_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["list", "models", "--family", "wide"]) == 0
    assert "wrn16_4" in capsys.readouterr().out
    assert call(["flops", "wrn16_4", "--convention", "core-macs", "--format", "json"]) == 0
    assert "392612352" in capsys.readouterr().out
