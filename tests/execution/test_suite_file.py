"""A suite of the user's own: every mistake is told at once with its line, and the example that `new` writes is sound."""

import json
import typing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import UsageError
from resbench.execution.finding import find_suite
from resbench.execution.suite_checks import IDLE, mistakes
from resbench.execution.suite_file import EXAMPLE, parse_suite, read_suite
from resbench.execution.suite_form import SuiteForm
from resbench.execution.toml_lines import line_of, lines_of
from resbench.results import Statistic
from resbench.specs import Kind, Precision, Profiling
from resbench.training.recipes import HE2015_CIFAR

GOOD = EXAMPLE.replace("{name}", "mine")


def test_the_example_is_a_suite() -> None:
    suite = parse_suite(GOOD, "mine.toml")
    assert (suite.name, suite.data, suite.recipe) == ("mine", "cifar10", HE2015_CIFAR)
    assert [arm.id for arm in suite.arms] == ["cifar_resnet20", "cifar_resnet32", "resnet20_slow"]
    (figure,) = suite.arms[0].published
    assert (figure.metric, figure.value, figure.statistic) == ("top1_error", 0.0875, Statistic.SINGLE)
    slow = suite.recipe_of(suite.arms[2])
    assert slow is not None
    assert slow.optimizer.lr == 0.01
    assert slow.name != HE2015_CIFAR.name


BAD = """\
name = "mi ne"
titel = "x"
question = "q?"
data = "cifar11"
recipe = "he2015_cifr"

[source]
title = "t"
where = "w"

[[arms]]
model = "cifar_resnet20"

[[arms]]
model = "cifar_resnt20"

[[arms.published]]
percent = 120
protocol = "p"
"""


