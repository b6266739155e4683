"""Where the search for the largest batch begins, against the prediction of what a batch takes."""

from dataclasses import replace

import pytest

from resbench.architectures.layers import layers_of
from resbench.architectures.naming import find_architecture
from resbench.cli import largest_batches
from resbench.cli.largest_batches import predicted_batch, with_batches
from resbench.cli.profile_memory import predict
from resbench.metrics.batch_search import BatchSearch, largest_batch
from resbench.trial.case import Case

CASE = Case(model="cifar_resnet20", input_CHW=(3, 32, 32), num_classes=10, batch_size=0)
LAYERS = layers_of(find_architecture("cifar_resnet20"))
ROOM_B = 200 * 2**20


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(largest_batches, "available_bytes", lambda: ROOM_B)


@pytest.mark.parametrize("mode", ["inference", "training"])
def test_the_search_begins_at_the_largest_batch_that_is_predicted_to_fit(mode: str) -> None:
    case = replace(CASE, mode=mode)
    start = predicted_batch(case)
    peaks = [predict(replace(case, batch_size=batch), LAYERS).peak for batch in (start, start + 1)]
    assert peaks[0] <= ROOM_B < peaks[1]


def test_where_nothing_is_predicted_to_fit_a_single_image_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(largest_batches, "available_bytes", lambda: 1)
    assert predicted_batch(CASE) == 1


def test_the_prediction_is_never_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is predicted, the batch is the largest that was tried and fitted."""
    said: list[str] = []

    def search(case: Case, *, start: int) -> BatchSearch:
        assert case.batch_size == 1
        return largest_batch(lambda batch: batch <= 37, start=start)

    monkeypatch.setattr(largest_batches, "find_largest_batch", search)
    found = with_batches((CASE, replace(CASE, batch_size=5)), said.append)
    assert [case.batch_size for case in found.cases] == [37, 5]
    assert found.failures == {}
    (note,) = found.notes
    start = predicted_batch(CASE)
    assert start > 100
    assert "batch 37 fits, verified; out of memory at batch 38" in note
    assert note.endswith(f"predicted: {start}.")
    assert said == [f"searching the largest batch of cifar_resnet20, from {start} on"]
