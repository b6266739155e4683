import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from resbench.errors import ResbenchError, UsageError
from resbench.results import Result
from resbench.store.store import SCHEMA_VERSION, Store, open_store

MakeResult = Callable[..., Result]

# Saves results one after the other and says each key once `save` has returned.
WRITER = """
import sys
from dataclasses import replace
from resbench.store.formats import from_text
from resbench.store.store import open_store
path, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
result = from_text(sys.stdin.read())
with open_store(path) as store:
    print("open", flush=True)
    for number in range(count):
        store.save(replace(result, key=f"{prefix}{number}"))
        print(f"{prefix}{number}", flush=True)
"""


def start_writer(store: Path, prefix: str, count: int, result: Result) -> "subprocess.Popen[str]":
    from resbench.store.formats import to_text

    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store), prefix, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert writer.stdin is not None
    writer.stdin.write(to_text(result))
    writer.stdin.close()
    return writer


def read_lines(writer: "subprocess.Popen[str]", count: int) -> list[str]:
    assert writer.stdout is not None
    return [writer.stdout.readline().strip() for _ in range(count)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "new" / "folder" / "results.db"))


def test_results_come_back_in_the_order_of_saving(store: Store, make_result: MakeResult) -> None:
    saved = [make_result(key=key, value=value) for key, value in (("b", 1.0), ("a", 1 / 3), ("c", 5e-324))]
    for result in saved:
        store.save(result)
    assert store.results() == tuple(saved)
    assert store.get("a") == saved[1]
    assert store.get("missing") is None


def test_the_same_key_replaces_and_becomes_the_last(store: Store, make_result: MakeResult) -> None:
    store.save(make_result(key="a", value=1.0))
    store.save(make_result(key="b"))
    store.save(make_result(key="a", value=2.0))
    assert [(found.key, found.measurements[0].value) for found in store.results()] == [
        ("b", 0.1 + 0.2),
        ("a", 2.0),
    ]


def test_a_store_is_opened_again_and_by_its_address(tmp_path: Path, make_result: MakeResult) -> None:
    path = tmp_path / "a b?c#d%20.db"
    with open_store(str(path)) as store:
        store.save(make_result())
    with open_store(str(path), create=False) as store:
        assert store.results() == (make_result(),)
    plain = tmp_path / "plain.db"
    with open_store(f"sqlite:///{plain}") as store:
        store.save(make_result())
    assert plain.is_file()


def test_it_writes_ahead_and_states_its_schema(store: Store) -> None:
    connection = sqlite3.connect(store.path)
    try:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        version = connection.execute("SELECT value FROM resbench_store WHERE name = 'schema'").fetchone()
        assert version == (SCHEMA_VERSION,)
    finally:
        connection.close()


def test_a_reader_sees_what_was_saved_while_another_writes(store: Store, make_result: MakeResult) -> None:
    store.save(make_result())
    writer = sqlite3.connect(store.path, isolation_level=None)
    try:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM results")
        assert store.results() == (make_result(),)
    finally:
        writer.close()


def test_kill_in_mid_write_loses_no_acknowledged_row_and_tears_none(
    tmp_path: Path, make_result: MakeResult
) -> None:
    path = tmp_path / "results.db"
    # Big enough that most of the time is spent inside a write.
    big = make_result(note="x" * 2_000_000)
    acknowledged: list[str] = []
    for attempt in range(4):
        writer = start_writer(path, f"{attempt}-", 1_000, big)
        said = read_lines(writer, 3 + attempt)
        os.kill(writer.pid, signal.SIGKILL)
        assert writer.stdout is not None
        said += writer.stdout.read().split()
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
        acknowledged += said[1:]
    with open_store(str(path), create=False) as store:
        found = store.results()
    assert len(acknowledged) >= 8
    assert set(acknowledged) <= {result.key for result in found}
    assert {result.notes for result in found} == {big.notes}


