"""As many threads for the model's service as there are CPUs for them: more wait for each other, each with a stack."""

from __future__ import annotations

import msgspec

from memfit.device.audit_records import Audit
from memfit.host import Host
from memfit.knob._asked import no_such, number_of
from memfit.knob._cores import PATHS as _CORES
from memfit.knob._cores import Cores, read_cores
from memfit.knob._drop_ins import overruled, overruling
from memfit.knob._environment_files import EnvironmentFiles, read_environment_files
from memfit.knob._knob import Knob
from memfit.knob._service import PATHS, Serving, named, read_serving, restart, split_value, unclear
from memfit.knob.records import Effect, Gain, Lines, Wish, not_here
from memfit.units import KIB

_TAKES = "a number, and before it the service where that is not clear: 6 or llama.service:6"
_NAMES = ("LLAMA_ARG_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""llama-server's own (common/arg.cpp), OpenMP's (OpenMP API 5.2, 21.1.2), OpenBLAS's (its README)."""
_MOST = 1024
_STACK_BYTES = 16 * KIB
"""Of the kernel's, for each thread: THREAD_SIZE, arch/arm64/include/asm/memory.h."""


class Threads(msgspec.Struct, frozen=True, kw_only=True):
    """Services that run models, and the CPUs.

    Attributes:
        asked: what somebody asks for; 0 where nobody does.
        overruled: by whose drop-ins, why memfit's own drop-in would not count.
        files: that its variables come from.
    """

    serving: Serving
    cores: Cores
    asked: int = 0
    overruled: dict[str, str] = {}
    files: EnvironmentFiles = EnvironmentFiles()

    @property
    def after(self) -> int:
        """Threads that shall compute."""
        return self.asked or len(self.cores.fast)


def read(host: Host, audit: Audit) -> Threads | None:
    """None where a machine runs and its kernel does not say which CPUs do."""
    serving, cores = read_serving(host, audit), read_cores(host)
    if serving is None or (serving.live and not cores.online):
        return None
    keys = tuple(f"Environment {name}" for name in _NAMES)
    units = [one.unit for one in (*serving.served, *serving.others)]
    files = read_environment_files(host, units, _NAMES)
    return Threads(serving=serving, cores=cores, overruled=overruled(host, keys), files=files)


def at(state: Threads, wish: Wish) -> Threads:
    """With the number, and the service, that somebody names."""
    unit, text = split_value(wish.value)
    if unit and not text and not unit[0].isalpha():
        raise no_such("threads", wish.value, _TAKES)
    asked = number_of("threads", text, _TAKES, least=1, most=_MOST) if text else 0
    serving = named(state.serving, "threads", unit) if unit else state.serving
    return msgspec.structs.replace(state, serving=serving, asked=asked)


def effect(state: Threads) -> Effect:
    """Speed, mostly; of memory only stacks, and which of its threads compute nobody can see from outside."""
    one = state.serving.one
    if not state.after:
        return not_here("an image does not say how many CPUs there will be: --knob threads=N does")
    if one is None:
        return unclear(state.serving, "threads", "UNIT:N")
    later = overruling(state.overruled, one.unit) or state.files.setting.get(one.unit)
    if later:
        return not_here(later)
    if one.lines.items() >= _wanted(state.after).items():
        return not_here(f"{one.unit} has it already: {state.after}")
    count = len(state.cores.online)
    if not state.asked and one.threads <= count:
        held = f"{one.threads} threads on {count} CPUs" if one.pids else "it does not run"
        return not_here(f"{one.unit}: {held}; --knob threads=N sets a number")
    extra = max(0, one.threads - state.after)
    each = f"{_STACK_BYTES // KIB} KiB of the kernel's and a stack of its own"
    stacks = f"{extra} more than {state.after}, each with {each}"
    return Effect(
        applies=True,
        gain=Gain(
            high_bytes=extra * _STACK_BYTES,
            evidence=f"{one.unit}: {one.threads} threads on {count} CPUs"
            + (f"; {stacks}; which of them compute is not seen" if extra else ""),
        ),
        when="reboot",
        cost=f"a command line that says --threads still counts more{_unread(state, one.unit)}; "
        f"{restart(state.serving, one.unit)}",
        risk="low",
        saves=False,
    )


def _unread(state: Threads, unit: str) -> str:
    """For the cost, where a file of variables may count more."""
    what = state.files.unread.get(unit)
    return f", and so does an EnvironmentFile= that sets one of these variables ({what} was not read)" if what else ""


def lines(state: Threads) -> Lines:
    """Variables of its environment."""
    one = state.serving.one
    return {} if one is None else {one.unit: _wanted(state.after)}


def _wanted(count: int) -> dict[str, tuple[str, ...]]:
    return {f"Environment {name}": (f"Environment={name}={count}",) for name in _NAMES}


KNOB = Knob(
    summary="start the service that runs the model with as many threads as there are CPUs for them",
    layer="user",
    paths=(*PATHS, *_CORES),
    read=read,
    effect=effect,
    lines=lines,
    takes=_TAKES,
    at=at,
    aliases=("omp_num_threads",),
)
