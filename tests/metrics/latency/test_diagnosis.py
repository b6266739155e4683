import pytest

from resbench.metrics.latency.diagnosis import Bound, Clocks, Roof, diagnose

ROOF = Roof(
    flops=4e9, bytes_moved=1e8, peak_flops=4e11, peak_bytes=4e10
)  # 10 ms of arithmetic, 2.5 ms of traffic


@pytest.mark.parametrize(
    ("clocks", "roof", "bound"),
    [
        (Clocks(latency_s=0.010, device_s=0.003, period_s=0.009), None, Bound.LAUNCH),
        (Clocks(latency_s=0.010, device_s=0.003, period_s=0.009), ROOF, Bound.LAUNCH),
        (Clocks(latency_s=0.010, device_s=0.009, period_s=0.010), None, Bound.DEVICE),
        (Clocks(latency_s=0.015, device_s=0.014, period_s=0.014), ROOF, Bound.COMPUTE),
        (
            Clocks(latency_s=0.015, device_s=0.014, period_s=0.014),
            ROOF.__class__(flops=4e8, bytes_moved=4e8, peak_flops=4e11, peak_bytes=4e10),
            Bound.MEMORY,
        ),
        (Clocks(latency_s=0.010, device_s=0.009, period_s=0.010, input_s=0.020), ROOF, Bound.INPUT),
        (Clocks(latency_s=0.010, device_s=0.009, period_s=0.010, input_s=0.001), None, Bound.DEVICE),
        (Clocks(latency_s=0.010, device_s=None, period_s=0.010), ROOF, Bound.UNKNOWN),
    ],
)
def test_the_ratios_of_the_clocks_say_what_sets_the_pace(
    clocks: Clocks, roof: Roof | None, bound: Bound
) -> None:
    assert diagnose(clocks, roof).bound is bound


def test_the_evidence_is_in_words() -> None:
    found = diagnose(Clocks(latency_s=0.020, device_s=0.014, period_s=0.014), ROOF)
    assert found.evidence == (
        "the device is busy for 14 ms: 70 % of a synchronised call (20 ms), 100 % back to back (14 ms); a single call "
        "waits for its launch, which calls back to back hide; at the measured peaks its arithmetic alone takes 10 ms "
        "(71 % of the busy time), its memory traffic 2.5 ms (18 %)"
    )
    assert "unknown without a roofline" in diagnose(Clocks(latency_s=1, device_s=1, period_s=1)).evidence
