"""Networks from anywhere: what they are, what they cost nothing to be, and what is said where there is none."""

import importlib.util
import sys
import warnings
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from resbench.errors import UsageError
from resbench.models.constructing import literal
from resbench.models.outside import open_model

NET = """
    import sys
    from dataclasses import dataclass

    import torch
    from torch import nn

    print("noise from the user's file")

    @dataclass
    class Settings:
        width: int = 4

    class Net(nn.Module):
        '''A class, which takes arguments.'''

        def __init__(self, width=4, num_classes=3, name="net", bias=True, sizes=()):
            super().__init__()
            self.told = (width, num_classes, name, bias, sizes)
            self.head = nn.Linear(width, num_classes, bias=bias)

    def make(**options):
        return Net(**options)

    def needs(width, depth):
        return Net(width)

    def plain():
        return nn.Conv2d(3, 2, 1)

    def fails():
        raise ValueError("no such luck\\nat all")

    def leaves():
        sys.exit(3)

    def nothing():
        return None

    def counts():
        '''Reads a tensor's value, which the meta device does not have.'''
        return nn.Sequential(*(nn.Linear(2, 2) for _ in range(int(torch.arange(4).sum().item()))))

    def tied():
        torch.arange(4).sum().item()
        network = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5))
        network[1].weight = network[0].weight
        return network

    def reads_weights():
        network = nn.Linear(2, 2)
        network.largest = network.weight.max().item()
        return network

    finished = Net(8)
    number = 3

    class models:
        make = staticmethod(make)

    if __name__ == "__main__":
        raise RuntimeError("run as a script")
"""


@pytest.fixture
def net(tmp_path: Path) -> str:
    file = tmp_path / "net.py"
    file.write_text(dedent(NET), encoding="utf-8")
    return str(file)


def refusal(name: str, classes: int | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        open_model(name, classes=classes)
    line = str(caught.value)
    assert "\n" not in line
    return line


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# --- ours


def test_a_catalogued_network_comes_with_its_architecture() -> None:
    with torch.device("meta"):
        opened = open_model("resnet34(option=A)", classes=7)
    assert opened.name == "resnet34(shortcut=A)"
    assert opened.architecture is not None
    assert opened.input_CHW == (3, 224, 224)
    # He et al. 2015: option A has no parameters; resnet34_a with 7 of 1000 outputs of 512 features
    assert parameters(opened.module) == 21_623_848 - 993 * 513
    assert next(opened.module.parameters()).is_meta


# --- torchvision's and timm's


def test_torchvisions_network_is_torchvisions_without_weights() -> None:
    torch.manual_seed(3)
    theirs = torchvision.models.resnet18(weights=None, num_classes=5)
    torch.manual_seed(3)
    opened = open_model("torchvision:resnet18", classes=5)
    assert opened.architecture is None
    assert type(opened.module) is type(theirs)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(opened.module.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("inception_v3", 299),
        ("efficientnet_b1", 240),
        ("vit_b_16(image_size=64)", 64),
        ("vit_h_14", 224),
        ("ResNet50", 224),
    ],
)
def test_a_network_gets_the_picture_that_it_is_made_for(name: str, side: int) -> None:
    with torch.device("meta"):
        assert open_model(f"torchvision:{name}").input_CHW == (3, side, side)


def test_arguments_reach_torchvisions_constructor() -> None:
    with torch.device("meta"):
        opened = open_model("torchvision:resnet50(groups=32,width_per_group=4)")
    assert parameters(opened.module) == 25_028_904  # torchvision, ResNeXt50_32X4D_Weights: num_params


def test_detection_downloads_no_backbone() -> None:
    with torch.device("meta"):
        assert isinstance(open_model("torchvision:fasterrcnn_resnet50_fpn", classes=4).module, nn.Module)


