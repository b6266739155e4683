"""What is defined one file a thing is found, once, by its name."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from resbench import catalog
from resbench.architectures import (
    cifar,
    densenet,
    identity_mappings,
    imagenet,
    vgg,
    voc,
    wide_stem,
)
from resbench.errors import UsageError


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[SimpleNamespace]]:
    """Return the list of modules that a package of things is made to have."""
    found: list[SimpleNamespace] = []
    monkeypatch.setattr(catalog, "_modules", lambda _package: iter(found))
    catalog.gather.cache_clear()
    yield found
    catalog.gather.cache_clear()


def thing(name: str) -> SimpleNamespace:
    return SimpleNamespace(name=name)


def test_a_tuple_and_a_single_value_are_gathered_in_order(modules: list[SimpleNamespace]) -> None:
    modules += [SimpleNamespace(THINGS=(thing("b"), thing("a"))), SimpleNamespace(THINGS=thing("c"))]
    assert list(catalog.gather("things", "THINGS")) == ["b", "a", "c"]


def test_a_module_without_the_attribute_is_passed_over(modules: list[SimpleNamespace]) -> None:
    modules += [SimpleNamespace(), SimpleNamespace(THINGS=thing("a"))]
    assert list(catalog.gather("things", "THINGS")) == ["a"]


def test_one_name_for_two_things_is_refused(modules: list[SimpleNamespace]) -> None:
    modules += [SimpleNamespace(THINGS=thing("a")), SimpleNamespace(THINGS=thing("a"))]
    with pytest.raises(ValueError, match="two entries of THINGS are named 'a'"):
        catalog.gather("things", "THINGS")


def test_every_family_is_found() -> None:
    modules = (cifar, densenet, identity_mappings, imagenet, vgg, voc, wide_stem)
    defined = [architecture for module in modules for architecture in module.ARCHITECTURES]
    assert list(catalog.gather("architectures", "ARCHITECTURES").values()) == defined


def test_no_alias_is_another_networks_name() -> None:
    found = catalog.gather("architectures", "ARCHITECTURES").values()
    names = [name for one in found for name in (one.name, *one.aliases)]
    assert len(set(names)) == len(names)


def test_find_returns_the_one_asked_for() -> None:
    assert catalog.find("model", "architectures", "ARCHITECTURES", "resnet50").name == "resnet50"


def test_find_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"^unknown model 'resnt50': did you mean resnet50 or "):
        catalog.find("model", "architectures", "ARCHITECTURES", "resnt50")
