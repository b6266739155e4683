"""The pinned versions satisfy what the package asks for, and the package has the files it promises."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if not line.startswith("#")
]
WANTED = [
    Requirement(text)
    for text in [
        *PROJECT["dependencies"],
        *(one for extra in PROJECT["optional-dependencies"].values() for one in extra),
    ]
]


@pytest.mark.parametrize("wanted", WANTED, ids=lambda wanted: wanted.name)
def test_every_dependency_is_pinned_to_a_version_it_allows(wanted: Requirement) -> None:
    versions = [str(pin.specifier).removeprefix("==") for pin in PINNED if pin.name == wanted.name]
    assert versions
    assert all(version in wanted.specifier for version in versions)


def test_the_pins_are_exact_and_name_no_address() -> None:
    assert all(re.fullmatch(r"==[^=*]+", str(pin.specifier)) for pin in PINNED)
    assert not [pin.name for pin in PINNED if pin.url]
    assert not re.search(r"https?:|file:|--", (ROOT / "constraints.txt").read_text())


def test_the_package_is_typed_and_licensed() -> None:
    assert (ROOT / "resbench" / "py.typed").exists()
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