def test_a_network_that_computes_with_tensors_is_made_on_meta_all_the_same() -> None:
    with torch.device("meta"):
        opened = open_model("torchvision:regnet_y_400mf")
    assert parameters(opened.module) == 4_344_144  # torchvision, RegNet_Y_400MF_Weights: num_params
    assert all(tensor.is_meta for tensor in opened.module.state_dict().values())


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("torchvision:resnet5", "unknown model 'torchvision:resnet5': did you mean resnet50"),
        ("torchvision:", "unknown model 'torchvision:': torchvision.models.list_models() has the names"),
        ("torchvision:resnet18(zero_init=true)", "did you mean zero_init_residual?"),
        ("torchvision:resnet18(weights=DEFAULT)", "takes no 'weights': give --weights"),
        ("torchvision:resnet18(groups=2)", "can't be made: ValueError: BasicBlock only supports groups=1"),
    ],
)
def test_what_torchvision_does_not_have_is_said(name: str, line: str) -> None:
    assert line in refusal(name)


def test_timms_network_with_its_picture() -> None:
    pytest.importorskip("timm")
    with torch.device("meta"):
        opened = open_model("timm:vit_tiny_patch16_384", classes=6)
    assert opened.input_CHW == (3, 384, 384)
    assert opened.module.get_submodule("head").out_features == 6
    assert "did you mean resnet50" in refusal("timm:resnet5O")
    assert "did you mean zero_init_last?" in refusal("timm:resnet18(zero_init_lst=true)")
    assert "give --weights" in refusal("timm:resnet18(pretrained=true)")


def test_without_timm_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert refusal("timm:resnet50") == "timm:resnet50 needs timm, which is not installed: pip install timm"


# --- the user's own


def test_a_class_in_a_file_gets_its_arguments(net: str) -> None:
    opened = open_model(f"{net}:Net(width=6,name=a/b,bias=false,sizes=(1,2))", classes=9)
    assert opened.module.told == (6, 9, "a/b", False, (1, 2))
    assert opened.name == f"{net}:Net(width=6,name=a/b,bias=false,sizes=(1,2))"
    assert opened.input_CHW == (3, 224, 224)


