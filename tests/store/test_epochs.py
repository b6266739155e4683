"""The record of runs under way: seen by others while it grows, and the same however often an epoch is told."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from resbench.errors import ResbenchError
from resbench.results import Epoch, Result, plain
from resbench.specs import Experiment, Precision, Profiling, Scale
from resbench.store.store import Store, open_store

EXPERIMENT = Experiment(
    model="resnet18",
    device="cpu",
    precision=Precision.FP32,
    seed=0,
    scale=Scale.SMOKE,
    profiling=Profiling(batch_size=1, num_classes=2, input_CHW=(3, 8, 8)),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


@pytest.fixture
def epochs(make_result: Callable[..., Result]) -> tuple[Epoch, ...]:
    first = make_result().epochs[0]
    return tuple(replace(first, number=number, learning_rate=0.1 / 3**number) for number in (1, 2, 3))


def test_another_connection_sees_a_run_that_is_under_way(path: Path, epochs: tuple[Epoch, ...]) -> None:
    with open_store(str(path)) as writer, open_store(str(path), create=False) as reader:
        assert reader.epochs.runs() == ()
        writer.epochs.begin(EXPERIMENT)
        (run,) = reader.epochs.runs()
        assert (run.key, run.experiment) == (EXPERIMENT.key, plain(EXPERIMENT))
        assert (run.epochs, run.total, run.last) == ((), 0, "")
        for epoch in epochs[:2]:
            writer.epochs.add(EXPERIMENT.key, epoch, 3)
        (run,) = reader.epochs.runs()
        assert (run.epochs, run.total) == (epochs[:2], 3)
        assert run.last >= run.began
        assert reader.epochs.of(EXPERIMENT.key) == epochs[:2]
        assert reader.epochs.of("another") == ()


def test_what_is_recorded_stays_however_often_it_is_told_again(path: Path, epochs: tuple[Epoch, ...]) -> None:
    with open_store(str(path)) as store:
        for _ in range(2):
            store.epochs.begin(EXPERIMENT)
            store.epochs.add(EXPERIMENT.key, epochs[0], 3)
        slower = replace(epochs[0], train=replace(epochs[0].train, seconds=99.0))
        store.epochs.add(EXPERIMENT.key, slower, 3)
        assert store.epochs.of(EXPERIMENT.key) == epochs[:1]


def test_a_store_of_before_gets_the_tables_at_its_first_run(
    path: Path, make_result: Callable[..., Result]
) -> None:
    with open_store(str(path)) as store:
        store.save(make_result())
    with closing(sqlite3.connect(path)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert not {"runs", "epochs"} & tables
    with open_store(str(path)) as store:
        store.epochs.begin(EXPERIMENT)
        assert store.results() == (make_result(),)
        assert len(store.epochs.runs()) == 1


def test_a_file_that_cannot_be_written_is_one_line(path: Path, epochs: tuple[Epoch, ...]) -> None:
    store: Store = open_store(str(path))
    store.epochs.begin(EXPERIMENT)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE epochs")
        database.execute("CREATE TABLE epochs (other TEXT)")
        database.commit()
    with pytest.raises(ResbenchError, match=r"results\.db"):
        store.epochs.add(EXPERIMENT.key, epochs[0], 3)
    store.close()
