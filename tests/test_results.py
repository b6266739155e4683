"""Results as plain data: the same data has the same digest, and nothing is lost on the way to JSON."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.results import Environment, Measurement, Result, Statistic, Unit, digest, plain

_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
_DATA = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def measurement(metric: str, value: float, method: str = "") -> Measurement:
    return Measurement(
        metric=metric, value=value, unit=Unit.ONE, statistic=Statistic.COMPUTED, method=method, samples=(1.0,)
    )


ENVIRONMENT = Environment(machine={"cpu": "A", "cores": "2"}, software={"python": "3.11"}, settings={})
RESULT = Result(
    key="k",
    experiment={"model": "resnet50"},
    measurements=(measurement("flops", 1, "core"), measurement("flops", 2, "all"), measurement("size", 3)),
    environment=ENVIRONMENT,
    started="2026-01-01T00:00:00Z",
    seconds=1.5,
)


@given(_DATA)
def test_plain_data_stays_as_it_is(data: Any) -> None:
    assert plain(data) == data
    assert json.loads(json.dumps(plain(data))) == data


@given(st.dictionaries(st.text(), _LEAVES))
def test_the_order_of_keys_does_not_enter_a_digest(data: dict[str, Any]) -> None:
    assert digest(dict(reversed(data.items()))) == digest(data)


@given(_DATA, _DATA)
def test_two_digests_are_equal_only_for_equal_data(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest(one) == digest(other)) == same


def test_a_digest_is_the_sha256_of_canonical_json() -> None:
    text = '{"a":[1,2.5,"\\u00e9"],"b":null}'
    assert digest({"b": None, "a": (1, 2.5, "é")}) == hashlib.sha256(text.encode()).hexdigest()


def test_what_json_cannot_hold_has_no_digest() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest({"value": float("nan")})


def test_a_result_becomes_json_and_back() -> None:
    data = json.loads(json.dumps(plain(RESULT)))
    assert data["measurements"][0]["unit"] == "1"
    assert data["measurements"][0]["samples"] == [1.0]
    assert data["environment"]["machine"] == {"cpu": "A", "cores": "2"}


def test_find_by_metric_and_method() -> None:
    assert RESULT.find("flops") is RESULT.measurements[0]
    assert RESULT.find("flops", "all") is RESULT.measurements[1]
    assert RESULT.find("flops", "other") is None
    assert RESULT.find("latency") is None


def test_one_machine_has_one_identity() -> None:
    same = Environment(machine={"cores": "2", "cpu": "A"}, software={}, settings={"threads": "2"})
    other = Environment(machine={"cores": "4", "cpu": "A"}, software={}, settings={})
    assert same.machine_id == ENVIRONMENT.machine_id != other.machine_id
    assert len(same.machine_id) == 12
