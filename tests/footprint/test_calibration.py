import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.device import find_device
from memfit.engine._engine import Ledger
from memfit.engine.records import Deployment, Options, Part, Term
from memfit.footprint import Footprint, footprint_of, predict
from memfit.footprint.calibration import LEAST_OTHERS, Calibration, Residual, TermSeen, calibrated
from memfit.footprint.setting import setting_digest, shape_digest
from memfit.model import find_model
from memfit.model.shape import ModelShape
from memfit.units import GIB, KIB, MIB

NANO = find_device("orin-nano-8gb", memory_bytes=6 * GIB)
LLAMA = find_model("Llama-3.2-1B", format="Q4_K_M")
PLAIN = predict(NANO, LLAMA, Deployment(model="m"), source="formula")
NOWHERE = Calibration(machine="here", engine="llama_cpp", version="1", backend="cpu")


def with_runs(*residuals: Residual) -> Calibration:
    return msgspec.structs.replace(NOWHERE, residuals=residuals)


def ran(*observed: int, setting: str = "this", likely: int = PLAIN.likely_bytes, **more: object) -> Residual:
    fields = {"unevictable_bytes": 0, "observations": tuple(range(len(observed))), "last": "2026-11-25T10:00:00Z"}
    return msgspec.convert(
        {"setting": setting, "model": "m", "likely_bytes": likely, "observed_bytes": observed, **fields, **more},
        Residual,
    )


def shifts(*off: int) -> Calibration:
    return with_runs(*(ran(4 * GIB + one, likely=4 * GIB, setting=f"other {index}") for index, one in enumerate(off)))


def sound(footprint: Footprint) -> None:
    for term in footprint.terms:
        assert 0 <= term.low_bytes <= term.likely_bytes <= term.high_bytes, term.name
        assert term.evictable_bytes <= term.high_bytes, term.name
        assert sum(part.bytes for part in term.parts) in (0, term.high_bytes), term.name
    counted = [term for term in footprint.terms if term.pool != "system"]
    assert footprint.low_bytes == sum(term.low_bytes for term in counted)
    assert footprint.likely_bytes == sum(term.likely_bytes for term in counted)
    assert footprint.high_bytes == sum(term.high_bytes for term in counted)
    assert footprint.headroom_bytes == footprint.capacity_bytes - footprint.required_bytes


def likely(footprint: Footprint, name: str) -> int:
    return sum(term.likely_bytes for term in footprint.terms if term.name == name)


def test_a_setting_that_ran_is_predicted_as_it_was_observed() -> None:
    observed = PLAIN.likely_bytes + 9 * MIB
    after = calibrated(PLAIN, with_runs(ran(observed)), "this")
    sound(after)
    assert after.likely_bytes == observed
    assert likely(after, "runtime") == likely(PLAIN, "runtime") + 9 * MIB
    runtime = next(term for term in after.terms if term.name == "runtime")
    assert runtime.source == "measured"
    assert "1 run on this machine, the last 2026-11-25" in runtime.error
    assert after.learned is not None
    assert (after.learned.of, after.learned.runs, after.learned.observations) == ("setting", 1, (0,))
    assert after.learned.uncalibrated_bytes == PLAIN.likely_bytes


def test_what_was_seen_of_a_term_goes_into_that_term() -> None:
    touched = likely(PLAIN, "compute_buffers") - 3 * MIB
    residual = ran(PLAIN.likely_bytes - 2 * MIB, terms=(TermSeen(name="compute_buffers", touched_bytes=touched),))
    after = calibrated(PLAIN, with_runs(residual), "this")
    sound(after)
    assert likely(after, "compute_buffers") == touched
    assert likely(after, "runtime") == likely(PLAIN, "runtime") + MIB
    assert after.likely_bytes == PLAIN.likely_bytes - 2 * MIB


def test_of_several_runs_the_median_counts_and_the_bounds_hold_them_all() -> None:
    runs = (PLAIN.likely_bytes + 300 * MIB, PLAIN.likely_bytes + 5 * MIB, PLAIN.likely_bytes + 4 * MIB)
    after = calibrated(PLAIN, with_runs(ran(*runs)), "this")
    sound(after)
    assert after.likely_bytes == PLAIN.likely_bytes + 5 * MIB
    assert after.low_bytes <= min(runs)
    assert after.high_bytes >= max(runs)


def test_what_could_not_be_dropped_must_find_room() -> None:
    after = calibrated(PLAIN, with_runs(ran(PLAIN.likely_bytes, unevictable_bytes=5 * GIB)), "this")
    sound(after)
    assert after.high_bytes - after.evictable_bytes == 5 * GIB
    assert after.verdict == "tight" or after.required_bytes <= 6 * GIB


def test_another_setting_stays_as_it_was() -> None:
    assert calibrated(PLAIN, with_runs(ran(PLAIN.likely_bytes * 2, setting="that")), "this") is PLAIN
    assert calibrated(PLAIN, NOWHERE, "this") is PLAIN


def test_others_that_agree_shift_the_runtime_and_say_so() -> None:
    calibration = shifts(*(8 * MIB + step * KIB for step in (0, 16, -16, 8, -8)))
    after = calibrated(PLAIN, calibration, "this")
    sound(after)
    assert after.likely_bytes == PLAIN.likely_bytes + 8 * MIB
    assert likely(after, "runtime") == likely(PLAIN, "runtime") + 8 * MIB
    assert any("not run here yet" in warning and "5 other settings" in warning for warning in after.warnings)
    assert after.learned is not None
    assert after.learned.of == "others"


