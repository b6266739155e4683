"""The record of what runs were predicted to take, beside the results that say what they took.

A table beside the results, as that of runs under way: a store of an older resbench lacks it, and an older resbench passes
over it. A prediction is replaced by a later one, but never once its result is there.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from resbench.store.sqlite_errors import Doing, explained

FORMAT = 1
"""Raised when a row's meaning changes: rows of another format are passed over."""

_METADATA = sa.MetaData()
_FORECASTS = sa.Table(
    "forecasts",
    _METADATA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("format", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What one experiment was predicted to take.

    Attributes:
        key: of the experiment, and of its result.
        seconds, low, high: wall time as its result states it, and the 95 % interval.
        made: when, in UTC, ISO 8601.
        machine: identity of the machine that it was predicted on, and for.
    """

    key: str
    seconds: float
    low: float
    high: float
    made: str
    machine: str


class ForecastRecord:
    """The table in a store's file; `resbench.store.store.Store.forecasts` is one."""

    def __init__(self, engine: sa.Engine, path: Path) -> None:
        self._engine, self._path = engine, path

    def keep(self, predicted: Iterable[Predicted]) -> None:
        """Keep predictions in place of earlier ones of the same experiments, in one transaction.

        Raises:
            ResbenchError: the disk is full, the file failed, or another process held it for a minute.
        """
        rows = [{"key": one.key, "format": FORMAT, "body": json.dumps(asdict(one))} for one in predicted]
        try:
            with self._engine.begin() as connection:
                _METADATA.create_all(connection)
                for row in rows:
                    connection.execute(_FORECASTS.insert().prefix_with("OR REPLACE").values(row))
        except sa.exc.DBAPIError as error:
            raise explained(self._path, error, Doing.WRITING) from error

    def all(self) -> dict[str, Predicted]:
        """Return every prediction by its key; none from a store that never held any.

        Raises:
            ResbenchError: the file failed.
        """
        try:
            with self._engine.connect().execution_options(reading=True) as connection:
                if not sa.inspect(connection).has_table(_FORECASTS.name):
                    return {}
                rows = connection.execute(sa.select(_FORECASTS).where(_FORECASTS.c.format == FORMAT)).all()
        except sa.exc.DBAPIError as error:
            raise explained(self._path, error, Doing.READING) from error
        return {row.key: _predicted(json.loads(row.body)) for row in rows}


def _predicted(body: dict[str, Any]) -> Predicted:
    return Predicted(**body)
