"""Weights that are loaded compute what they computed where they came from; what does not fit is listed."""

import hashlib
import os
import pickle
import re
import urllib.error
from collections import OrderedDict
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from resbench.errors import ResbenchError, UsageError
from resbench.models.outside import open_model
from resbench.models.published_weights import SAME_AS_TORCHVISION
from resbench.models.weights import load_weights


def with_random_statistics(model: nn.Module) -> nn.Module:
    """Batch norm's initial 1, 0, 0, 1 would hide a mix-up of them."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                assert tensor is not None
                nn.init.uniform_(tensor, 0.5, 1.5)
    return model


def small(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    return {name.replace("_", "."): torch.rand(shape) for name, shape in shapes.items()}


def saved(content: object, file: Path) -> str:
    torch.save(content, file)
    return str(file)


def linear() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2))


def refusal(spec: str, module: nn.Module | None = None, name: str = "net") -> str:
    with pytest.raises(UsageError) as caught:
        load_weights(linear() if module is None else module, spec, name=name)
    line = str(caught.value)
    assert "\n" not in line
    return line


def filled(model: nn.Module) -> nn.Module:
    """Give a network made without memory random weights, and batch norm random statistics."""
    model.to_empty(device="cpu")
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            # Of about unit variance after each layer, so that outputs stay finite and differ.
            spread = (3 / tensor[0].numel()) ** 0.5 if tensor.ndim > 1 else 0.5
            tensor.uniform_(-spread, spread).add_(0 if tensor.ndim > 1 or name.endswith("bias") else 1)
        else:
            tensor.zero_()
    return model.eval()


@pytest.mark.parametrize("name", SAME_AS_TORCHVISION)
def test_with_torchvisions_weights_outputs_are_torchvisions_bit_for_bit(name: str, tmp_path: Path) -> None:
    torch.manual_seed(5)
    with torch.device("meta"):
        theirs = getattr(torchvision.models, name)(num_classes=7)
    state = filled(theirs).state_dict()
    size = 64 if name.startswith("vgg") else 57
    images_BCHW = torch.randn(1, 3, size, size)
    with torch.inference_mode():
        expected_BK = theirs(images_BCHW)
    assert expected_BK.isfinite().all()
    assert expected_BK.std() > 0
    for suffix in (".pth", ".safetensors"):
        file = tmp_path / f"weights{suffix}"
        if suffix == ".pth":
            torch.save(state, file)
        else:
            save_file(state, file)
        with torch.device("meta"):
            ours = open_model(name, classes=7).module.eval()
        loaded = load_weights(ours, str(file), name=name)
        assert loaded == (loaded.source, len(state), ())
        file.unlink()
        with torch.inference_mode():
            assert torch.equal(ours(images_BCHW), expected_BK)


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_a_network_with_weights_of_its_own_gets_the_files(name: str, tmp_path: Path) -> None:
    theirs = with_random_statistics(getattr(torchvision.models, name)(num_classes=7)).eval()
    ours = open_model(name, classes=7).module.eval()
    file = saved(theirs.state_dict(), tmp_path / "w.pth")
    loaded = load_weights(ours, file, name=name)
    assert loaded.source == f"w.pth, SHA-256 {hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]}"
    with torch.inference_mode():
        images_BCHW = torch.randn(1, 3, 57, 57)
        assert torch.equal(ours(images_BCHW), theirs(images_BCHW))


def test_old_densenet_files_have_other_names(tmp_path: Path) -> None:
    """torchvision/models/densenet.py renames them by a pattern of its own when it loads its files."""
    theirs: Any = torchvision.models.densenet121(num_classes=3)
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|relu|conv))(\d)", r"\1.\2", name): tensor
        for name, tensor in theirs.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    ours = open_model("densenet121", classes=3).module
    load_weights(ours, saved(old, tmp_path / "old.pth"), name="densenet121")
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)


def test_files_from_before_batch_norm_counted_batches_fit(tmp_path: Path) -> None:
    state = open_model("cifar_resnet20").module.state_dict()
    old = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    assert len(old) < len(state)
    fresh = open_model("cifar_resnet20").module
    load_weights(fresh, saved(old, tmp_path / "old.pth"), name="cifar_resnet20")
    assert all(torch.equal(fresh.state_dict()[name], tensor) for name, tensor in old.items())


@pytest.mark.parametrize("container", ["state_dict", "model_state_dict", "model", "net"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
def test_containers_and_prefixes_are_taken_off_and_told(container: str, prefix: str, tmp_path: Path) -> None:
    state = OrderedDict(
        (f"{prefix}0.{name}", tensor) for name, tensor in small(weight=(2, 3), bias=(2,)).items()
    )
    module = linear()
    file = saved({container: state, "epoch": 3}, tmp_path / "w.pth")
    loaded = load_weights(module, file, name="net")
    assert torch.equal(module.get_parameter("0.weight"), state[f"{prefix}0.weight"])
    told = [f"Taken from '{container}' in the file."]
    told += [f"Without the '{prefix}' that all names in the file begin with."] if prefix else []
    assert list(loaded.notes) == told


def test_a_prefix_that_not_all_names_have_is_a_name(tmp_path: Path) -> None:
    state = {"module.0.weight": torch.rand(2, 3), "0.bias": torch.rand(2)}
    assert "1 missing: 0.weight (the file has module.0.weight)" in refusal(saved(state, tmp_path / "w.pth"))


def test_half_precision_is_told(tmp_path: Path) -> None:
    state = {"0.weight": torch.rand(2, 3).half(), "0.bias": torch.rand(2)}
    module = linear()
    loaded = load_weights(module, saved(state, tmp_path / "w.pt"), name="net")
    assert loaded.notes == ("Weights in float16 in the file.",)
    assert module.get_parameter("0.weight").dtype == torch.float32


def test_a_network_on_the_meta_device_takes_the_files_tensors(tmp_path: Path) -> None:
    state = {"0.weight": torch.rand(2, 3), "0.bias": torch.rand(2)}
    with torch.device("meta"):
        module = linear()
    load_weights(module, saved(state, tmp_path / "w.pth"), name="net")
    assert torch.equal(module.get_parameter("0.weight"), state["0.weight"])


# --- what does not fit


def test_a_mismatch_lists_names_and_shapes_with_near_names(tmp_path: Path) -> None:
    state = {"0.weigth": torch.rand(2, 3), "0.bias": torch.rand(4)}
    assert refusal(saved(state, tmp_path / "w.pth")) == (
        f"{tmp_path}/w.pth does not fit net: 1 missing: 0.weight (the file has 0.weigth); 1 unexpected: 0.weigth; "
        "1 of another shape: 0.bias: 4 in the file, not 2; 'resbench audit FILE' says what network a file is of"
    )


def test_a_mismatch_stays_readable(tmp_path: Path) -> None:
    state = open_model("resnet34").module.state_dict()
    line = refusal(saved(state, tmp_path / "w.pth"), open_model("resnet18").module, "resnet18")
    # 16 units of two convolutions with their batch norms of five tensors each, less 8 such units: 8 x 2 x 6
    assert re.search(r"96 unexpected: (\S+, ){4}\S+ and 91 more", line)
    assert len(line) < 1200


def test_another_number_of_classes_is_recognised(tmp_path: Path) -> None:
    state = open_model("cifar_resnet20", classes=100).module.state_dict()
    line = refusal(saved(state, tmp_path / "w.pth"), open_model("cifar_resnet20").module, "cifar_resnet20")
    assert "fc.weight: 100x64 in the file, not 10x64" in line
    assert line.endswith("; give --num-classes 100")


# --- what is no weight file


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("evil",))


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = saved({"0.weight": torch.rand(2, 3), "more": Evil()}, tmp_path / "evil.pth")
    assert "holds Python objects beside tensors (posix.mkdir), and reading those may run code" in refusal(
        file
    )
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Evil()))
    assert "holds Python objects" in refusal(str(tmp_path / "bare.pth"))
    assert not (tmp_path / "evil").exists()


def test_a_whole_pickled_network_is_refused(tmp_path: Path) -> None:
    line = refusal(saved(torchvision.models.squeezenet1_1(num_classes=2), tmp_path / "whole.pth"))
    assert "torchvision.models.squeezenet.SqueezeNet" in line
    assert "save the model's state_dict() alone" in line


@pytest.mark.parametrize("suffix", [".pth", ".legacy.pth", ".safetensors"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_a_torn_file_is_told(suffix: str, kept: float, tmp_path: Path) -> None:
    file = tmp_path / f"whole{suffix}"
    state = {"0.weight": torch.rand(200, 3), "0.bias": torch.rand(200)}
    if suffix == ".safetensors":
        save_file(state, file)
    else:
        torch.save(state, file, _use_new_zipfile_serialization=suffix == ".pth")
    content = file.read_bytes()
    torn = tmp_path / f"torn{suffix}"
    torn.write_bytes(content[: int(kept * len(content))])
    assert "or a torn one" in refusal(str(torn))


@pytest.mark.parametrize("content", [[1, 2], {"lr": 0.1}, torch.rand(3), {}, {"state_dict": {}}])
def test_a_file_without_named_tensors_is_told(content: object, tmp_path: Path) -> None:
    assert "holds no tensors under names" in refusal(saved(content, tmp_path / "w.pth"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refusal("gone.pth") == "there is no weight file 'gone.pth'"
    assert refusal("gone/weights") == "there is no weight file 'gone/weights'"
    (tmp_path / "weights.h5").touch()
    assert "is none of .pth, .pt, .safetensors" in refusal(str(tmp_path / "weights.h5"))


# --- torchvision's own


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give torch an empty hub folder; a download would fail as it does without a network."""

    def no_network(*_arguments: Any, **_options: Any) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    return tmp_path / "hub" / "checkpoints"