def test_one_wild_run_among_others_changes_nothing() -> None:
    steady = [8 * MIB] * (LEAST_OTHERS + 1)
    assert calibrated(PLAIN, shifts(*steady, 900 * MIB), "this").likely_bytes == PLAIN.likely_bytes + 8 * MIB


@pytest.mark.parametrize(
    "off",
    [(8 * MIB,) * (LEAST_OTHERS - 1), (90 * MIB, -80 * MIB, 4 * MIB, -60 * MIB, 30 * MIB), (0,) * 9, (KIB,) * 9],
    ids=["too few", "no agreement", "nothing to correct", "next to nothing"],
)
def test_others_that_teach_nothing(off: tuple[int, ...]) -> None:
    assert calibrated(PLAIN, shifts(*off), "this") is PLAIN


def test_the_server_learns_nothing_from_the_library() -> None:
    served = msgspec.structs.replace(PLAIN, profile="server")
    assert calibrated(served, shifts(*(8 * MIB,) * 9), "this") is served


def test_a_term_in_two_pools_is_not_corrected_in_each() -> None:
    half = {"low_bytes": 0, "likely_bytes": MIB, "high_bytes": MIB, "source": "formula", "formula": "made up"}
    terms = [
        msgspec.convert({"name": "weights", "pool": "gpu", **half}, Term),
        msgspec.convert({"name": "weights", "pool": "host", **half}, Term),
    ]
    shape = ModelShape(
        architecture="llama",
        name="m",
        parameters=1,
        parameters_active=1,
        embedding_length=1,
        vocabulary_tokens=1,
        context_trained_tokens=1,
    )
    before = footprint_of(Ledger(terms=tuple(terms), engine="test"), shape, Deployment(model="m"), NANO)
    seen = (TermSeen(name="weights", touched_bytes=5 * MIB),)
    after = calibrated(before, with_runs(ran(3 * MIB, terms=seen)), "this")
    sound(after)
    assert after.likely_bytes == 3 * MIB


sizes = st.integers(min_value=0, max_value=3 * GIB)


@given(
    observed=st.lists(sizes, min_size=1, max_size=4),
    unevictable=sizes,
    seen=st.dictionaries(st.sampled_from([term.name for term in PLAIN.terms]), sizes),
)
@settings(max_examples=150, deadline=None)
def test_whatever_was_observed_the_ledger_stays_sound(
    observed: list[int], unevictable: int, seen: dict[str, int]
) -> None:
    terms = tuple(TermSeen(name=name, touched_bytes=size) for name, size in seen.items())
    residual = ran(*observed, unevictable_bytes=unevictable, terms=terms)
    after = calibrated(PLAIN, with_runs(residual), "this")
    sound(after)
    assert after.likely_bytes == residual.typical_bytes
    assert after.low_bytes <= min(observed)
    assert after.high_bytes >= max(*observed, PLAIN.high_bytes)  # never lowered
    assert after.high_bytes - after.evictable_bytes >= unevictable
    assert msgspec.json.decode(msgspec.json.encode(after), type=Footprint) == after


@given(off=st.lists(st.integers(min_value=-2 * GIB, max_value=2 * GIB), min_size=LEAST_OTHERS, max_size=12))
@settings(max_examples=80, deadline=None)
def test_whatever_others_showed_the_ledger_stays_sound(off: list[int]) -> None:
    after = calibrated(PLAIN, shifts(*off), "this")
    sound(after)
    assert after.high_bytes >= PLAIN.high_bytes


def test_parts_still_add_up_when_a_bound_is_raised() -> None:
    runtime = next(term for term in PLAIN.terms if term.name == "runtime")
    assert runtime.parts
    after = calibrated(PLAIN, with_runs(ran(PLAIN.high_bytes + GIB)), "this")
    sound(after)
    raised = next(term for term in after.terms if term.name == "runtime")
    assert isinstance(raised.parts[-1], Part)
    assert "as observed" in raised.parts[-1].name


class TestDigest:
    def digest(self, options: Options | None = None, threads: int = 4, profile: str = "library") -> str:
        return setting_digest(LLAMA, options or Options(), profile, threads=threads)  # type: ignore[arg-type]

    def test_what_the_engine_fills_in_is_the_same_setting(self) -> None:
        filled = Options(threads=4, context_tokens=LLAMA.context_trained_tokens)
        assert self.digest(Options(context_tokens=0)) == self.digest(filled)

    @pytest.mark.parametrize(
        "options", [Options(context_tokens=8192), Options(slots=2), Options(kv_type_k="Q8_0"), Options(threads=2)]
    )
    def test_what_decides_memory_is_another(self, options: Options) -> None:
        assert self.digest(options) != self.digest()

    def test_threads_of_the_machine_and_the_profile_count(self) -> None:
        assert len({self.digest(), self.digest(threads=8), self.digest(profile="server")}) == 3

    def test_names_and_paths_do_not(self) -> None:
        renamed = msgspec.structs.replace(LLAMA, name="another", shards=())
        assert shape_digest(renamed) == shape_digest(LLAMA)

    def test_formats_do(self) -> None:
        assert shape_digest(find_model("Llama-3.2-1B", format="Q8_0")) != shape_digest(LLAMA)
