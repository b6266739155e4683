"""The record of runs under way: what each is, and its epochs as they finish. Rows are added and never changed.

Tables beside the results. A run goes on after its last checkpoint, which may lie before its last recorded epoch:
the epochs trained again are the same, and what is recorded stays.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from resbench.results import Epoch, Pass, plain
from resbench.specs import Experiment
from resbench.store.sqlite_errors import Doing, explained

_METADATA = sa.MetaData()
_RUNS = sa.Table(
    "runs",
    _METADATA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("experiment", sa.Text, nullable=False),
    sa.Column("began", sa.String, nullable=False),
)
_EPOCHS = sa.Table(
    "epochs",
    _METADATA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("of", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)
_PLANS = sa.Table(
    "plans",
    _METADATA,
    sa.Column("question", sa.String, primary_key=True),
    sa.Column("iterations", sa.Integer, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A run that was begun, finished or not.

    Attributes:
        key: of its experiment, and of its result once there is one.
        experiment: as plain data.
        began: when, in UTC, ISO 8601.
        epochs: those that finished.
        total: how many there will be; 0 before the first has finished.
        last: when the last epoch was recorded; empty before that.
    """

    key: str
    experiment: dict[str, Any]
    began: str
    epochs: tuple[Epoch, ...]
    total: int
    last: str


class EpochRecord:
    """The tables in a store's file; `resbench.store.store.Store.epochs` is one."""

    def __init__(self, engine: sa.Engine, path: Path) -> None:
        self._engine, self._path = engine, path

    def begin(self, experiment: Experiment) -> None:
        """Record that an experiment is run; nothing happens where that is known.

        Raises:
            ResbenchError: the disk is full, the file failed, or another process held it for a minute.
        """
        row = {"key": experiment.key, "experiment": json.dumps(plain(experiment)), "began": _now()}
        self._add(_RUNS, row)

    def add(self, key: str, epoch: Epoch, total: int) -> None:
        """Record a finished epoch of the run, of `total`; nothing happens where it is recorded.

        Raises:
            ResbenchError: the disk is full, the file failed, or another process held it for a minute.
        """
        row = {
            "key": key,
            "number": epoch.number,
            "of": total,
            "body": json.dumps(plain(epoch)),
            "at": _now(),
        }
        self._add(_EPOCHS, row)

    def runs(self) -> tuple[Recorded, ...]:
        """Return every run in the order in which they began; none from a store that never recorded any.

        Raises:
            ResbenchError: the file failed.
        """
        runs = self._read(sa.select(_RUNS).order_by(_RUNS.c.began, _RUNS.c.key), _RUNS)
        rows = self._read(sa.select(_EPOCHS).order_by(_EPOCHS.c.key, _EPOCHS.c.number), _EPOCHS)
        return tuple(_recorded(run, [row for row in rows if row.key == run.key]) for run in runs)

    def of(self, key: str) -> tuple[Epoch, ...]:
        """Return the recorded epochs of one run.

        Raises:
            ResbenchError: the file failed.
        """
        return next((run.epochs for run in self.runs() if run.key == key), ())

    def plan(self, question: str, iterations: int) -> int:
        """Keep how many iterations were decided on for a question, and return what was decided first.

        Raises:
            ResbenchError: the disk is full, the file failed, or another process held it for a minute.
        """
        self._add(_PLANS, {"question": question, "iterations": iterations})
        return self.planned(question) or iterations

    def planned(self, question: str) -> int | None:
        """Return how many iterations were decided on for a question, or None.

        Raises:
            ResbenchError: the file failed.
        """
        rows = self._read(sa.select(_PLANS).where(_PLANS.c.question == question), _PLANS)
        return rows[0].iterations if rows else None

    def _read(self, statement: sa.Executable, table: sa.Table) -> list[Any]:
        try:
            with self._engine.connect().execution_options(reading=True) as connection:
                known = sa.inspect(connection).has_table(table.name)
                return list(connection.execute(statement).all()) if known else []
        except sa.exc.DBAPIError as error:
            raise explained(self._path, error, Doing.READING) from error

    def _add(self, table: sa.Table, row: dict[str, Any]) -> None:
        try:
            with self._engine.begin() as connection:
                # A store of an older resbench lacks the tables; an older resbench passes over them.
                _METADATA.create_all(connection)
                connection.execute(table.insert().prefix_with("OR IGNORE").values(row))
        except sa.exc.DBAPIError as error:
            raise explained(self._path, error, Doing.WRITING) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _recorded(run: Any, rows: list[Any]) -> Recorded:
    return Recorded(
        key=run.key,
        experiment=json.loads(run.experiment),
        began=run.began,
        epochs=tuple(_epoch(json.loads(row.body)) for row in rows),
        total=rows[-1].of if rows else 0,
        last=rows[-1].at if rows else "",
    )


def _epoch(data: dict[str, Any]) -> Epoch:
    passes = {name: Pass(**data[name]) for name in ("train", "validation", "test") if data.get(name)}
    return Epoch(**{**data, **passes})
