"""An unknown name is answered with the nearest names, or with all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import ResbenchError, Stopped, UsageError, unknown

NAMES = ["resnet18", "resnet50", "cifar_plain20"]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("resnet51", "unknown model 'resnet51': did you mean resnet50 or resnet18?"),
        ("RESNET50", "unknown model 'RESNET50': did you mean resnet50 or resnet18?"),
        ("plain20", "unknown model 'plain20': did you mean cifar_plain20?"),
        ("vgg", "unknown model 'vgg': choose from cifar_plain20, resnet18, resnet50"),
        ("", "unknown model '': choose from cifar_plain20, resnet18, resnet50"),
    ],
)
def test_the_sentence(found: str, message: str) -> None:
    assert str(unknown("model", found, NAMES)) == message


@given(st.sampled_from(NAMES), st.data())
def test_one_wrong_letter_still_finds_the_name(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    assert name in str(unknown("model", f"{name[:place]}?{name[place + 1 :]}", [name, "zzz"]))


def test_exit_codes() -> None:
    assert [kind.exit_code for kind in (ResbenchError, UsageError, Stopped)] == [1, 2, 130]