def test_two_processes_that_start_and_write_at_once_both_succeed(
    tmp_path: Path, make_result: MakeResult
) -> None:
    path = tmp_path / "results.db"
    writers = [start_writer(path, prefix, 15, make_result()) for prefix in "ab"]
    for writer in writers:
        read_lines(writer, 16)
        assert writer.stdout is not None
        writer.stdout.close()
        assert writer.wait() == 0
    with open_store(str(path), create=False) as store:
        assert sorted(found.key for found in store.results()) == sorted(
            f"{p}{n}" for p in "ab" for n in range(15)
        )


def refused(path: str, **options: bool) -> str:
    with pytest.raises(UsageError) as caught:
        open_store(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE resbench_store SET value = 7",
            "was written by a newer resbench (schema 7, this one reads 1)",
        ),
        (
            "UPDATE resbench_store SET value = 0",
            "was written by an older resbench (schema 0, this one reads 1)",
        ),
        ("DELETE FROM resbench_store", "does not say which resbench format it has"),
        ("DROP TABLE resbench_store", "does not say which resbench format it has"),
    ],
)
def test_another_schema_version_is_refused_and_left_alone(store: Store, statement: str, said: str) -> None:
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute(statement)
    connection.close()
    before = store.path.read_bytes()
    message = refused(str(store.path))
    assert message.startswith(f"store {store.path} {said}")
    assert message.endswith("choose another --store")
    assert store.path.read_bytes() == before


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("These are my notes, and they are long enough to be no database. " * 20)
    assert refused(str(text)) == f"store {text} is not an SQLite database: choose another --store"
    folder = refused(str(tmp_path))
    assert folder == f"store {tmp_path} is a folder: name a file in it, such as {tmp_path / 'resbench.db'}"
    assert refused("") == "the store has no name: give a file, as in --store resbench.db"
    below = text / "results.db"
    assert refused(str(below)).startswith(f"cannot write the store to {below}: ")
    missing = tmp_path / "missing.db"
    assert refused(str(missing), create=False).startswith(f"there is no store {missing}: ")
    assert not missing.exists()


def test_a_place_where_nothing_can_be_made_is_refused() -> None:
    assert refused("/proc/results.db") == (
        "store /proc/results.db cannot be opened (unable to open database file): choose another --store"
    )


def test_other_databases_are_refused_without_showing_the_password() -> None:
    message = refused("postgresql://ada:secret@db/results")
    assert (
        message
        == "store postgresql://ada:***@db/results is not an SQLite file: give one, as in --store resbench.db"
    )
    assert "cannot be read" in refused("://")


def test_a_damaged_store_is_named(store: Store, make_result: MakeResult) -> None:
    store.save(make_result(note="x" * 50_000))
    content = bytearray(store.path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    store.path.write_bytes(content)
    with pytest.raises(
        ResbenchError, match=rf"^store {store.path} is damaged \(.*malformed\): restore a copy"
    ):
        open_store(str(store.path)).results()


def test_a_damaged_row_is_named(store: Store, make_result: MakeResult) -> None:
    store.save(make_result(key="abc"))
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute("UPDATE results SET body = '{}'")
    connection.close()
    with pytest.raises(UsageError, match=r"^result abc in store .* is damaged \(key: Field required\)"):
        store.results()


def test_a_full_disk_fails_in_one_line_and_keeps_what_was_saved(
    tmp_path: Path, make_result: MakeResult
) -> None:
    path = tmp_path / "results.db"
    with open_store(str(path)) as store:
        store.save(make_result(key="first"))
    # A limit on the size of files stands in for the disk; the signal that comes with it is ignored.
    script = (
        "import resource, signal, sys\n"
        "from dataclasses import replace\n"
        "from resbench.errors import ResbenchError\n"
        "from resbench.store.store import open_store\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store = open_store(sys.argv[1])\n"
        "result = store.results()[0]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "try:\n"
        "    store.save(replace(result, key='second', notes=('x' * 1_000_000,)))\n"
        "except ResbenchError as error:\n"
        "    print(error.exit_code, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.startswith(f"1 store {path} could not be written (")
    assert done.stdout.count("\n") == 1
    with open_store(str(path), create=False) as store:
        assert [found.key for found in store.results()] == ["first"]
