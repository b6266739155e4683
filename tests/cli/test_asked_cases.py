import pytest

from resbench.cli.asked_cases import Asked, cases_of, listed, parse_batches, parse_size
from resbench.errors import UsageError

ASKED = Asked(
    models=("resnet18",),
    device="cpu",
    batch_sizes="1",
    inputs="",
    num_classes=None,
    precisions="fp32",
    whole_model=False,
    memory_format="contiguous",
    backends="eager",
    mode="inference",
    threads=2,
    weights="",
    seed=0,
)


def test_one_case_takes_the_networks_own_input_and_classes() -> None:
    (case,) = cases_of(ASKED._replace(models=("cifar_resnet20",)))
    assert (case.input_CHW, case.num_classes, case.threads) == ((3, 32, 32), 10, 2)


def test_lists_give_every_combination_models_outermost() -> None:
    asked = ASKED._replace(
        models=("resnet18", "resnet50"), batch_sizes="1,8", precisions="fp32,bf16", backends="eager,openvino"
    )
    cases = cases_of(asked)
    assert len(cases) == len(set(cases)) == 16
    assert [case.model for case in cases] == ["resnet18"] * 8 + ["resnet50"] * 8
    assert [case.batch_size for case in cases[:4]] == [1, 8, 1, 8]


def test_allocators_are_an_axis() -> None:
    cases = cases_of(ASKED._replace(allocators="system,keep"))
    assert [case.allocator for case in cases] == ["system", "keep"]
    with pytest.raises(UsageError, match="unknown allocator 'kept': did you mean keep"):
        cases_of(ASKED._replace(allocators="kept"))


def test_several_inputs() -> None:
    cases = cases_of(ASKED._replace(inputs="3x160x160,3x224x224"))
    assert [case.input_CHW for case in cases] == [(3, 160, 160), (3, 224, 224)]


def test_batches_are_read_each_once_and_auto_is_to_be_found() -> None:
    assert parse_batches("1, 8,32,8,auto") == [1, 8, 32, 0]


@pytest.mark.parametrize("text", ["0", "-1", "1,", "eight", "1.5", ""])
def test_what_is_no_batch_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no batch: give numbers"):
        parse_batches(text)


@pytest.mark.parametrize(
    ("text", "size"), [("11GiB", 11 * 2**30), ("800 MB", 800 * 10**6), ("1.5KiB", 1536), ("7B", 7)]
)
def test_sizes_say_whether_they_count_in_1000_or_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["11", "GiB", "11G", "-1GiB", "11 gib"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size: give a number with"):
        parse_size(text)


def test_names_are_checked_where_they_are_known() -> None:
    assert listed("a, b,a", "letter") == ["a", "b"]
    with pytest.raises(UsageError, match="unknown letter 'c'"):
        listed("a,c", "letter", ("a", "b"))
    with pytest.raises(UsageError, match="no letter is named"):
        listed(" , ", "letter")
