"""The roofline as arithmetic: parts add up, and more of anything never makes a step faster."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.errors import UsageError
from memfit.speed.records import ComputeShare, Efficiency, Machine, Math, Touched
from memfit.speed.roofline import calibrated, compute_share, prompt_time, step_time

MACHINE = Machine(
    name="board",
    mode="MAXN",
    chip="Ampere",
    bandwidth_bytes_per_s=100 * 10**9,
    units=8,
    unit_hz=10**9,
    capability="8.7",
)
EFFICIENCY = Efficiency(
    engine="llama_cpp",
    chip="Ampere",
    bandwidth_share=0.5,
    weights_per_clock=10.0,
    layer_clocks=100_000.0,
    error=1.3,
    compute=(ComputeShare(math="fp16", share=0.25, error=1.4, anchors=3),),
)
STEP = Touched(
    tokens=1, weights_bytes=10**9, kv_bytes=10**8, state_bytes=10**7, numbers=10**9, flops=2 * 10**9, layers=20
)


def test_a_step_by_hand() -> None:
    # 1e9 bytes at 50 GB/s are 20 ms; 1e9 weights at 8 x 10 x 1e9 are 12.5; cache and state 2.2; 20 layers of 0.1 ms
    step = step_time(STEP, MACHINE, EFFICIENCY)
    assert step.seconds == pytest.approx(0.020 + 0.0022 + 0.002)
    assert step.bound == "bandwidth"
    assert {part.name for part in step.parts} == {"weights", "kv", "state", "launches"}
    assert sum(part.seconds for part in step.parts) == pytest.approx(step.seconds)


def test_unpacking_bounds_where_it_takes_longer() -> None:
    step = step_time(STEP, MACHINE, msgspec.structs.replace(EFFICIENCY, weights_per_clock=1.0))
    assert step.seconds == pytest.approx(0.125 + 0.0022 + 0.002)
    assert step.bound == "issue"
    assert sum(part.seconds for part in step.parts) == pytest.approx(step.seconds)


def test_layers_of_experts_cost_clocks_besides_their_bytes() -> None:
    experts = msgspec.structs.replace(STEP, experts_bytes=10**9, expert_layers=10)
    slow = msgspec.structs.replace(EFFICIENCY, expert_clocks=400_000.0)
    assert step_time(experts, MACHINE, slow).seconds == pytest.approx(0.020 + 0.020 + 0.0022 + 0.002 + 0.004)


def test_launches_bound_what_is_small() -> None:
    small = Touched(tokens=1, weights_bytes=10**6, numbers=10**6, layers=50)
    assert step_time(small, MACHINE, EFFICIENCY).bound == "launches"


def test_computing_counts_where_tokens_share_weights() -> None:
    many = msgspec.structs.replace(STEP, tokens=512, flops=512 * 2 * 10**9)
    step = step_time(many, MACHINE, EFFICIENCY, math="fp16")
    # 2 x 1024 fused multiplications of 8 SMs at 1 GHz, a quarter of it
    assert step.seconds == pytest.approx(many.flops / (0.25 * 8e9 * 2048) + 0.0022 + 0.002)
    assert step.bound == "compute"
    assert step_time(many, MACHINE, EFFICIENCY).bound == "bandwidth"


def test_a_prompt_is_the_sum_of_its_chunks_and_its_start() -> None:
    started = msgspec.structs.replace(EFFICIENCY, start_s=0.05)
    once = prompt_time([STEP], MACHINE, EFFICIENCY, "fp16").seconds
    twice = prompt_time([STEP, STEP], MACHINE, started, "fp16")
    assert twice.seconds == pytest.approx(2 * once + 0.05)
    assert sum(part.seconds for part in twice.parts) == pytest.approx(twice.seconds)


def test_arithmetic_that_nobody_published_takes_the_nearest() -> None:
    share = compute_share(EFFICIENCY, MACHINE, "int8")
    assert share is not None
    assert share.math == "fp16"
    assert compute_share(msgspec.structs.replace(EFFICIENCY, compute=()), MACHINE, "fp16") is None


@given(
    factor=st.floats(1.0, 50.0), field=st.sampled_from(["weights_bytes", "experts_bytes", "kv_bytes", "state_bytes"])
)
def test_more_bytes_are_never_faster(factor: float, field: str) -> None:
    base = msgspec.structs.replace(STEP, experts_bytes=10**8)
    more = msgspec.structs.replace(base, **{field: round(getattr(base, field) * factor)})
    assert step_time(more, MACHINE, EFFICIENCY).seconds >= step_time(base, MACHINE, EFFICIENCY).seconds


@given(factor=st.floats(1.0, 50.0), field=st.sampled_from(["bandwidth_bytes_per_s", "units", "unit_hz"]))
def test_a_better_machine_is_never_slower(factor: float, field: str) -> None:
    better = msgspec.structs.replace(MACHINE, **{field: round(getattr(MACHINE, field) * factor)})
    maths: tuple[Math | None, ...] = (None, "fp16")
    for math in maths:
        assert (
            step_time(STEP, better, EFFICIENCY, math=math).seconds
            <= step_time(STEP, MACHINE, EFFICIENCY, math=math).seconds
        )


@given(speeds=st.lists(st.floats(1.0, 1000.0), min_size=1, max_size=5))
def test_calibrated_speeds_come_out_within_their_own_bar(speeds: list[float]) -> None:
    found, count = calibrated(EFFICIENCY, MACHINE, [(STEP, speed) for speed in speeds])
    likely = 1 / step_time(STEP, MACHINE, found).seconds
    assert count == len(speeds)
    for speed in speeds:
        assert likely / found.error <= speed * 1.000001
        assert speed <= likely * found.error * 1.000001


def test_nothing_measured_changes_nothing() -> None:
    assert calibrated(EFFICIENCY, MACHINE, []) == (EFFICIENCY, 0)


def test_a_measured_speed_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError):
        calibrated(EFFICIENCY, MACHINE, [(STEP, 0.0)])
