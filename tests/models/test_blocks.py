import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from resbench.architectures.description import Shortcut
from resbench.models.blocks import BasicBlock, Bottleneck


def normalised(images: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    """Batch norm in eval mode, as its definition has it."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return (images - norm.running_mean.view(-1, 1, 1)) * scale.view(-1, 1, 1) + norm.bias.view(-1, 1, 1)


def randomise(block: nn.Module) -> None:
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                assert tensor is not None
                nn.init.uniform_(tensor, 0.5, 1.5)


def test_a_basic_block_is_its_formula() -> None:
    torch.manual_seed(0)
    block = BasicBlock(4, 4, 1, Shortcut.ZERO_PAD, bias=True).double().eval()
    randomise(block)
    x = torch.randn(2, 4, 7, 5, dtype=torch.float64)
    inner = normalised(
        functional.conv2d(x, block.conv1.weight, block.conv1.bias, padding=1), block.bn1
    ).clamp(0)
    outer = normalised(functional.conv2d(inner, block.conv2.weight, block.conv2.bias, padding=1), block.bn2)
    assert torch.allclose(block(x), (x + outer).clamp(0), rtol=1e-12)


def test_a_plain_block_adds_nothing() -> None:
    torch.manual_seed(0)
    plain = BasicBlock(4, 4, 1, Shortcut.NONE, bias=False).eval()
    residual = BasicBlock(4, 4, 1, Shortcut.PROJECTION, bias=False).eval()
    residual.load_state_dict(plain.state_dict(), strict=True)
    x = torch.randn(2, 4, 6, 6)
    branch = plain.bn2(plain.conv2(plain.relu(plain.bn1(plain.conv1(x)))))
    assert torch.equal(plain(x), branch.clamp(0))
    assert torch.equal(residual(x), (branch + x).clamp(0))


@pytest.mark.parametrize(("first", "second", "groups"), [(1, 2, 1), (2, 1, 1), (1, 2, 2)])
def test_a_bottleneck_is_its_formula_wherever_its_stride_sits(first: int, second: int, groups: int) -> None:
    torch.manual_seed(0)
    plan = ((4, 1, first, 1), (4, 3, second, groups), (8, 1, 1, 1))
    block = Bottleneck(6, plan, Shortcut.ZERO_PAD).double().eval()
    randomise(block)
    x = torch.randn(2, 6, 7, 5, dtype=torch.float64)
    out = normalised(functional.conv2d(x, block.conv1.weight, stride=first), block.bn1).clamp(0)
    out = functional.conv2d(out, block.conv2.weight, stride=second, padding=1, groups=groups)
    out = normalised(out, block.bn2).clamp(0)
    out = normalised(functional.conv2d(out, block.conv3.weight), block.bn3)
    out[:, :6] += x[:, :, ::2, ::2]
    assert torch.allclose(block(x), out.clamp(0), rtol=1e-12)


def test_a_block_leaves_its_input_as_it_was() -> None:
    block = BasicBlock(4, 4, 1, Shortcut.PROJECTION, bias=False).eval()
    x = torch.randn(1, 4, 5, 5)
    before = x.clone()
    block(x)
    assert torch.equal(x, before)
