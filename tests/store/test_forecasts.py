"""What was predicted is kept beside the results, and older stores have none of it."""

import sqlite3
from pathlib import Path

from resbench.store.forecasts import Predicted
from resbench.store.store import open_store

ONE = Predicted(key="abc", seconds=10.0, low=9.0, high=11.5, made="2026-01-01T00:00:00+00:00", machine="here")


def test_a_prediction_is_read_back_as_it_was_and_replaced_by_a_later_one(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db")) as store:
        assert store.forecasts.all() == {}
        store.forecasts.keep([ONE])
        store.forecasts.keep([])
    with open_store(str(tmp_path / "s.db"), create=False) as store:
        assert store.forecasts.all() == {"abc": ONE}
        later = Predicted(key="abc", seconds=12.0, low=11.0, high=13.0, made="later", machine="here")
        other = Predicted(key="abd", seconds=1.0, low=1.0, high=1.0, made="later", machine="here")
        store.forecasts.keep([later, other])
        assert store.forecasts.all() == {"abc": later, "abd": other}


def test_rows_of_another_format_are_passed_over(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db")) as store:
        store.forecasts.keep([ONE])
    database = sqlite3.connect(tmp_path / "s.db")
    with database:
        database.execute("INSERT INTO forecasts VALUES ('new', 99, '{\"of\": \"the future\"}')")
    database.close()
    with open_store(str(tmp_path / "s.db")) as store:
        assert store.forecasts.all() == {"abc": ONE}
        assert store.results() == ()