def test_every_mistake_is_told_with_its_line_and_the_nearest_name() -> None:
    with pytest.raises(UsageError) as raised:
        parse_suite(BAD, "bad.toml")
    head, *lines = str(raised.value).splitlines()
    assert head == "bad.toml: 8 mistakes"
    assert [line.strip().partition(":")[0] for line in lines] == [
        "'title' is missing",
        *(f"line {number}" for number in (1, 2, 4, 5, 7, 15, 18)),
    ]
    for said in (
        "no field 'titel': did you mean title?",
        "did you mean cifar10",
        "did you mean he2015_cifar",
        "'source.url' is missing",
        "did you mean cifar_resnet20",
        "120 lies outside 0 to 100",
    ):
        assert said in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('recipe = "he2015_cifar"', "", "needs a recipe"),
        ('data = "cifar10"', "", "needs data"),
        ("percent = 8.75", 'percent = "fail"', "needs fails_beyond"),
        ('name = "resnet20_slow"', "", "two arms are named cifar_resnet20"),
        ("optimizer.lr=0.01", "optimizer.rate=0.01", "optimizer.rate"),
        ("percent = 8.75", "percent = ", "is no TOML"),
        ("percent = 8.75", 'percent = "much"', "line 21: arms.published.percent: 'much' is neither"),
    ],
)
def test_one_mistake_is_one_line(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(UsageError, match=r"^mine\.toml") as raised:
        parse_suite(GOOD.replace(old, new, 1), "mine.toml")
    assert said in str(raised.value)


HEAD = """\
name = "mine"
title = "T"
question = "Q?"
[source]
title = "t"
where = "w"
url = "u"
"""


def test_an_arm_may_have_data_recipe_precision_and_processes_of_its_own() -> None:
    own = """\
[[arms]]
model = "cifar_resnet20"
data = "cifar10"
recipe = "he2015_cifar"
[[arms]]
model = "cifar_resnet20"
name = "hundred"
data = "cifar100"
recipe = "he2016_cifar"
precision = "bf16"
processes = 2
[[arms]]
model = "resnet34"
data = "imagenet"
recipe = "imagenet_he2015"
"""
    suite = parse_suite(HEAD + own, "mine.toml")
    first, second, third = suite.arms
    assert [suite.data_of(arm) for arm in suite.arms] == ["cifar10", "cifar100", "imagenet"]
    assert suite.recipe is None
    assert [recipe.name for arm in suite.arms if (recipe := suite.recipe_of(arm))] == [
        "he2015_cifar",
        "he2016_cifar",
        "imagenet_he2015",
    ]
    assert (first.precision, first.processes) == (Precision.FP32, 1)
    assert (second.precision, second.processes) == (Precision.BF16, 2)
    assert third.profiling is None


def test_an_arm_that_is_timed_may_have_batch_input_and_backend_of_its_own() -> None:
    text = (
        """\
kind = "timed"
batch_size = 4
num_classes = 10
input = [3, 32, 32]
"""
        + HEAD
    )
    own = """\
[[arms]]
model = "cifar_resnet20"
[[arms]]
model = "cifar_resnet20"
name = "other"
batch_size = 8
backend = "openvino"
precision = "bf16"
"""
    suite = parse_suite(text + own, "mine.toml")
    eager = Profiling(batch_size=4, num_classes=10, input_CHW=(3, 32, 32), backend="eager")
    assert [suite.profiling_of(arm) for arm in suite.arms] == [
        eager,
        replace(eager, batch_size=8, backend="openvino"),
    ]


def test_the_backends_are_those_there_are() -> None:
    from resbench.models.backends import backends

    hint = typing.get_type_hints(SuiteForm)["backend"]
    assert sorted(typing.get_args(hint)) == sorted(backend.name for backend in backends())


UNFIT = """\
name = "mine"
title = "T"
question = "Q?"
recipe = "he2015_cifar"
batch_size = 8
colour = "red"
[source]
title = "t"
where = "w"
url = "u"
[[arms]]
model = "cifar_resnet20"
changes = ["optimizer.rate=1", "schedule.size=0"]
[[arms]]
model = "cifar_resnet32"
name = "a"
[[extra]]
model = "cifar_resnet32"
name = "b"
[[extra]]
model = "cifar_resnet32"
name = "b"
recipe = "he2016_cifar"
[[extra]]
model = "resnet50"
changes = ["pictures.crop=none"]
[[extra]]
model = "cifar_resnet44"
input = [3, 8, 8]
"""


def test_what_does_not_go_together_is_told_along_with_all_else() -> None:
    with pytest.raises(UsageError) as raised:
        parse_suite(UNFIT, "bad.toml")
    _, *lines = str(raised.value).splitlines()
    told = [line.strip().partition(": ") for line in lines]
    expected = {
        "a suite that trains needs data": "",
        "'batch_size' changes nothing in a suite that is trained": "line 5",
        "no field 'colour'": "line 6",
        "optimizer.rate": "line 13",
        "schedule.size": "line 13",
        "b asks the same as a": "line 17",
        "two arms are named b": "line 20",
        "pictures.crop": "line 26",
        "'input' changes nothing": "line 29",
    }
    for said, where in expected.items():
        (line,) = (line for line in lines if said in line)
        assert line.strip().startswith(where), line
    assert len(told) == 8  # both changes of one arm are told together


@pytest.mark.parametrize("kind", ["counted", "timed"])
def test_a_picture_too_small_for_a_network_is_told(kind: str) -> None:
    text = f'kind = "{kind}"\ninput = [3, 8, 0]\n{HEAD}[[arms]]\nmodel = "vgg16"\n'
    with pytest.raises(UsageError, match=r"mine\.toml, line 11: .*3x8x0"):
        parse_suite(text, "mine.toml")


@pytest.mark.parametrize(
    ("kind", "idle"),
    [(kind, name) for kind, names in IDLE.items() for name in names],
)
def test_a_field_that_would_change_nothing_is_told(kind: str, idle: str) -> None:
    value = {
        "changes": '["optimizer.lr=1"]',
        "input": "[3, 8, 8]",
        "data": '"cifar10"',
        "recipe": '"he2015_cifar"',
        "metric": '"top1_error"',
        "precision": '"bf16"',
        "backend": '"eager"',
    }.get(idle, "2")
    needed = 'data = "cifar10"\nrecipe = "he2015_cifar"\n' if kind == "trained" else ""
    field = f"{idle} = {value}\n"
    head, arm = ("", field) if idle in ("precision", "processes") else (field, "")
    text = f'kind = "{kind}"\n{needed}{head}{HEAD}[[arms]]\nmodel = "cifar_resnet20"\n{arm}'
    with pytest.raises(UsageError, match=f"'{idle}' changes nothing in a suite that is {kind}"):
        parse_suite(text, "mine.toml")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_whatever_stands_in_a_field_is_a_mistake_or_a_suite(value: object) -> None:
    """The checks read raw data: nothing in it may make them fail, and what they find has words and lies in the data."""
    for field in ("data", "recipe", "changes", "arms", "extra", "kind", "input"):
        for data in (
            {"arms": [{"model": "cifar_resnet20"}], field: value},
            {"arms": [{"model": "cifar_resnet20", field: value}]},
        ):
            for place, said in mistakes(data):
                assert said
                around: Any = data
                for step in place[:-1]:  # the last may be what is lacking
                    around = around[step]


def test_a_suite_that_counts_needs_no_data() -> None:
    text = """\
name = "costs"
title = "T"
question = "Q?"
kind = "counted"
input = [3, 32, 32]
num_classes = 10
[source]
title = "t"
where = "w"
url = "u"
[[arms]]
model = "cifar_resnet20(depth=14)"
"""
    suite = parse_suite(text, "costs.toml")
    assert (suite.kind, suite.recipe, suite.data) == (Kind.COUNTED, None, "")
    assert suite.profiling is not None
    assert suite.profiling.input_CHW == (3, 32, 32)


def test_a_python_file_with_suite(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from resbench.suites.cifar_depth import SUITE\n")
    assert find_suite(str(path)).name == "cifar_depth"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("mine.py", "x = 1\n", "has no SUITE"),
        ("mine.py", "1 / 0\n", "fails: ZeroDivisionError"),
        ("mine.txt", "", "give a .toml or a .py file"),
    ],
)
def test_a_file_that_is_no_suite(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=said):
        read_suite(tmp_path / name)


