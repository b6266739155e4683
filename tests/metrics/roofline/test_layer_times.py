import pytest
from hypothesis import given
from hypothesis import strategies as st

from resbench.architectures.layers import Layer
from resbench.architectures.plan import Kind
from resbench.metrics.roofline.layers import Operation, Pass, assign, quicker_half, times_of

RAN = (
    Operation("stem", 0, True, "aten.conv2d", 8.0),
    Operation("block.conv", 0, True, "aten.to", 1.0),
    Operation("block.conv", 0, True, "aten.conv2d", 4.0),
    Operation("block.bn", 0, True, "aten.batch_norm", 2.0),
    Operation("block.relu", 0, True, "aten.relu", 0.5),
    Operation("block", 0, False, "aten.add", 0.25),
    Operation("block.relu", 1, True, "aten.relu", 0.125),
    Operation("", 0, False, "aten.flatten", 0.0625),
)
"""What runs when the block is called, under autocast: a convolution first casts its input."""


def test_all_that_a_module_runs_is_its_layers(block: tuple[Layer, ...]) -> None:
    placed, others = assign(RAN, block)
    assert placed == {0: 8.0, 1: 5.0, 2: 2.0, 3: 0.5, 4: 0.25, 5: 0.125}
    assert others == {"flatten": 0.0625}


def test_operator_of_an_observed_layer_is_matched_by_its_name() -> None:
    layers = (Layer("attention.gelu", Kind.ELEMENTWISE, (4,), (4,), operator="aten.gelu"),)
    ran = [
        Operation("attention", 0, False, "aten.view", 1.0),
        Operation("attention", 0, False, "aten.gelu", 2.0),
    ]
    assert assign(ran, layers) == ({0: 2.0}, {"attention.view": 1.0})


def test_functions_of_one_module_are_matched_in_the_order_in_which_they_run() -> None:
    layers = tuple(Layer("block.add", Kind.ADD, (size,), (size,)) for size in (1, 2))
    ran = [Operation("block", 0, False, "aten.add", seconds) for seconds in (1.0, 2.0, 4.0)]
    assert assign(ran, layers) == ({0: 1.0, 1: 2.0}, {"block.add": 4.0})


def test_network_of_one_module() -> None:
    layers = (Layer("linear", Kind.LINEAR, (4,), (2,), module="Linear", operator="aten.linear"),)
    assert assign([Operation("", 0, True, "aten.linear", 3.0)], layers) == ({0: 3.0}, {})


def test_layer_that_never_ran_has_no_time(block: tuple[Layer, ...]) -> None:
    times = times_of([Pass(RAN[:1], 9.0)], [9.0], block)
    assert [time.seconds for time in times.layers] == [8.0, None, None, None, None, None]


def test_means_over_the_quicker_half_add_up(block: tuple[Layer, ...]) -> None:
    def scaled(factor: float) -> Pass:
        return Pass(
            tuple(operation._replace(seconds=factor * operation.seconds) for operation in RAN), factor * 20.0
        )

    # A pass that something disturbed, and its like among those that nobody watched, count for nothing.
    times = times_of(
        [scaled(1.0), scaled(50.0), scaled(3.0), scaled(70.0)], [40.0, 900.0, 24.0, 700.0], block
    )
    assert times.sum_s == pytest.approx(2 * 15.875)
    assert times.others == {"flatten": pytest.approx(2 * 0.0625)}
    assert (times.whole_s, times.watched_s, times.n) == (32.0, 40.0, 4)
    assert times.coverage == pytest.approx(31.75 / 32)


def test_half_of_an_odd_number_is_the_larger_one() -> None:
    assert quicker_half([5.0, 1.0, 9.0], key=float) == [1.0, 5.0]


@given(
    st.lists(
        st.builds(
            Operation,
            st.sampled_from(("", "stem", "block", "block.conv", "block.bn", "block.relu", "elsewhere")),
            st.integers(0, 3),
            st.booleans(),
            st.sampled_from(("aten.conv2d", "aten.add", "aten.relu", "aten.view")),
            st.floats(0, 10),
        )
    )
)
def test_no_time_disappears(ran: list[Operation]) -> None:
    layers = (
        Layer("stem", Kind.CONVOLUTION, (1,), (1,), module="Conv2d"),
        Layer("block.add", Kind.ADD, (1,), (1,)),
        Layer("block.relu", Kind.RELU, (1,), (1,), module="ReLU"),
    )
    placed, others = assign(ran, layers)
    total = sum(placed.values()) + sum(others.values())
    assert total == pytest.approx(sum(operation.seconds for operation in ran))
