"""What a model's name is taken apart into, and which architecture it stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.naming import ModelName, find_architecture, parse_model, split_list
from resbench.catalog import gather
from resbench.errors import UsageError

KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
VALUES = st.one_of(
    st.integers().map(str),
    st.from_regex(r"[A-Za-z][A-Za-z0-9._/-]{0,8}", fullmatch=True),
    st.lists(st.integers(), min_size=1).map(lambda sizes: f"({', '.join(map(str, sizes))})"),
    st.text("ab,()[] ", max_size=6).map(lambda text: f"'{text}'"),
)
BASES = st.sampled_from(
    [
        "resnet50",
        "torchvision:resnet50",
        "timm:resnet50.a1_in1k",
        "a.b:make",
        "dir (copy)/it's [1]/net.py:Net.make",
    ]
)


@given(base=BASES, arguments=st.dictionaries(KEYS, VALUES))
def test_a_name_survives_being_written_and_read(base: str, arguments: dict[str, str]) -> None:
    name = ModelName(base=base, arguments=arguments)
    assert parse_model(str(name)) == name
    assert parse_model(f"  {name} ") == name


@pytest.mark.parametrize(
    ("text", "base", "arguments"),
    [
        ("resnet50", "resnet50", {}),
        ("resnet50()", "resnet50", {}),
        (" resnet34 ( shortcut = A , ) ", "resnet34", {"shortcut": "A"}),
        ("net.py:make(sizes=(64,128),last=[1, 2])", "net.py:make", {"sizes": "(64,128)", "last": "[1, 2]"}),
        ("net.py:make(name='a,b=(c')", "net.py:make", {"name": "'a,b=(c'"}),
        ("net.py:make(head=a=b)", "net.py:make", {"head": "a=b"}),
        ("my nets (old)/net.py:make", "my nets (old)/net.py:make", {}),
        ("my nets (old)/net.py:make(width=3)", "my nets (old)/net.py:make", {"width": "3"}),
    ],
)
def test_a_name_is_taken_apart(text: str, base: str, arguments: dict[str, str]) -> None:
    assert parse_model(text) == ModelName(base=base, arguments=arguments)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "model '' is not NAME or NAME(key=value,...)"),
        ("  ", "is not NAME or NAME(key=value,...)"),
        ("(a=1)", "is not NAME or NAME(key=value,...)"),
        ("resnet50(a=1", "is not NAME or NAME(key=value,...)"),
        ("resnet50 a=1)", "is not NAME or NAME(key=value,...)"),
        ("resnet50(a=1)x", "is not NAME or NAME(key=value,...)"),
        ("resnet50(a=1)(b=2)", "is not NAME or NAME(key=value,...)"),
        ("resnet50(A)", "'A' is not key=value"),
        ("resnet50(a=)", "'a=' is not key=value"),
        ("resnet50(a=1,a=2)", "'a' is given twice"),
        ("resnet50(a-b=1)", "'a-b=1' is not key=value"),
    ],
)
def test_what_is_no_name_is_refused(text: str, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_model(text)
    assert line in str(caught.value)


@given(text=st.text("ab(),='\": []", max_size=20))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = parse_model(text)
    except UsageError:
        return
    assert name.base
    assert all(key.isidentifier() and value for key, value in name.arguments.items())


def test_a_list_splits_where_no_bracket_is_open() -> None:
    assert split_list(" a, b(c=1,d=(2,3)) ,, e ") == ["a", "b(c=1,d=(2,3))", "e"]
    assert split_list("") == []


@pytest.mark.parametrize("name", gather("architectures", "ARCHITECTURES"))
def test_every_catalogued_name_and_alias_stands_for_its_network(name: str) -> None:
    architecture = find_architecture(name)
    assert architecture.name == name
    assert all(find_architecture(alias) is architecture for alias in architecture.aliases)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("resnet5", "did you mean resnet50"),
        ("cifar_resnet110_conv1x2", "did you mean cifar_resnet110_conv1x1"),
        ("quux", "'resbench list models' shows ours; others are torchvision:NAME, timm:NAME"),
        ("nets/mine.py", "say which function or class in it makes the network, as in nets/mine.py:make"),
        ("torchvision:resnet50", "model 'torchvision:resnet50' is none of ours"),
    ],
)
def test_an_unknown_name_says_what_to_do(name: str, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_architecture(name)
    assert line in str(caught.value)
