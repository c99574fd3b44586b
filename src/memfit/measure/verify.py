"""Predict, run, compare, learn: the one function behind ``memfit verify``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from memfit.device import Device, find_device
from memfit.engine.records import Asked, Deployment, Profile, Workload
from memfit.engine.runtimes import ENGINES
from memfit.errors import EngineFailed, MemfitError, UsageError
from memfit.footprint.correct import corrected
from memfit.footprint.estimate import Calibrating, find_models
from memfit.footprint.predict import predict
from memfit.footprint.records import Footprint
from memfit.footprint.setting import setting_digest, shape_digest
from memfit.measure import judge, run
from memfit.measure.best_effort import BestEffort
from memfit.measure.calibrate import keep, residual_of
from memfit.measure.compare import compare, held, observed, unlike
from memfit.measure.growth import growth_of
from memfit.measure.records import Growth, Judgement, Observation, Phase, Verification
from memfit.measure.store import Store
from memfit.measure.trials import Observe, Trials
from memfit.model.cards import CARDS
from memfit.units import format_bytes

OnPhase = Callable[[Phase], None]


# what memfit itself and the system need beside an unlimited run, so that a machine is not driven into its own limit
SPARE_BYTES = 256 * 1024**2


def verification(
    predicted: Footprint,
    observation: Observation,
    unlimited_tokens_per_s: Sequence[float] = (),
    growth: Growth | None = None,
) -> Verification:
    """A prediction beside the run that tested it.

    Args:
        predicted: before the run.
        observation: of the run.
        unlimited_tokens_per_s: decode speeds of the same setting without a limit, a run each.
        growth: over the rounds of a soak.

    Raises:
        EngineFailed: the engine failed or hung, so the run tells nothing about memory.
        KeyboardInterrupt: the run was interrupted before it had computed anything.
    """
    _refuse_without_a_result(observation)
    runs, reason = judge.runs(observation, unlimited_tokens_per_s)
    seen = held(predicted, observation)
    verdict: Judgement = compare(seen)
    if observation.outcome == "killed" or observation.paging.oom_kills:  # of a tree a part may live on
        verdict = "killed"
    elif not runs and observation.outcome == "completed" and not judge.cannot_tell(observation):
        verdict = "paged"
    likely = seen.predicted.likely_bytes
    residual = seen.observed_bytes - likely
    return Verification(
        predicted=predicted,
        observed=observed(predicted, observation, seen),
        compared_bytes=likely,
        residual_bytes=residual,
        residual_ratio=round(residual / max(1, likely), 4),
        verdict=verdict,
        runs=runs,
        reason=reason,
        decode_tokens_per_s=observation.decode_tokens_per_s,
        unlimited_decode_tokens_per_s=judge.unlimited_speed(unlimited_tokens_per_s) if unlimited_tokens_per_s else None,
        limit_bytes=observation.limit.limit_bytes,
        growth=growth,
        observation=observation,
        calibrated=predicted.learned is not None,
        notes=tuple(filter(None, (seen.note, unlike(predicted, observation.workload)))),
    )


def _refuse_without_a_result(observation: Observation) -> None:
    if observation.outcome in ("failed", "hung"):
        raise EngineFailed(
            f"the engine {'hung' if observation.outcome == 'hung' else 'failed'}: {observation.reason}",
            hint=f"what it said last: memfit runs show {observation.id}" if observation.id else None,
            said=observation.said,
        )
    if observation.outcome in ("interrupted", "running") and not any(phase.tokens for phase in observation.phases):
        raise KeyboardInterrupt(observation.reason)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is run: the deployment embedded, or a server by its command, or one that runs already.

    Attributes:
        command: words that start a server.
        url, pid: of a server that runs: where it answers, and its process.
    """

    deployment: Deployment
    profile: Profile = "library"
    command: tuple[str, ...] = ()
    url: str | None = None
    pid: int | None = None