def test_without_a_network_the_file_and_its_place_are_named(hub: Path) -> None:
    with pytest.raises(ResbenchError) as caught:
        load_weights(linear(), "IMAGENET1K_V1", name="resnet50")
    # torchvision/models/resnet.py, ResNet50_Weights.IMAGENET1K_V1
    assert str(caught.value) == (
        "can't download https://download.pytorch.org/models/resnet50-0676ba61.pth (Name or service not known): "
        f"put that file at {hub}/resnet50-0676ba61.pth"
    )


def test_a_file_in_the_hub_folder_must_be_the_published_one(hub: Path) -> None:
    hub.mkdir(parents=True)
    state = torchvision.models.resnet18().state_dict()
    torch.save(state, hub / "resnet18-f37072fd.pth")
    found = hashlib.sha256((hub / "resnet18-f37072fd.pth").read_bytes()).hexdigest()[:8]
    line = refusal("ResNet18_Weights.IMAGENET1K_V1", open_model("resnet18").module, "resnet18")
    assert f"its SHA-256 begins with {found}, not f37072fd: delete it" in line


def published(model: str, hub: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[nn.Module, Path]:
    """Place random weights under the name that torchvision would give them."""
    theirs = with_random_statistics(open_model(f"torchvision:{model}", classes=3).module)
    hub.mkdir(parents=True)
    torch.save(theirs.state_dict(), hub / "raw.pth")
    digest = hashlib.sha256((hub / "raw.pth").read_bytes()).hexdigest()
    path = (hub / "raw.pth").rename(hub / f"{model}-{digest[:8]}.pth")

    class Known(Enum):
        IMAGENET1K_V1 = DEFAULT = "published"

        @property
        def url(self) -> str:
            return f"https://download.pytorch.org/models/{path.name}"

    monkeypatch.setattr(torchvision.models, "get_model_weights", lambda _name: Known)
    return theirs, path


@pytest.mark.parametrize("name", ["resnet18", "torchvision:resnet18", "resnet18(classes=3)"])
@pytest.mark.parametrize("weights", ["DEFAULT", "IMAGENET1K_V1"])
def test_torchvisions_weights_are_loaded_by_name(
    name: str, weights: str, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, path = published("resnet18", hub, monkeypatch)
    opened = open_model(name, classes=3)
    loaded = load_weights(opened.module, weights, name=opened.name)
    assert loaded.source.startswith(f"{weights} ({path.name}), SHA-256 {path.stem.partition('-')[2]}")
    assert torch.equal(opened.module.get_parameter("fc.weight"), theirs.get_parameter("fc.weight"))


def test_inception_gets_the_pictures_that_its_weights_know(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torchvision sets `transform_input` when it loads them."""
    published("googlenet", hub, monkeypatch)
    module: Any = open_model("torchvision:googlenet", classes=3).module
    assert not module.transform_input
    load_weights(module, "DEFAULT", name="torchvision:googlenet")
    assert module.transform_input


@pytest.mark.parametrize(
    ("name", "weights", "line"),
    [
        (
            "resnet50",
            "IMAGENET1K_V3",
            "unknown weights of resnet50 (and no file) 'IMAGENET1K_V3': choose from",
        ),
        (
            "resnet50",
            "imagenet1k",
            "unknown weights of resnet50 (and no file) 'imagenet1k': choose from DEFAULT",
        ),
        (
            "resnet50_v1",
            "DEFAULT",
            "torchvision publishes none for resnet50_v1: give a .safetensors or .pth file",
        ),
        (
            "resnet50(stride_on_1x1=yes)",
            "DEFAULT",
            "torchvision publishes none for resnet50(stride_on_1x1=yes)",
        ),
        ("timm:resnet50", "DEFAULT", "torchvision publishes none for timm:resnet50"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_weights_that_nobody_publishes_are_told(name: str, weights: str, line: str) -> None:
    assert line in refusal(weights, name=name)
