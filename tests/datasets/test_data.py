from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from resbench.datasets.data import Split, majority_share


def _load(index: int) -> Image.Image:
    return Image.new("RGB", (index + 1, 1))


def test_a_split_is_as_long_as_its_labels() -> None:
    assert len(Split(labels=(3, 1, 3), load=_load)) == 3


@given(st.lists(st.integers(0, 9), min_size=1))
def test_no_constant_guess_beats_the_majority(labels: list[int]) -> None:
    shares = [sum(label == guess for label in labels) / len(labels) for guess in range(10)]

    assert majority_share(tuple(labels)) == max(shares)
