"""The store: every result as it finishes, in one SQLite file that survives being killed.

A result is one row, its body the JSON of `resbench.store.formats`; one save is one transaction. Write-ahead logging
lets a report read while a run writes. The file must not lie on a network file system, where SQLite cannot lock.
"""

import sqlite3
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import event

from resbench.errors import UsageError
from resbench.results import Result
from resbench.store.epochs import EpochRecord
from resbench.store.files import unwritable
from resbench.store.forecasts import ForecastRecord
from resbench.store.formats import check_version, from_text, to_text
from resbench.store.sqlite_errors import INSTEAD, Doing, explained

SCHEMA_VERSION = 1
_BUSY_SECONDS = 60.0

_METADATA = sa.MetaData()
_ABOUT = sa.Table(
    "resbench_store",
    _METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)
_RESULTS = sa.Table(
    "results",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String, nullable=False, unique=True),
    sa.Column("body", sa.Text, nullable=False),
    # Numbers are never used twice, so that their order is the order of saving.
    sqlite_autoincrement=True,
)


class Store:
    """Results by key, in the order in which they were saved. Open one with `open_store`; use it in `with`."""

    def __init__(self, engine: sa.Engine, path: Path) -> None:
        self._engine = engine
        self.path = path
        self.epochs = EpochRecord(engine, path)
        self.forecasts = ForecastRecord(engine, path)

    def save(self, result: Result) -> None:
        """Save a result in one transaction: once this returns, it is on disk. The same key is replaced.

        Raises:
            ResbenchError: the disk is full, the file failed, or another process held it for a minute.
        """
        row = {"key": result.key, "body": to_text(result)}
        try:
            with self._engine.begin() as connection:
                connection.execute(_RESULTS.delete().where(_RESULTS.c.key == result.key))
                connection.execute(_RESULTS.insert().values(row))
        except sa.exc.DBAPIError as error:
            raise explained(self.path, error, Doing.WRITING) from error

    def get(self, key: str) -> Result | None:
        """Return the result saved under `key`, or None.

        Raises:
            ResbenchError: the file failed.
            UsageError: the row is damaged.
        """
        rows = self._read(sa.select(_RESULTS.c.key, _RESULTS.c.body).where(_RESULTS.c.key == key))
        return rows[0] if rows else None

    def results(self) -> tuple[Result, ...]:
        """Return every result, in the order of saving.

        Raises:
            ResbenchError: the file failed.
            UsageError: a row is damaged.
        """
        return self._read(sa.select(_RESULTS.c.key, _RESULTS.c.body).order_by(_RESULTS.c.number))

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, statement: sa.Executable) -> tuple[Result, ...]:
        try:
            with self._engine.connect().execution_options(reading=True) as connection:
                rows = connection.execute(statement).all()
        except sa.exc.DBAPIError as error:
            raise explained(self.path, error, Doing.READING) from error
        return tuple(_parsed(self.path, row.key, row.body) for row in rows)


def open_store(path_or_url: str, *, create: bool = True) -> Store:
    """Open the store at a file path or `sqlite:///` address, making it and its folder where they are missing.

    Args:
        path_or_url: the file; other databases than SQLite are refused.
        create: whether a missing store is made; a reader says False.

    Raises:
        UsageError: there is none and `create` is False; it is a folder, not ours, damaged, or can't be written;
            its schema is newer, older or missing.
        ResbenchError: the disk is full.
    """
    path = _path_of(path_or_url)
    _check_place(path, create=create)
    # One connection at a time, made when needed and never carried across a fork.
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), poolclass=sa.pool.NullPool)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    try:
        _check_schema(engine, path, create=create)
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise explained(path, error, Doing.OPENING) from error
    return Store(engine, path)


def _path_of(path_or_url: str) -> Path:
    if "://" not in path_or_url:
        if not path_or_url:
            raise UsageError("the store has no name: give a file, as in --store resbench.db")
        return Path(path_or_url)
    try:
        url = sa.make_url(path_or_url)
    except sa.exc.ArgumentError as error:
        raise UsageError(
            "the store's address cannot be read: give a file, as in --store resbench.db"
        ) from error
    if url.get_backend_name() != "sqlite" or not url.database:
        shown = url.render_as_string(hide_password=True)
        raise UsageError(f"store {shown} is not an SQLite file: give one, as in --store resbench.db")
    return Path(url.database)


def _check_place(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise UsageError(f"store {path} is a folder: name a file in it, such as {path / 'resbench.db'}")
    if not create and not path.exists():
        raise UsageError(f"there is no store {path}: run a suite first, or give its file with --store")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error, "the store") from error


def _configure(connection: Any, _record: Any) -> None:
    # SQLAlchemy and sqlite3 leave transactions to `_begin`, so that a DDL statement is inside one, too.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    # A writer takes the lock at once: a transaction that starts by reading may find that it can't write later.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _check_schema(engine: sa.Engine, path: Path, *, create: bool) -> None:
    if create and _is_new(engine):
        _use_write_ahead_log(path)
        with engine.begin() as connection:
            # Another process may have made it between the look and the lock.
            if not sa.inspect(connection).get_table_names():
                _METADATA.create_all(connection)
                connection.execute(_ABOUT.insert().values(name="schema", value=SCHEMA_VERSION))
    with engine.connect().execution_options(reading=True) as connection:
        known = sa.inspect(connection).has_table(_ABOUT.name)
        query = sa.select(_ABOUT.c.value).where(_ABOUT.c.name == "schema")
        version = connection.execute(query).scalar() if known else None
    check_version(version, SCHEMA_VERSION, what=f"store {path}", instead=INSTEAD)


def _is_new(engine: sa.Engine) -> bool:
    with engine.connect().execution_options(reading=True) as connection:
        return not sa.inspect(connection).get_table_names()


def _use_write_ahead_log(path: Path) -> None:
    """Write-ahead logging is a property of the file. SQLite does not wait for a lock here: two may start at once."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        connection = sqlite3.connect(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
        finally:
            connection.close()


def _parsed(path: Path, key: str, body: str) -> Result:
    try:
        return from_text(body)
    except ValueError as error:
        raise UsageError(f"result {key} in store {path} is damaged ({error}): {INSTEAD}") from error
