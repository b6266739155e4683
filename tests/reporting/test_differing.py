"""What a reader sees before two results are compared."""

from dataclasses import replace

from syrupy.assertion import SnapshotAssertion

from resbench.reporting.differing import ALIKE, difference_rows, differing
from resbench.results import Difference, Environment, differences

OURS = Environment(
    machine={"cpu": "Example CPU", "cores": "2", "instructions": "AVX2, AVX512"},
    software={"torch": "2.15.0", "python": "3.11.7"},
    settings={"threads": "2", "allocator": "keep"},
    state={"load": "0.10", "governor": "performance", "turbo": "off"},
    commit="a" * 40,
    changed=True,
    changes="0123456789ab",
)
OLDER = Environment(
    machine={"cpu": "Example CPU", "cores": "2", "gpu": "Example | GPU"},
    software={"torch": "2.14.0", "python": "3.11.7"},
    settings={"threads": "1"},
    commit="a" * 40,
)
LATER = replace(OURS, state={"load": "7.00", "governor": "powersave", "turbo": "off"})


def test_alike() -> None:
    assert differing(differences(OURS, OURS)) == ALIKE


def test_a_table_and_what_only_one_says(snapshot: SnapshotAssertion) -> None:
    assert differing(differences(OURS, OLDER), ("Today", "In spring")) == snapshot
    assert differing(differences(OURS, LATER)) == snapshot


def test_rows_for_a_terminal() -> None:
    found = (Difference("machine", "gpu", None, "X"), Difference("setting", "threads", "2", "1"))
    assert difference_rows(found, ("a", "b")) == [
        {"kind": "machine", "what": "gpu", "a": "not recorded", "b": "X"},
        {"kind": "setting", "what": "threads", "a": "2", "b": "1"},
    ]
