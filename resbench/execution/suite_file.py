"""A suite of the user's own, from a TOML file that is checked as a whole, or from a Python file with SUITE."""

import importlib.util
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resbench.errors import UsageError
from resbench.execution.toml_lines import line_of, lines_of
from resbench.specs import Suite

if TYPE_CHECKING:
    from pydantic import BaseModel

    from resbench.execution.suite_checks import Mistake

EXAMPLE = """\
# A suite of your own: resbench run --suite ./{name}.toml --scale smoke
# Every mistake in this file is told at once, with its line. 'resbench show suite --schema' prints what may stand here.

name = "{name}"                    # of the report's file: letters, digits, underscores
title = "ResNet-20 and ResNet-32 on CIFAR-10"
question = "Do 32 layers err less than 20?"
data = "cifar10"                   # cifar10, cifar100, voc0712, or imagenet: any FOLDER/train/CLASS/* and FOLDER/val/CLASS/*
recipe = "he2015_cifar"            # how every arm is trained
# changes = ["optimizer.lr=0.05"]  # fields of the recipe set otherwise, as --set of 'resbench train' takes them

[source]                           # where the question, or the comparison, comes from
title = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016)"
where = "Table 6"
url = "https://arxiv.org/abs/1512.03385"

[[arms]]                           # the first arm is what the others are compared with
model = "cifar_resnet20"           # a network of 'resbench list models'
label = "ResNet-20"

[[arms.published]]                 # what was published of it; leave it out where nothing was
percent = 8.75                     # or "fail"
statistic = "single run"           # or "mean", "median", "best" of n runs
protocol = "error on the test set; n not stated"

[[arms]]
model = "cifar_resnet32"
label = "ResNet-32"

[[arms]]                           # one model twice: a name tells the two apart
model = "cifar_resnet20"
name = "resnet20_slow"
label = "ResNet-20 at a tenth of the rate"
changes = ["optimizer.lr=0.01"]

# data = "cifar100"                # an arm may have data, a recipe, a precision or a number of processes of its own
# precision = "bf16"

# [[extra]] arms run only where --models names them.
"""


def read_suite(path: Path) -> Suite:
    """Return the suite that a file describes.

    Raises:
        UsageError: it can't be read or used; of a TOML file, every mistake is told with its line.
    """
    if path.suffix == ".py":
        return _from_python(path)
    if path.suffix != ".toml":
        raise UsageError(
            f"suite file {path}: give a .toml or a .py file, or a name of 'resbench list suites'"
        )
    return parse_suite(_text(path), str(path))


def parse_suite(text: str, name: str) -> Suite:
    """Return the suite that a TOML text describes; `name` is that of its file.

    Raises:
        UsageError: it is no TOML, or no suite; every mistake is told with its line.
    """
    from pydantic import ValidationError

    from resbench.execution.suite_checks import Mistake, mistakes
    from resbench.execution.suite_form import SuiteForm

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is no TOML: {error}") from error
    found = mistakes(data)
    try:
        form = SuiteForm.model_validate(data)
    except ValidationError as error:
        found += [Mistake(each["loc"], _said(each)) for each in error.errors(include_url=False)]
    if found:
        raise UsageError(_told(name, text, found))
    return form.suite()


def _told(name: str, text: str, found: Sequence["Mistake"]) -> str:
    places = lines_of(text)
    told = sorted((line_of(places, place) or 0, said) for place, said in found)
    lines = [f"line {number}: {said}" if number else said for number, said in told]
    if len(lines) == 1:
        return f"{name}, {lines[0]}"
    return "\n".join([f"{name}: {len(lines)} mistakes", *(f"  {line}" for line in lines)])


def _said(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"] if not isinstance(part, int))
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"no field '{place}': {_near(error['loc'])}"
    if error["type"] == "missing":
        return f"'{place}' is missing"
    if error["type"] == "value_error":
        return f"{place}: {message}" if place else message
    return f"'{place}': {message[:1].lower()}{message[1:]}, found {error['input']!r}"


def _near(place: Sequence[str | int]) -> str:
    from resbench.execution.suite_form import ArmForm, FigureForm, SourceForm, SuiteForm, nearest

    forms: dict[str, type[BaseModel]] = {
        "arms": ArmForm,
        "extra": ArmForm,
        "published": FigureForm,
        "source": SourceForm,
    }
    holders = [part for part in place[:-1] if isinstance(part, str)]
    form: type[BaseModel] = forms[holders[-1]] if holders else SuiteForm
    return nearest(str(place[-1]), list(form.model_fields))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read the suite file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"suite file {path} is not text in UTF-8") from error


def _from_python(path: Path) -> Suite:
    if not path.is_file():
        raise UsageError(f"cannot read the suite file {path}: no such file")
    spec = importlib.util.spec_from_file_location(f"resbench_suite_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"suite file {path} can't be imported")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"suite file {path} fails: {type(error).__name__}: {error}") from error
    suite = getattr(module, "SUITE", None)
    if not isinstance(suite, Suite):
        raise UsageError(f"suite file {path} has no SUITE = Suite(...): see resbench.specs.Suite")
    return suite
