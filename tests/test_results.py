"""Results as plain data: the same data has the same digest, and nothing is lost on the way to JSON."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.results import (
    IDENTITY,
    READINGS,
    Difference,
    Environment,
    Measurement,
    Result,
    Statistic,
    Unit,
    differences,
    digest,
    plain,
)

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


def test_an_identity_of_the_first_version_stays() -> None:
    # A record and its identity as they were stored before other facts were recorded.
    machine = {
        "cpu": "AMD EPYC",
        "cores": "2",
        "memory": "23.5 GiB",
        "system": "Debian GNU/Linux 12 (bookworm), x86_64",
    }
    older = Environment(machine=machine, software={}, settings={})
    assert older.machine_id == "29092eb844d1"
    newer = replace(
        older, machine={**machine, "instructions": "AVX2", "caches": "L1 32 KiB"}, state={"load": "9"}
    )
    assert newer.machine_id == older.machine_id


@pytest.mark.parametrize("name", IDENTITY)
def test_each_fact_of_the_identity_makes_another_machine(name: str) -> None:
    one, other = ({fact: fact for fact in IDENTITY} | {name: value} for value in ("a", "b"))
    assert (
        Environment(machine=one, software={}, settings={}).machine_id
        != Environment(machine=other, software={}, settings={}).machine_id
    )


_FACTS = st.dictionaries(st.sampled_from(["a", "b", "load", "governor"]), st.sampled_from(["1", "2"]))
_ENVIRONMENTS = st.builds(
    Environment, machine=_FACTS, software=_FACTS, settings=_FACTS, state=_FACTS, model=_FACTS, commit=st.sampled_from(["", "c"]),
    changed=st.booleans(), changes=st.sampled_from(["", "d"]),
)  # fmt: skip


@given(_ENVIRONMENTS, _ENVIRONMENTS)
def test_differences_are_exactly_what_differs(one: Environment, other: Environment) -> None:
    assert differences(one, one) == ()
    found = differences(one, other)
    swapped = {Difference(kind, name, second, first) for kind, name, first, second in found}
    assert set(differences(other, one)) == swapped
    for kind, field in (
        ("machine", "machine"),
        ("setting", "settings"),
        ("model", "model"),
        ("state", "state"),
    ):
        first, second = getattr(one, field), getattr(other, field)
        expected = {name for name in {*first, *second} if first.get(name) != second.get(name)}
        if kind == "state":
            expected -= set(READINGS)
        assert {difference.name for difference in found if difference.kind == kind} == expected


def test_which_code_ran_is_part_of_the_software() -> None:
    clean = replace(ENVIRONMENT, commit="abc")
    changed = replace(clean, changed=True, changes="123")
    older = replace(clean, changed=True)  # before changes were hashed
    assert differences(ENVIRONMENT, ENVIRONMENT) == ()
    assert differences(clean, changed) == (Difference("software", "uncommitted changes", "none", "123"),)
    assert differences(older, changed) == (
        Difference("software", "uncommitted changes", "not recorded", "123"),
    )
    assert differences(clean, replace(clean, commit="abd")) == (
        Difference("software", "resbench commit", "abc", "abd"),
    )
