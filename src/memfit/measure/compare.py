"""A prediction beside a run, term by term: what was reserved, what of it was touched, and how far off that is."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from memfit.engine.records import Term, Workload
from memfit.footprint.filling import filling_of
from memfit.footprint.records import Footprint
from memfit.footprint.verdict import Totals, total
from memfit.measure.records import Judgement, Observation, Observed, ObservedTerm

# meters that tell what the run's processes hold of a GPU's memory, which PSS does not show, and their name for it
GPU_METERS = ("nvml", "nvmap")
_HELD_BY_RUN = "held_by_run"
_USED = "used_gpu"
_ON_GPU = "in GPU buffers"
# on a GPU that shares the CPU's memory these lie in its buffers, beside the weights that say so themselves
_GPU_TERMS = ("kv_cache", "recurrent_state", "compute_buffers", "work_buffer")


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a run held at most, and the part of the prediction that it can be compared with.

    ``whole`` says that this is all of it; ``note`` what else the reader must know.
    """

    observed_bytes: int
    predicted: Totals
    whole: bool = True
    note: str = ""


def held(predicted: Footprint, observation: Observation) -> Held:
    """PSS with mapped files whole, and the GPU's memory where a meter saw it.

    PSS counts a page of a library in part where other programs run it, too: the same run shows 10 to 15 MiB less beside
    another Python with the same engine. A prediction is of a deployment that runs alone, and so is what it is held
    against. Without a meter for the GPU what lies there is left out of both sides.
    """
    terms = [term for term in predicted.terms if term.pool != "system"]
    peak = observation.peak_pss_bytes + observation.mapped_elsewhere_bytes
    if predicted.deployment.options.backend == "cpu":
        return Held(observed_bytes=peak, predicted=total(terms))
    on_gpu, note = gpu_bytes(observation)
    if on_gpu is None:
        return Held(observed_bytes=peak, predicted=total(_off_gpu(terms)), whole=False, note=note)
    return Held(observed_bytes=peak + on_gpu, predicted=total(terms), note=note)


def gpu_bytes(observation: Observation) -> tuple[int | None, str]:
    """The most that the run's processes held on GPUs, and how that is known; None where no meter saw it.

    Where the driver does not tell processes apart, as in many containers, by how much the use of the GPUs grew.
    """
    seen = [each for each in observation.readings if each.meter in GPU_METERS and each.unit == "bytes" and each.values]
    own = [max(each.values) for each in seen if each.name == _HELD_BY_RUN]
    if own and max(own) > 0:
        return int(max(own)), ""
    grown = [max(each.values) - each.values[0] for each in seen if each.name.startswith(_USED)]
    if grown:
        return int(
            sum(grown)
        ), "GPU memory is told for all processes together: taken by how much it grew during the run"
    return None, "no meter saw what the GPU holds: compared without it"


_FILLED = {"context": "the whole context", "ubatch": "a ubatch", "part": "less than a ubatch"}


def unlike(predicted: Footprint, workload: Workload) -> str:
    """Why a run touches more or less than a prediction counts with; empty where both fill as much."""
    filling = filling_of(workload, predicted.deployment.options, predicted.model.context_trained_tokens)
    learned = predicted.learned
    if learned is not None and learned.of == "setting":
        if learned.filled in (None, filling.filled):
            return ""
        return f"predicted from runs that filled {_FILLED[learned.filled]}; this one filled {_FILLED[filling.filled]}"
    if filling.filled == "part":
        return f"{filling.prompt_tokens} tokens were sent, less than a ubatch: predicted is what a whole one takes"
    return ""


def _off_gpu(terms: Iterable[Term]) -> list[Term]:
    return [_host_part(term) for term in terms if term.pool != "gpu" and term.name not in _GPU_TERMS]


def _host_part(term: Term) -> Term:
    gpu = sum(part.bytes for part in term.parts if part.name == _ON_GPU)
    if not gpu:
        return term
    return msgspec.structs.replace(
        term,
        low_bytes=max(0, term.low_bytes - gpu),
        likely_bytes=max(0, term.likely_bytes - gpu),
        high_bytes=max(0, term.high_bytes - gpu),
        parts=(),
    )


def observed(predicted: Footprint, observation: Observation, seen: Held | None = None) -> Observed:
    """The observation's side of every term that was predicted, in the ledger's order; then what was not predicted."""
    names = dict.fromkeys(term.name for term in predicted.terms if term.pool != "system")
    names.update(dict.fromkeys(buffer.term for buffer in observation.buffers))
    return Observed(
        peak_pss_bytes=observation.peak_pss_bytes,
        peak_limit_bytes=observation.peak_limit_bytes,
        unevictable_bytes=observation.unevictable_bytes,
        compared_bytes=(seen or held(predicted, observation)).observed_bytes,
        terms=tuple(_term(name, predicted, observation) for name in names),
    )


def _term(name: str, predicted: Footprint, observation: Observation) -> ObservedTerm:
    likely = sum(term.likely_bytes for term in predicted.terms if term.name == name and term.pool != "system")
    buffers = [buffer for buffer in observation.buffers if buffer.term == name]
    touched = [buffer.touched_bytes for buffer in buffers]
    known = [size for size in touched if size is not None]
    # a sum with a part missing would be told as the whole
    touched_bytes = sum(known) if buffers and len(known) == len(touched) else None
    return ObservedTerm(
        name=name,
        reserved_bytes=sum(buffer.reserved_bytes for buffer in buffers) if buffers else None,
        touched_bytes=touched_bytes,
        predicted_bytes=likely,
        residual_bytes=None if touched_bytes is None else touched_bytes - likely,
    )


def compare(seen: Held) -> Judgement:
    """Where a run that was neither killed nor paged lies."""
    if seen.observed_bytes > seen.predicted.high_bytes:
        return "over"
    return "under" if seen.observed_bytes < seen.predicted.low_bytes else "within"