def verify(
    target: Target | Deployment,
    *,
    device: Device | None = None,
    source: Asked = "auto",
    workload: Workload | None = None,
    limit_bytes: int | None = None,
    store: Store | None = None,
    calibration: Calibrating = "auto",
    learn: bool = True,
    timeout_s: float | None = None,
    on_phase: OnPhase | None = None,
    observe: Observe = run.observe,
) -> Verification:
    """Predict a deployment, run it, and put both side by side.

    When a limit was reached it runs once more without one, unless the store knows how fast it is then: a mapped model
    "runs" in almost any memory, only not at its speed. Whoever is found slow without paging is measured again.

    Args:
        target: what to run; a deployment is run embedded.
        device: this machine where None.
        source: whom to ask for the prediction, see ``memfit.footprint.predict``.
        workload: what it is made to do; one whole ubatch and a few tokens where None.
        limit_bytes: the memory it is held to; None: all there is.
        store: where runs are kept, None: nowhere. One that fails (a full disk) costs the record, not the run, and is
            warned of in the prediction.
        calibration: what the prediction is corrected by, as for ``memfit.estimate``.
        learn: whether the run may correct later predictions on this machine.
        timeout_s: how long the engine may give no sign; its default where None.
        on_phase: told of every phase.
        observe: runs it, for tests.

    Raises:
        UsageError: a model that is in no file, or a run that would drive this machine out of its memory.
        EngineFailed: the engine failed or hung, which is kept in the store.
        KeyboardInterrupt: the run was interrupted before it had computed anything; that is kept, too.
        MemfitError: as ``memfit.estimate``.
    """
    if isinstance(target, Deployment):
        target = Target(deployment=target)
    _refuse_only_sized(target.deployment)
    _refuse_without_a_file(target.deployment)
    here = device or find_device()
    models = find_models(target.deployment, source=source)
    judged = here
    if limit_bytes is not None:
        stated = {"grade": "stated", "source": "the limit of the run"}
        judged = msgspec.structs.replace(here, capacity_bytes=limit_bytes, **stated)
    plain = predict(judged, models, target.deployment, profile=target.profile, source=source)
    predicted = corrected(plain, models, calibration, workload or Workload())
    if target.pid is None:
        _refuse_what_this_machine_cannot_hold(predicted, here, limit_bytes)
    kept = store if store is None or isinstance(store, BestEffort) else BestEffort(store)
    observing = partial(
        observe,
        target.deployment,
        profile=target.profile,
        store=kept,
        command=target.command or None,
        url=target.url,
        pid=target.pid,
        timeout_s=timeout_s,
        on_phase=on_phase,
    )
    trials = Trials(observing, kept)
    alone = unevictable_bytes(predicted) <= here.capacity_bytes - SPARE_BYTES
    observation, speeds = trials.run(workload or Workload(), limit_bytes, alone=alone)
    if learn:
        setting = setting_digest(models, target.deployment.options, target.profile, threads=here.threads)
        predicted = _learn(predicted, plain, trials.ran, setting)
    if kept is not None:
        predicted = _warned(predicted, *kept.problems)
    return verification(predicted, observation, speeds, growth_of(observation.phases))


def predicted_again(observation: Observation) -> tuple[Footprint, str] | None:
    """What would be predicted for a run without calibration, and the digest of its setting.

    None where its model has gone, or is another one now.
    """
    deployment = observation.deployment
    try:
        models = find_models(deployment)
        if shape_digest(models) != observation.shape_digest:
            return None
        here = find_device()
        footprint = predict(here, models, deployment, profile=observation.profile)
    except MemfitError:
        return None
    setting = setting_digest(models, deployment.options, observation.profile, threads=observation.machine.threads)
    return footprint, setting


def unevictable_bytes(footprint: Footprint) -> int:
    """The most of the host's memory that the kernel cannot drop; prompts saved over time are not part of a run."""
    terms = [one for one in footprint.terms if one.pool not in ("system", "gpu") and one.name != "prompt_cache"]
    return sum(one.high_bytes - one.evictable_bytes for one in terms)


def _refuse_only_sized(deployment: Deployment) -> None:
    engine = ENGINES.get(deployment.engine)
    if engine.only_sized:
        raise UsageError(
            f"memfit sizes {engine.name} and does not start it, so nothing can be verified",
            hint=f"memfit estimate sizes it: memfit estimate {deployment.model} --engine {deployment.engine}",
        )


def _refuse_without_a_file(deployment: Deployment) -> None:
    named = deployment.model in CARDS and not os.path.exists(deployment.model)  # noqa: PTH110  a name, not yet a path
    if not named and deployment.format is None:
        return
    preset = deployment.format or "Q4_K_M"
    out = f"{deployment.model if named else Path(deployment.model).stem}-{preset}.gguf"
    what = "is the name of a model" if named else f"is not in {preset} yet"
    make = shlex.join(["memfit", "fabricate", deployment.model, "--format", preset, "--out", out])
    raise UsageError(
        f"{deployment.model} {what}, and only a file can be run",
        hint=f"make one of its size without its weights: {make} && memfit verify {shlex.quote(out)}",
    )


def _refuse_what_this_machine_cannot_hold(predicted: Footprint, here: Device, limit_bytes: int | None) -> None:
    needed = unevictable_bytes(predicted)
    room = here.capacity_bytes - SPARE_BYTES
    if min(needed, limit_bytes if limit_bytes is not None else needed) <= room:
        return
    raise UsageError(
        f"it may take {format_bytes(needed)} that cannot be dropped, and this machine has"
        f" {format_bytes(here.capacity_bytes)} available: the kernel would kill other programs for it",
        hint=f"hold it to what there is: --limit {max(room, SPARE_BYTES) >> 20}MiB",
    )


def _learn(predicted: Footprint, plain: Footprint, runs: Iterable[Observation], setting: str) -> Footprint:
    """Keep what the runs taught; the prediction stays what it was before them, with a warning if that failed."""
    for observation in runs:
        residual = residual_of(plain, observation, setting)
        if residual is None:
            continue
        kept = keep(observation, residual)
        predicted = _warned(predicted, kept.warning, instead_of=kept.instead_of)
    return predicted


def _warned(predicted: Footprint, *warnings: str, instead_of: str = "") -> Footprint:
    """With these warnings, each once, and without one that they replace."""
    told = dict.fromkeys(filter(None, (*predicted.warnings, *warnings)))
    return msgspec.structs.replace(predicted, warnings=tuple(one for one in told if one != instead_of))
