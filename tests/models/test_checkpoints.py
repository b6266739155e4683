"""Headers of checkpoints, as common training scripts write them; nothing is unpickled but tensors."""

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from resbench.errors import UsageError
from resbench.models.checkpoints import read_checkpoint


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 10))


def expected() -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network().state_dict().items()}


def test_a_state_dict_is_read_in_its_order(tmp_path: Path) -> None:
    for legacy in (False, True):
        file = tmp_path / f"{legacy}.pth"
        torch.save(network().state_dict(), file, _use_new_zipfile_serialization=not legacy)
        found = read_checkpoint(file)
        assert list(found.tensors) == list(expected().items())
        assert found.unwrapped == ()


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict", "net", "what_nobody_calls_it"])
def test_what_stands_around_a_state_dict_is_left_out_and_told(tmp_path: Path, key: str) -> None:
    state = {f"module.{name}": tensor for name, tensor in network().state_dict().items()}
    torch.save({key: state, "epoch": 7, "accuracy": 0.9, "arch": "resnet"}, tmp_path / "net.pth")
    found = read_checkpoint(tmp_path / "net.pth")
    assert dict(found.tensors) == expected()
    assert found.unwrapped == (f"'{key}'", "prefix 'module.'")


def test_the_model_is_taken_and_not_the_optimizer(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.rand(2, 3, 3, 3)).sum().backward()
    optimizer.step()
    torch.save({"optimizer": optimizer.state_dict(), "model": model.state_dict()}, tmp_path / "net.pth")
    assert dict(read_checkpoint(tmp_path / "net.pth").tensors) == expected()


def test_safetensors(tmp_path: Path) -> None:
    save_file(network().state_dict(), tmp_path / "net.safetensors", metadata={"epoch": "7"})
    found = read_checkpoint(tmp_path / "net.safetensors")
    assert dict(found.tensors) == expected()


def test_a_module_of_its_own_keeps_its_name(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(2, 3), "fc.bias": torch.zeros(2)}, tmp_path / "net.pth")
    assert [name for name, _ in read_checkpoint(tmp_path / "net.pth").tensors] == ["fc.weight", "fc.bias"]


class Planted:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "ran")


def test_code_in_a_file_does_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    torch.save({"state_dict": Planted(trace)}, tmp_path / "planted.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Planted(trace)))
    torch.save(network(), tmp_path / "module.pth")
    for name in ("planted", "bare", "module"):
        with pytest.raises(UsageError, match=r"holds Python objects beside tensors.*state_dict\(\) alone"):
            read_checkpoint(tmp_path / f"{name}.pth")
    assert not trace.exists()


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"not a checkpoint\n", b"PK\x03\x04" + bytes(40), bytes(1000), b"\x80"]
)
@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_any_other_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"net\..*(is not a|holds Python objects)"):
        read_checkpoint(file)


@pytest.mark.parametrize(
    "header",
    [b"[1]", b"{", b'{"w": 3}', b'{"w": {}}', b'{"w": {"shape": "x"}}', b'{"w": {"shape": null}}', b"\xff"],
)
def test_a_broken_header_is_refused(tmp_path: Path, header: bytes) -> None:
    file = tmp_path / "net.safetensors"
    file.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(UsageError, match="its header can't be read"):
        read_checkpoint(file)


def test_a_header_that_claims_more_than_the_file_has_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    file.write_bytes(struct.pack("<Q", 2**40) + json.dumps({}).encode())
    with pytest.raises(UsageError, match="its header can't be read"):
        read_checkpoint(file)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"a": {"b": 1}}, {}, 7])
def test_a_file_without_tensors_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(UsageError, match="holds no tensors under names"):
        read_checkpoint(tmp_path / "net.pth")


def test_of_several_unknown_dictionaries_none_is_chosen(tmp_path: Path) -> None:
    torch.save({"teacher": network().state_dict(), "pupil": network().state_dict()}, tmp_path / "net.pth")
    with pytest.raises(UsageError, match="several dictionaries, teacher, pupil: which is the model"):
        read_checkpoint(tmp_path / "net.pth")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        read_checkpoint(tmp_path / "absent.pth")
    with pytest.raises(UsageError, match="is a folder"):
        read_checkpoint(tmp_path)
