import msgspec

from memfit.engine.records import Buffer, Workload
from memfit.footprint import Footprint
from memfit.footprint.filling import Filled
from memfit.footprint.records import Learned
from memfit.measure.compare import compare, gpu_bytes, held, observed, unlike
from memfit.measure.records import Reading
from memfit.units import MIB
from verified_samples import BUFFERS, CUDA, GPU_PARTS, predicted, ran, term


def on_gpu(*values: float, meter: str = "nvml", name: str = "held_by_run") -> Reading:
    return Reading(meter=meter, name=name, unit="bytes", at_s=tuple(range(len(values))), values=values)


def unified() -> object:
    return predicted(
        term("weights", 100, 600, 600, parts=GPU_PARTS, pool="unified"),
        term("kv_cache", 100, 100, 100, pool="unified"),
        term("runtime", 20, 40, 50, pool="unified"),
        options=CUDA,
    )


def test_every_predicted_term_is_there_with_what_was_seen_of_it() -> None:
    seen = observed(predicted(), ran())
    by_name = {one.name: one for one in seen.terms}
    assert list(by_name) == ["weights", "kv_cache", "compute_buffers", "tokenizer", "runtime", "peak_headroom"]
    weights = by_name["weights"]
    assert (weights.reserved_bytes, weights.touched_bytes, weights.residual_bytes) == (600 * MIB, 600 * MIB, 0)
    compute = by_name["compute_buffers"]
    assert (compute.reserved_bytes, compute.touched_bytes, compute.residual_bytes) == (80 * MIB, 53 * MIB, 3 * MIB)
    assert by_name["tokenizer"].touched_bytes is None
    assert by_name["tokenizer"].residual_bytes is None
    assert by_name["tokenizer"].predicted_bytes == 10 * MIB
    assert seen.compared_bytes == seen.peak_pss_bytes == 803 * MIB


def test_a_part_that_was_not_looked_at_leaves_the_whole_unknown() -> None:
    buffers = (*BUFFERS, Buffer(term="kv_cache", name="another", reserved_bytes=MIB))
    kv = next(one for one in observed(predicted(), ran(buffers=buffers)).terms if one.name == "kv_cache")
    assert kv.reserved_bytes == 101 * MIB
    assert kv.touched_bytes is None


def test_what_was_not_predicted_is_told_too() -> None:
    buffers = (Buffer(term="projector", name="mmproj", reserved_bytes=9 * MIB, touched_bytes=8 * MIB),)
    strange = observed(predicted(), ran(buffers=buffers)).terms[-1]
    assert (strange.name, strange.predicted_bytes, strange.residual_bytes) == ("projector", 0, 8 * MIB)


def test_within_under_and_over_are_told_by_low_and_high() -> None:
    footprint = predicted()
    low, high = footprint.low_bytes // MIB, footprint.high_bytes // MIB
    found = [compare(held(footprint, ran(peak))) for peak in (low - 1, low, high, high + 1)]
    assert found == ["under", "within", "within", "over"]


def test_what_a_gpu_holds_is_added_where_a_meter_saw_it() -> None:
    observation = ran(200, readings=(on_gpu(1.0 * MIB, 620 * MIB, 610 * MIB), on_gpu(9e12, name="used_gpu0")))
    assert gpu_bytes(observation) == (620 * MIB, "")
    seen = held(unified(), observation)  # type: ignore[arg-type]
    assert seen.observed_bytes == 820 * MIB
    assert seen.predicted.likely_bytes == 740 * MIB


def test_without_a_meter_the_gpu_is_left_out_of_both_sides() -> None:
    seen = held(unified(), ran(140))  # type: ignore[arg-type]
    assert seen.observed_bytes == 140 * MIB
    assert seen.predicted.likely_bytes == (100 + 40) * MIB
    assert "without it" in seen.note
    assert not seen.whole


def test_where_processes_are_not_told_apart_the_growth_counts_and_that_is_said() -> None:
    observation = ran(200, readings=(on_gpu(300 * MIB, 900 * MIB, 310 * MIB, name="used_gpu0"),))
    seen = held(unified(), observation)  # type: ignore[arg-type]
    assert seen.observed_bytes == 800 * MIB
    assert seen.whole
    assert "all processes together" in seen.note


def test_terms_of_a_separate_gpu_are_left_out_too() -> None:
    footprint = predicted(term("weights", 500, 500, 500, pool="gpu"), term("runtime", 20, 40, 50), options=CUDA)
    assert held(footprint, ran(45)).predicted.likely_bytes == 40 * MIB


def test_on_the_cpu_a_gpu_meter_says_nothing() -> None:
    assert held(predicted(), ran(readings=(on_gpu(5e9),))).observed_bytes == 803 * MIB


def learned(footprint: Footprint, filled: Filled) -> Footprint:
    known = {"runs": 1, "settings": 1, "machine": "here", "version": "1", "uncalibrated_bytes": 1}
    return msgspec.structs.replace(footprint, learned=Learned(of="setting", filled=filled, **known))  # type: ignore[arg-type]


def test_a_run_that_fills_less_than_was_predicted_for_says_so() -> None:
    short = Workload(prompt_tokens=100)
    assert "100 tokens were sent" in unlike(predicted(), short)
    assert unlike(predicted(), Workload()) == unlike(predicted(), Workload(fill_context=True)) == ""
    assert unlike(learned(predicted(), "part"), short) == ""
    said = unlike(learned(predicted(), "ubatch"), short)
    assert said == "predicted from runs that filled a ubatch; this one filled less than a ubatch"
    assert "the whole context" in unlike(learned(predicted(), "ubatch"), Workload(fill_context=True))


def test_files_that_others_have_mapped_count_whole() -> None:
    seen = held(predicted(), ran(503, mapped_elsewhere_bytes=300 * MIB))
    assert (seen.observed_bytes, seen.note) == (803 * MIB, "")
    assert observed(predicted(), ran(503, mapped_elsewhere_bytes=300 * MIB)).compared_bytes == 803 * MIB
