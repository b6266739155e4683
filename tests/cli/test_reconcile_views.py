"""What `--reconcile` prints, for a person and for a program."""

import csv
import io
import json
from typing import Any

import pytest

from resbench.cli.output import Format
from resbench.cli.reconcile_views import show_reconciliation
from resbench.errors import UsageError
from resbench.metrics.flops import reconcile
from resbench.metrics.flops.peers import PEERS, Peer, PeerCount

CORE = 40551040
FVCORE = CORE + 2 * 188416 + 64 * 8 * 8


@pytest.fixture
def with_peers(monkeypatch: pytest.MonkeyPatch) -> Any:
    def patch(*peers: Peer) -> None:
        defaults = {**(reconcile.reconcile.__kwdefaults__ or {}), "peers": peers}
        monkeypatch.setattr(reconcile.reconcile, "__kwdefaults__", defaults)

    return patch


def fvcore(value: int, by_module: dict[str, int]) -> Peer:
    counted = PeerCount(value=value, by_module=by_module, unsupported=(("aten::add_", 9),))
    return Peer(name="fvcore", package="fvcore", run=lambda *_: counted)


def printed(capsys: pytest.CaptureFixture[str], output: Format, model: str = "cifar_resnet20") -> str:
    show_reconciliation(model, "", None, output)
    return capsys.readouterr().out


def test_json_has_an_object_for_each_tool(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, Format.JSON))
    assert [each["tool"] for each in found] == [peer.name for peer in PEERS]
    for each in found:
        if each["value"] is None:
            assert "pip install" in each["reason"]
            continue
        assert each["ours"] == CORE
        assert each["residual"] == 0
        assert each["residual_layers"] == []
        assert each["value"] == each["ours"] + sum(term["operations"] for term in each["terms"])
        assert all(term["operations"] == term["factor"] * term["quantity"] for term in each["terms"])
    assert found[0]["value"] == FVCORE
    assert found[0]["terms"][0] == {
        "term": "batch-norm elements",
        "factor": 2,
        "quantity": 188416,
        "operations": 376832,
    }


def test_a_table_is_a_sum_that_reads_from_ours_to_the_tools(
    capsys: pytest.CaptureFixture[str], with_peers: Any
) -> None:
    with_peers(next(peer for peer in PEERS if peer.name == "fvcore"))
    lines = [line.split(maxsplit=1) for line in printed(capsys, Format.TABLE).splitlines() if line]
    assert lines[0] == ["cifar_resnet20:", "input 3x32x32, 10 classes, one picture"]
    table = [" ".join(line) for line in lines[3:]]
    assert "40,551,040  ours: core MACs" in table[0]
    assert table[0].startswith("fvcore 0.")
    assert [" ".join(line.split()) for line in table[1:5]] == [
        "376,832 2 x 188,416 batch-norm elements",
        "4,096 4,096 elements into adaptive average pools",
        "0 residual: every operation is accounted for",
        "40,931,968 = fvcore",
    ]
    assert table[5] == "Residual zero: fvcore."


def test_a_residual_and_its_layers_are_shown(capsys: pytest.CaptureFixture[str], with_peers: Any) -> None:
    with_peers(fvcore(FVCORE + 5, {"fc": 645}))
    shown = printed(capsys, Format.TABLE)
    assert "5  residual\n" in shown
    assert "fvcore: 5 operations are not explained" in shown
    assert "more layers with --format json" in shown
    assert shown.count("  at ") == 8
    (found,) = json.loads(printed(capsys, Format.JSON))
    assert found["residual"] == 5
    layers = {layer["layer"]: layer for layer in found["residual_layers"]}
    assert layers["fc"] == {
        "layer": "fc",
        "module": "Linear",
        "value": 645,
        "by_rule": 640,
        "difference": 5,
    }
    assert found["counted_as_nothing"] == {"aten::add_": 9}


def test_csv_has_whole_numbers(capsys: pytest.CaptureFixture[str], with_peers: Any) -> None:
    with_peers(fvcore(FVCORE, {}))
    rows = list(csv.DictReader(io.StringIO(printed(capsys, Format.CSV))))
    assert [row["line"] for row in rows] == ["ours", "term", "term", "residual", "value"]
    assert {row["tool"] for row in rows} == {"fvcore"}
    ours, *terms, residual, value = (int(row["operations"]) for row in rows)
    assert ours + sum(terms) + residual == value
    assert all(row["version"] for row in rows)


def test_markdown_is_a_table(capsys: pytest.CaptureFixture[str], with_peers: Any) -> None:
    with_peers(fvcore(FVCORE, {}))
    lines = printed(capsys, Format.MARKDOWN).splitlines()
    assert lines[0].startswith("**cifar_resnet20: input 3x32x32")
    assert "| fvcore" in "\n".join(lines)
    assert lines[-1] == "* Residual zero: fvcore."


def test_a_tool_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str], with_peers: Any) -> None:
    with_peers(Peer(name="thop", package="no-such-counter", run=lambda *_: PeerCount(value=0)))
    shown = printed(capsys, Format.TABLE)
    assert "no-such-counter is not installed: pip install no-such-counter" in shown
    assert shown.splitlines()[-1] == "Not installed: pip install no-such-counter"
    (found,) = json.loads(printed(capsys, Format.JSON))
    assert (found["value"], found["residual"], found["version"]) == (None, None, None)


def test_a_network_from_outside_is_reconciled(capsys: pytest.CaptureFixture[str]) -> None:
    show_reconciliation("torchvision:squeezenet1_0", "3x64x64", 5, Format.JSON)
    found = json.loads(capsys.readouterr().out)
    assert {each["model"] for each in found} == {"torchvision:squeezenet1_0"}
    assert {each["residual"] for each in found} <= {0, None}


def test_what_can_not_be_used_is_told() -> None:
    with pytest.raises(UsageError, match="unknown model 'resnet51'"):
        show_reconciliation("resnet51", "", None, Format.TABLE)