def test_what_a_file_prints_is_not_our_output(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    open_model(f"{net}:plain")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "noise from the user's file" in printed.err


def test_a_path_may_be_relative_to_here(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(net).parent)
    assert isinstance(open_model("net.py:models.make").module, nn.Module)
    assert isinstance(open_model("./net.py:plain").module, nn.Conv2d)


def test_a_module_is_found_where_the_command_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "zoo_of_mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "nets.py").write_text("from torch import nn\nmake = nn.Identity\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert isinstance(open_model("zoo_of_mine.nets:make").module, nn.Identity)
    assert sys.path == before


def test_an_installed_module_is_found() -> None:
    assert isinstance(open_model("torchvision.ops:Permute(dims=[0, 1])").module, nn.Module)


@pytest.mark.parametrize("marked", [True, False], ids=["package", "folder"])
def test_a_file_may_import_what_lies_beside_it(tmp_path: Path, marked: bool) -> None:
    folder = tmp_path / "my nets"
    folder.mkdir()
    if marked:
        (folder / "__init__.py").touch()
    (folder / "part_of_mine.py").write_text("from torch import nn\nPart = nn.Identity\n", encoding="utf-8")
    (folder / "near.net.py").write_text("from .part_of_mine import Part\n", encoding="utf-8")
    (folder / "plain.py").write_text("from part_of_mine import Part\n", encoding="utf-8")
    for file in ("near.net.py", "plain.py"):
        assert isinstance(open_model(f"{folder}/{file}:Part").module, nn.Identity)


def test_a_file_in_a_package_may_import_from_the_folders_above(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").touch()
    (inner.parent / "parts.py").write_text("from torch import nn\n", encoding="utf-8")
    (inner / "net.py").write_text("from ..parts import nn\nNet = nn.Identity\n", encoding="utf-8")
    assert isinstance(open_model(f"{inner}/net.py:Net").module, nn.Identity)


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for kind in ("Identity", "Flatten"):
        folder = tmp_path / kind
        folder.mkdir()
        (folder / "net.py").write_text(f"from torch.nn import {kind} as Net\n", encoding="utf-8")
    found = [type(open_model(f"{tmp_path}/{kind}/net.py:Net").module) for kind in ("Identity", "Flatten")]
    assert found == [nn.Identity, nn.Flatten]


def test_warnings_of_other_peoples_code_are_quiet(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(
        "import warnings\nfrom torch.nn import Identity\nwarnings.warn('old')\n", encoding="utf-8"
    )
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = open_model(f"{tmp_path}/loud.py:Identity")
    assert heard == []
    assert isinstance(found.module, nn.Identity)


@pytest.mark.parametrize("name", ["counts", "tied", "reads_weights", "plain", "finished"])
def test_on_the_meta_device_nothing_is_allocated(net: str, name: str) -> None:
    with torch.device("meta"):
        module = open_model(f"{net}:{name}").module
    assert all(tensor.is_meta for tensor in module.state_dict().values())
    real = open_model(f"{net}:{name}").module
    assert not any(tensor.is_meta for tensor in real.state_dict().values())
    assert parameters(module) == parameters(real)
    assert list(module.state_dict()) == list(real.state_dict())


def test_tied_weights_stay_tied(net: str) -> None:
    with torch.device("meta"):
        module = open_model(f"{net}:tied").module
    assert module.get_parameter("0.weight") is module.get_parameter("1.weight")


def test_a_finished_network_is_left_as_it_is(net: str) -> None:
    first, second = (open_model(f"{net}:finished").module for _ in range(2))
    assert first is not second
    assert torch.equal(first.get_parameter("head.weight"), second.get_parameter("head.weight"))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (":nett", "there is no 'nett' in NET: did you mean Net"),
        (":models.mak", "there is no 'mak' in NET: did you mean make?"),
        (":number", "NET:number is a int: name a function or class that returns an nn.Module"),
        (":nothing", "NET:nothing returns a NoneType, which is no nn.Module"),
        (":fails", "NET:fails can't be made: ValueError: no such luck at all"),
        (":leaves", "NET:leaves can't be made: SystemExit: 3"),
        (":Net(widht=3)", "unknown argument of NET:Net 'widht': did you mean width?"),
        (":make(widht=3)", "unknown argument of NET:make 'widht': did you mean width?"),
        (":plain(width=3)", "NET:plain takes no arguments, found 'width'"),
        (":needs(width=3)", "NET:needs needs depth: give NET:needs(depth=...)"),
        (":finished(width=3)", "NET:finished is a finished network and takes no arguments"),
        (":Net(width=wide)", "NET:Net can't be made: TypeError"),
        (":", "is not package.module:callable or path/to/file.py:callable"),
    ],
)
def test_what_a_file_does_not_have_is_said(net: str, name: str, line: str) -> None:
    assert line.replace("NET", net) in refusal(f"{net}{name}")
    with torch.device("meta"):
        assert line.replace("NET", net) in refusal(f"{net}{name}")


def test_classes_need_a_constructor_that_takes_them(net: str) -> None:
    assert f"{net}:plain takes no num_classes" in refusal(f"{net}:plain", classes=3)
    module: Any = open_model(f"{net}:make", classes=11).module
    assert module.told[1] == 11


def test_a_file_or_module_that_is_not_there_is_said(net: str, tmp_path: Path) -> None:
    assert refusal(f"{tmp_path}/ne.py:Net") == f"there is no file '{tmp_path}/ne.py': did you mean net.py?"
    assert refusal("nowhere/net.py:Net") == "there is no file 'nowhere/net.py'"
    assert "there is no module 'no_such_package', here or installed" in refusal("no_such_package.nets:Net")
    assert "there is no 'resnet19' in torchvision.models: did you mean resnet18" in refusal(
        "torchvision.models:resnet19"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def broken(:", "SyntaxError"),
        ("import no_such_dependency", "ModuleNotFoundError: No module named 'no_such_dependency'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit", "SystemExit"),
    ],
)
def test_a_file_that_fails_is_one_line_each_time(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "bad.py").write_text(text, encoding="utf-8")
    for _ in range(2):
        told = refusal(f"{tmp_path}/bad.py:Net")
        assert told.startswith(f"importing {tmp_path}/bad.py failed: {line}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-0.5", -0.5),
        ("1e-3", 1e-3),
        ("true", True),
        ("False", False),
        ("none", None),
        ("B", "B"),
        ("'3'", "3"),
        ("(1, 2)", (1, 2)),
        ("[2,2]", [2, 2]),
        ("a/b.pth", "a/b.pth"),
        ("3x3", "3x3"),
    ],
)
def test_an_argument_is_a_literal_or_a_string(text: str, value: object) -> None:
    found = literal(text)
    assert (found, type(found)) == (value, type(value))
