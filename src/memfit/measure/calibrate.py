"""From runs to a calibration: which runs teach something, what they teach, and where it is kept."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Union

import msgspec

from memfit.footprint.calibration import Calibration, Residual, TermSeen
from memfit.footprint.calibration_file import file_of, find, folder, write
from memfit.footprint.filling import filling_of
from memfit.footprint.records import Footprint
from memfit.measure.compare import held, observed
from memfit.measure.growth import growth_of
from memfit.measure.records import Observation

Predict = Callable[[Observation], Union[tuple[Footprint, str], None]]

MOST_RUNS = 20  # of a setting; older ones are forgotten


def teaches(predicted: Footprint, observation: Observation) -> str:
    """Why a run teaches nothing about its setting; empty where it does.

    Memory that was swapped, leaked or was dropped for want of room is not what the setting takes.
    """
    if observation.outcome != "completed":
        return f"the run was {observation.outcome}"
    if any(phase.swapped_bytes for phase in observation.phases):
        return "a part of it was swapped"
    paging = observation.paging
    if paging.limit_failures or paging.oom_kills:
        return "it ran against its limit, and the kernel dropped pages"
    growth = growth_of(observation.phases)
    if growth is not None and growth.leaks:
        return "it leaked, and took more the longer it ran"
    if not held(predicted, observation).whole:
        return "no meter saw what the GPU holds"
    return ""


def residual_of(predicted: Footprint, observation: Observation, setting: str) -> Residual | None:
    """What one run showed about its setting; None where it teaches nothing.

    Args:
        predicted: without calibration.
        observation: of a run of it.
        setting: its ``setting_digest``.
    """
    if teaches(predicted, observation):
        return None
    seen = held(predicted, observation)
    options, trained = predicted.deployment.options, predicted.model.context_trained_tokens
    filling = filling_of(observation.workload, options, trained)
    return Residual(
        setting=setting,
        model=predicted.model.name,
        profile=predicted.profile,
        filled=filling.filled,
        prompt_tokens=filling.prompt_tokens,
        likely_bytes=predicted.likely_bytes,
        observed_bytes=(seen.observed_bytes,),
        unevictable_bytes=observation.unevictable_bytes,
        terms=tuple(
            TermSeen(name=term.name, touched_bytes=term.touched_bytes)
            for term in observed(predicted, observation).terms
            if term.touched_bytes is not None
        ),
        observations=(observation.id,) if observation.id else (),
        last=observation.began,
    )


def learned(calibration: Calibration, new: Residual) -> Calibration:
    """The calibration with one run more, beside the runs of its setting that filled as much as it did."""
    kept: list[Residual] = []
    found = False
    for residual in calibration.residuals:
        if (residual.setting, residual.filling) != (new.setting, new.filling):
            kept.append(residual)
            continue
        found = True
        kept.append(_joined(residual, new))
    if not found:
        kept.append(new)
    return msgspec.structs.replace(calibration, residuals=tuple(kept))


def _joined(old: Residual, new: Residual) -> Residual:
    if set(new.observations) & set(old.observations):
        return old  # learned already
    return msgspec.structs.replace(
        new,
        observed_bytes=(*old.observed_bytes, *new.observed_bytes)[-MOST_RUNS:],
        unevictable_bytes=max(old.unevictable_bytes, new.unevictable_bytes),
        # of the newest run: like the prediction, what can be told apart is that of the newest memfit
        terms=new.terms or old.terms,
        observations=(*old.observations, *new.observations)[-MOST_RUNS:],
        last=max(old.last, new.last),
    )


def of_engine(observation: Observation) -> Calibration:
    """An empty calibration for the machine and the engine of a run."""
    engine = observation.engine
    return Calibration(
        machine=observation.machine.key, engine=engine.name, version=engine.version, backend=engine.backend
    )


def again(observations: Iterable[Observation], predict: Predict) -> tuple[Calibration, ...]:
    """The calibrations that these runs lead to, from nothing: one for every machine, engine, version and backend.

    Args:
        observations: of the store, oldest first.
        predict: the prediction without calibration of what a run deployed, with the digest of its setting; None where
            it cannot be told any more, because the model's file has gone or is another one now.
    """
    made: dict[Path, Calibration] = {}
    for observation in observations:
        found = predict(observation) if observation.outcome == "completed" else None
        new = residual_of(found[0], observation, found[1]) if found is not None else None
        if new is not None:
            empty = of_engine(observation)
            made[file_of(empty)] = learned(made.get(file_of(empty), empty), new)
    return tuple(made.values())


class Kept(NamedTuple):
    """What became of something that was learned.

    Attributes:
        path: where it is kept, None where it is not.
        warning: what went wrong; empty where nothing did.
        instead_of: the warning of whoever read the same file before, which no longer holds.
    """

    path: Path | None
    warning: str = ""
    instead_of: str = ""


def keep(observation: Observation, new: Residual) -> Kept:
    """Add one run to the calibration of its machine and engine.

    A damaged file is set aside as ``….damaged`` and begun anew. Nothing here fails a run that has ended.
    """
    empty = of_engine(observation)
    try:
        with _alone():
            found, warning = find(empty.machine, empty.engine, empty.version, empty.backend)
            path, before = file_of(empty), ""
            if found is None and warning and path.exists():
                aside = path.with_suffix(".json.damaged")
                path.replace(aside)
                before = warning if warning.startswith(f"{path}: ") else ""
                warning = f"{path}: damaged; it was set aside as {aside.name} and begun anew"
            return Kept(write(learned(found or empty, new), None if found is None else file_of(found)), warning, before)
    except OSError as failure:
        return Kept(None, f"what the run taught is not kept: {folder()}: {failure.strerror or failure}")


@contextmanager
def _alone() -> Iterator[None]:
    """Two runs that end at once must not each write what the other does not know."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
