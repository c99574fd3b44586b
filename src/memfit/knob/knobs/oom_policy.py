"""Let the kernel kill others before the service that runs the model: they end first when memory runs out."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.device.reading import read_integer
from memfit.host import Host
from memfit.knob._drop_ins import overruled, overruling
from memfit.knob._knob import Knob
from memfit.knob._service import PATHS, Served, Serving, named, read_serving, restart, unclear
from memfit.knob.records import Effect, Gain, Lines, Wish, not_here
from memfit.units import format_bytes

_TAKES = "the service that runs the model, where that is not clear: llama.service"
_SCORE = "oom_score_adj"
_USUAL, _LEAST = -500, -900
"""Half of memory, which no helper takes that is not the reason itself; and never near sshd, the way in, which keeps
-1000 for itself (OpenSSH, platform-oom.c): a model that eats all memory can still be killed."""
_STEP, _MARGIN = 50, 100
_POLICY = "stop"
"""systemd.service(5): where one process of it was killed, the rest is ended cleanly, and Restart= starts it anew. With
``continue`` a server whose worker is gone answers nothing and is never started again."""


class OomPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Services that run models, and memory.

    Attributes:
        memory_bytes: MemTotal; 0 on an image.
        scores: ``oom_score_adj`` of their processes, by id; what may not be read is missing.
        overruled: by whose drop-ins, why memfit's own drop-in would not count.
    """

    serving: Serving
    memory_bytes: int
    scores: dict[int, int] = {}
    overruled: dict[str, str] = {}


def read(host: Host, audit: Audit) -> OomPolicy | None:
    """None where memory is not known of a machine that runs."""
    serving = read_serving(host, audit)
    if serving is None or (serving.live and not audit.linux_bytes):
        return None
    found = {pid: read_integer(host, f"/proc/{pid}/{_SCORE}") for one in serving.served for pid in one.pids}
    scores = {pid: score for pid, score in found.items() if score is not None}
    keys = ("OOMPolicy", "OOMScoreAdjust")
    return OomPolicy(
        serving=serving,
        memory_bytes=audit.linux_bytes or 0,
        scores=scores,
        overruled=overruled(host, keys),
    )


def at(state: OomPolicy, wish: Wish) -> OomPolicy:
    """With the service that somebody names."""
    return msgspec.structs.replace(state, serving=named(state.serving, "oom_policy", wish.value.strip()))


def score_of(state: OomPolicy, one: Served) -> int:
    """So low that what others hold counts more: the kernel's badness is thousandths of memory, and this is added to it.

    ``oom_badness`` (mm/oom_kill.c) counts resident pages, swap and page tables; the share of the service is taken off
    and a tenth more, in steps of 50.
    """
    if not state.memory_bytes:
        return _USUAL
    share = -(-1000 * one.rss_bytes // state.memory_bytes) + _MARGIN
    return max(_LEAST, min(_USUAL, -share // _STEP * _STEP))


def effect(state: OomPolicy) -> Effect:
    """Order and no memory, so it is done by name."""
    one = state.serving.one
    if one is None:
        return unclear(state.serving, "oom_policy")
    later = overruling(state.overruled, one.unit)
    if later:
        return not_here(later)
    if all(one.lines.get(key) == lines for key, lines in _wanted(state, one).items()):
        return not_here(f"{one.unit} has it already: OOMScoreAdjust={score_of(state, one)}")
    scores = sorted({state.scores[pid] for pid in one.pids if pid in state.scores})
    if scores and scores[-1] <= _USUAL and not one.lines:
        return not_here(f"{one.unit} has {_SCORE} {', '.join(map(str, scores))} of its own")
    now = f"{_SCORE} {', '.join(map(str, scores))} now" if scores else "what it has now is not known"
    share = (
        f"{one.unit} holds {format_bytes(one.rss_bytes)} of {format_bytes(state.memory_bytes)}; " if one.pids else ""
    )
    return Effect(
        applies=True,
        gain=Gain(evidence=f"{share}{now}, {score_of(state, one)} then: no memory, but the order in which it is taken"),
        when="reboot",
        cost=f"when memory runs out, others are killed first, though the model may be the cause; "
        f"{restart(state.serving, one.unit)}",
        risk="low",
        saves=False,
    )


def lines(state: OomPolicy) -> Lines:
    """Two lines of its drop-in."""
    one = state.serving.one
    return {} if one is None else {one.unit: _wanted(state, one)}


def _wanted(state: OomPolicy, one: Served) -> dict[str, tuple[str, ...]]:
    return {
        "OOMPolicy": (f"OOMPolicy={_POLICY}",),
        "OOMScoreAdjust": (f"OOMScoreAdjust={score_of(state, one)}",),
    }


KNOB = Knob(
    summary="let the kernel kill others before the service that runs the model",
    layer="user",
    paths=(*PATHS, f"/proc/[0-9]*/{_SCORE}"),
    read=read,
    effect=effect,
    lines=lines,
    takes=_TAKES,
    at=at,
    aliases=("oom", "oom_score_adjust"),
)