@pytest.mark.parametrize("name", ["none.toml", "none.py", "a/none"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        find_suite(str(tmp_path / name))


def test_the_schema_in_the_docs_is_the_forms() -> None:
    published = Path(__file__).parents[2] / "docs" / "suite.schema.json"
    assert json.loads(published.read_text()) == SuiteForm.model_json_schema()


@given(st.lists(st.sampled_from(["blank", "key", "table", "array"]), max_size=20))
def test_every_key_is_found_on_its_line(kinds: list[str]) -> None:
    """Written by a counter of its own: the place of each key beside the line it was written on."""
    lines: list[str] = []
    expected: dict[tuple[str | int, ...], int] = {}
    where: tuple[str | int, ...] = ()
    arrays = 0
    for number, kind in enumerate(kinds):
        if kind == "blank":
            lines.append("# nothing")
        elif kind == "table":
            lines.append(f"[t{number}]")
            where = (f"t{number}",)
        elif kind == "array":
            lines.append("[[many]]")
            where = ("many", arrays)
            arrays += 1
        else:
            lines.append(f"k{number} = {number}")
            expected[*where, f"k{number}"] = len(lines)
    places = lines_of("\n".join(lines))
    assert {place: line_of(places, place) for place in expected} == expected


def test_what_has_no_line_of_its_own_is_found_at_its_table() -> None:
    places = lines_of('[[arms]]\nmodel = "a"\n[[arms]]\n[[arms.published]]\npercent = 1\n')
    assert line_of(places, ("arms", 1, "published", 0, "percent")) == 5
    assert line_of(places, ("arms", 1, "published", 0, "protocol")) == 4
    assert line_of(places, ("arms", 1, "label")) == 3
    assert line_of(places, ("title",)) is None
