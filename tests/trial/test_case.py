import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.errors import UsageError
from resbench.trial.case import ALLOCATORS, MEMORY_FORMATS, MODES, PRECISIONS, Case, labels

CASES = st.builds(
    Case,
    model=st.text(max_size=20),
    backend=st.sampled_from(["eager", "openvino"]),
    precision=st.sampled_from(PRECISIONS),
    whole_model=st.booleans(),
    memory_format=st.sampled_from(MEMORY_FORMATS),
    batch_size=st.integers(1, 4096),
    input_CHW=st.tuples(st.integers(1, 9), st.integers(1, 999), st.integers(1, 999)),
    num_classes=st.none() | st.integers(1, 1000),
    mode=st.sampled_from(MODES),
    threads=st.integers(1, 64),
    seed=st.integers(0, 2**63 - 1),
    allocator=st.sampled_from(ALLOCATORS),
)


@given(case=CASES)
def test_a_case_comes_back_from_its_one_line_of_json(case: Case) -> None:
    assert Case.from_json(case.to_json()) == case
    assert "\n" not in case.to_json()


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="no field batch"):
        Case.from_json(json.dumps({"model": "resnet18", "batch": 3}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"precision": "bf-16"}, "unknown precision 'bf-16': did you mean bf16"),
        ({"memory_format": "nhwc"}, "unknown memory format 'nhwc'"),
        ({"mode": "train"}, "unknown mode 'train': did you mean training"),
        ({"allocator": "kept"}, "unknown allocator 'kept': did you mean keep"),
    ],
)
def test_words_that_mean_nothing_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(Case(model="resnet18"), **change)


def test_a_label_tells_the_whole_case() -> None:
    case = Case(model="resnet18", precision="bf16", batch_size=8, threads=2)
    assert case.label == "resnet18, eager, bf16 (autocast), batch 8, 3x224x224, cpu, 2 threads"
    whole = replace(case, whole_model=True, mode="training", memory_format="channels_last", threads=1)
    assert whole.label == (
        "resnet18, eager, bf16 (whole model), channels_last, training, batch 8, 3x224x224, cpu, 1 thread"
    )


def test_labels_tell_only_what_differs() -> None:
    first = Case(model="resnet18")
    assert labels((first,)) == ("resnet18",)
    assert labels((first, replace(first, model="resnet50"))) == ("resnet18", "resnet50")
    assert labels((first, replace(first, backend="openvino", batch_size=8))) == (
        "resnet18, eager, batch 1",
        "resnet18, openvino, batch 8",
    )
    assert labels((first, replace(first, allocator="keep"))) == (
        "resnet18, allocator system",
        "resnet18, allocator keep",
    )


def test_cases_need_no_torch() -> None:
    code = "import sys, resbench.trial.case; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
