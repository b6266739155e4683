import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import UsageError
from resbench.results import Environment, Epoch, Measurement, Pass, Result
from resbench.store.formats import check_version, from_text, to_text

TEXT = st.text(max_size=20)
NUMBER = st.floats(allow_nan=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.dictionaries(TEXT, TEXT, max_size=3)
PASSES = st.builds(
    Pass, loss=NUMBER, loss_of_batches=NUMBER, top1=NUMBER, top5=NUMBER, top1_of_batches=NUMBER,
    top5_of_batches=NUMBER, samples=st.integers(), seconds=NUMBER,
)  # fmt: skip
MEASUREMENTS = st.builds(
    Measurement, value=NUMBER, low=st.none() | NUMBER, high=st.none() | NUMBER, metric=TEXT, method=TEXT,
    samples=st.lists(NUMBER, max_size=3).map(tuple),
)  # fmt: skip
RESULTS = st.builds(
    Result,
    key=TEXT,
    experiment=st.dictionaries(TEXT, PLAIN, max_size=4),
    measurements=st.lists(MEASUREMENTS, max_size=3).map(tuple),
    environment=st.builds(Environment, machine=NAMES, software=NAMES, settings=NAMES, commit=TEXT),
    epochs=st.lists(st.builds(Epoch, learning_rate=NUMBER, train=PASSES, test=PASSES), max_size=2).map(tuple),
    started=TEXT,
    seconds=NUMBER,
    notes=st.lists(TEXT, max_size=2).map(tuple),
)


@given(result=RESULTS)
def test_every_result_reads_back_as_it_was(result: Result) -> None:
    text = to_text(result)
    assert "\n" not in text
    assert from_text(text) == result


def test_a_loss_that_is_no_number_reads_back(make_result: Callable[..., Result]) -> None:
    read = from_text(to_text(make_result(value=math.nan)))
    assert math.isnan(read.measurements[0].value)


def test_a_damaged_result_is_named_by_its_field(make_result: Callable[..., Result]) -> None:
    data = json.loads(to_text(make_result()))
    data["measurements"][0]["value"] = "fast"
    with pytest.raises(ValueError, match=r"^measurements\.0\.value: Input should be a valid number"):
        from_text(json.dumps(data))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            7,
            r"^store a\.db was written by a newer resbench \(schema 7, this one reads 2\): upgrade resbench or X$",
        ),
        (
            1,
            r"^store a\.db was written by an older resbench \(schema 1, this one reads 2\): read it with .* or X$",
        ),
        (None, r"^store a\.db does not say which resbench format it has: .*; X$"),
        ("2", r"^store a\.db states the format version '2', which is no whole number; X$"),
        (True, "no whole number"),
    ],
)
def test_each_wrong_version_has_its_sentence(found: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_version(found, 2, what="store a.db", instead="X")


def test_the_right_version_passes() -> None:
    check_version(2, 2, what="store a.db", instead="X")
