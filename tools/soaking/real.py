"""One deployment run for real under its limit."""

from __future__ import annotations

import time

import msgspec

from memfit.device.kernel_memory import PAGE_BYTES
from memfit.engine.records import Workload
from memfit.errors import MemfitError
from memfit.measure.judge import SLOWING_SHARE
from memfit.measure.verify import verify
from soaking.decide import RULES, Decision, deployment_of, this_machine
from soaking.files import Files
from soaking.headroom import saved_bytes
from soaking.pick import GENERATED_TOKENS, Pick


class Run(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """What a run showed.

    Attributes:
        index: of the deployment.
        said: what memfit says of the file that was run, under the limit.
        verdict: of the verification; ``failed`` where the engine did not run at all.
        runs: under the limit, by the rules of ``memfit.measure.judge``.
        full: with the whole context filled.
        mechanism: what held it to its limit.
        observed_bytes, likely_bytes, high_bytes: of the run and of the prediction.
        unevictable_bytes: observed.
        pressed: the limit was reached, so that the observed peak is the limit's.
        why: of a run that failed, was killed or paged.
        rules: by which it was judged: 1, one run without a limit was a measure of speed; 2, two that agree are. And of
            the room for what no term names, as in ``Decision``.
    """

    index: int
    card: str
    format: str
    said: str
    verdict: str
    runs: bool
    full: bool
    limit_bytes: int
    mechanism: str = "none"
    observed_bytes: int = 0
    likely_bytes: int = 0
    high_bytes: int = 0
    required_bytes: int = 0
    unevictable_bytes: int = 0
    refaults: int = 0
    pressed: bool = False
    decode_tokens_per_s: float | None = None
    unlimited_decode_tokens_per_s: float | None = None
    why: str = ""
    seconds: float = 0.0
    rules: int = 1


def by_todays_rules(one: Run, decision: Decision | None = None) -> Run:
    """A run as it is judged now, of what its record and that of its decision hold.

    What was said of its file is said again with today's room for what no term names. (Only ``no`` becomes ``fits``: how
    much of a mapped file could be dropped is not in the record.)

    Whoever decoded slowly beside a single run without a limit, though next to nothing was read again, is told by kill
    and paging alone, as in ``memfit.measure.judge``. All refaults of the run stand for those while it generated, which
    are not more.
    """
    saved = saved_bytes(decision) if decision is not None and one.rules < RULES and one.required_bytes else 0
    if saved:
        required = one.required_bytes - saved
        said = "fits" if required <= one.limit_bytes else one.said
        one = msgspec.structs.replace(one, said=said, required_bytes=required, high_bytes=one.high_bytes - saved)
    ratio = (one.decode_tokens_per_s or 0.0) / (one.unlimited_decode_tokens_per_s or 1.0)
    was_slow = one.rules < RULES and one.verdict == "paged" and one.why.startswith("it decodes at")
    share = one.refaults * PAGE_BYTES / max(1, one.likely_bytes) / GENERATED_TOKENS
    if not was_slow or share > SLOWING_SHARE:
        return one
    why = f"it was neither killed nor paged; its speed is not judged: {ratio:.0%} of one run without a limit"
    return msgspec.structs.replace(one, verdict="within", runs=True, why=why)


def run(pick: Pick, files: Files, instructions: tuple[str, ...]) -> Run:
    """Make the file, and run it whatever was said of it. A failure of the engine is a result.

    ``instructions`` are those that the engine was built for.
    """
    drawn = pick.decision.drawn
    began = time.monotonic()
    fields = {
        "index": drawn.index,
        "card": drawn.card,
        "format": drawn.format,
        "full": pick.full,
        "limit_bytes": drawn.limit_bytes,
    }
    try:
        path = files.get(drawn.card, drawn.format, pick.decision.weights_bytes)
        found = verify(
            deployment_of(drawn, str(path)),
            device=this_machine(instructions),
            source="formula",
            workload=Workload(
                fill_context=pick.full, generate_tokens=GENERATED_TOKENS, users=drawn.options.slots, seed=drawn.index
            ),
            limit_bytes=drawn.limit_bytes,
            calibration=None,
            learn=False,
        )
    except MemfitError as failure:
        return msgspec.convert(
            {
                **fields,
                "said": pick.decision.said,
                "verdict": "failed",
                "runs": False,
                "why": failure.message,
                "seconds": round(time.monotonic() - began, 1),
            },
            Run,
        )
    observation, predicted = found.observation, found.predicted
    return msgspec.convert(
        {
            **fields,
            "said": predicted.verdict,
            "verdict": found.verdict,
            "runs": found.runs,
            "mechanism": observation.limit.mechanism,
            "observed_bytes": found.observed.compared_bytes,
            "likely_bytes": predicted.likely_bytes,
            "high_bytes": predicted.high_bytes,
            "required_bytes": predicted.required_bytes,
            "unevictable_bytes": observation.unevictable_bytes,
            "refaults": observation.paging.refaults,
            "pressed": bool(observation.paging.limit_failures),
            "decode_tokens_per_s": found.decode_tokens_per_s,
            "unlimited_decode_tokens_per_s": found.unlimited_decode_tokens_per_s,
            "why": found.reason,
            "seconds": round(time.monotonic() - began, 1),
            "rules": RULES,
        },
        Run,
    )
