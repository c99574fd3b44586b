"""The embedded engine, run for real under the kernel's own limits."""

from __future__ import annotations

import pytest

from engine_child import HAS_ENGINE
from fake_engines import MODEL
from memfit.engine.records import Deployment, Options, Workload
from memfit.measure.judge import runs
from memfit.measure.limits import open_fence
from memfit.measure.run import observe
from memfit.units import MIB

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not HAS_ENGINE, reason="llama-cpp-python is not installed"),
]
SHORT = Workload(prompt_tokens=64, generate_tokens=4)


@pytest.fixture
def _limits() -> None:
    fence = open_fence(64 * MIB)
    fence.close()
    if fence.group is None:
        pytest.skip(f"no control group may be made here: {fence.limit.note}")


def deployed(**options: object) -> Deployment:
    return Deployment(model=str(MODEL), options=Options(**{"context_tokens": 2048, "threads": 1, **options}))  # type: ignore[arg-type]


@pytest.mark.parametrize("load_mode", ["mmap", "none"])
def test_a_run_shows_what_the_engine_holds(load_mode: str) -> None:
    seen = observe(deployed(load_mode=load_mode), workload=SHORT, meters=False)
    assert (seen.outcome, seen.reason) == ("completed", "")
    assert [phase.name for phase in seen.phases] == ["started", "loaded", "prompt", "decode"]
    assert [phase.tokens for phase in seen.phases] == [0, 0, 64, 4]
    sizes = {buffer.term: buffer for buffer in seen.buffers}
    assert set(sizes) == {"weights", "kv_cache", "compute_buffers", "output_buffer", "work_buffer"}
    # PSS of a mapped file is shared with whoever else has it mapped: what is anonymous is the run's own
    grown = seen.phases[-1].anonymous_bytes - seen.phases[0].anonymous_bytes
    held = [buffer for buffer in seen.buffers if "Mapped" not in buffer.name]
    touched = [buffer.touched_bytes for buffer in held]
    if None not in touched:
        assert grown >= sum(size or 0 for size in touched) * 0.98
    assert seen.peak_pss_bytes >= max(phase.pss_bytes for phase in seen.phases)
    assert seen.unevictable_bytes >= seen.phases[-1].anonymous_bytes * 0.9
    assert "llama-cpp-python" in seen.engine.version
    assert seen.decode_tokens_per_s
    assert runs(seen, ())[0]


def test_rounds_repeat_the_work() -> None:
    workload = Workload(prompt_tokens=16, generate_tokens=2, users=2, rounds=3)
    seen = observe(deployed(slots=2), workload=workload, meters=False)
    assert [phase.name for phase in seen.phases[3:]] == ["decode", "round 1", "round 2", "round 3"]
    soak = Workload(prompt_tokens=16, generate_tokens=2, soak_s=2.0, rounds=1)
    assert any(phase.name == "round 2" for phase in observe(deployed(), workload=soak, meters=False).phases)


@pytest.mark.usefixtures("_limits")
class TestLimit:
    def test_a_limit_that_fits(self) -> None:
        seen = observe(deployed(load_mode="none"), workload=SHORT, limit_bytes=160 * MIB, meters=False)
        assert seen.outcome == "completed"
        assert seen.peak_limit_bytes is not None
        assert seen.unevictable_bytes <= seen.peak_limit_bytes <= 160 * MIB
        assert (seen.paging.oom_kills, seen.paging.refaults_scope in ("cgroup", "machine")) == (0, True)

    def test_a_limit_that_kills_while_it_loads(self) -> None:
        # Python and the library alone take half of it, a cache of 80 MiB is cleared at once
        seen = observe(deployed(context_tokens=16384), workload=SHORT, limit_bytes=64 * MIB, meters=False)
        assert seen.outcome == "killed"
        assert seen.paging.oom_kills >= 1
        assert [phase.name for phase in seen.phases] == ["started"]
        assert "% of the load" in seen.reason
        assert runs(seen, ()) == (False, seen.reason)
