"""What a run showed: observations, and a prediction beside one."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.engine.records import Buffer, Deployment, Profile, Workload
from memfit.footprint.records import Footprint

Mechanism = Literal["cgroup_v2", "cgroup_v1", "systemd_scope", "none"]
Outcome = Literal["running", "completed", "killed", "failed", "hung", "interrupted"]
Judgement = Literal["within", "under", "over", "killed", "paged"]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Which machine ran it; no host name and no serial.

    Attributes:
        key: what calibration is kept under: board or CPU model, folded.
        cpu: the processor's name as the kernel prints it.
        board: the device tree's model, None where there is none.
        kernel: release of the running kernel.
        total_bytes: MemTotal.
        threads: CPU cores.
    """

    key: str
    cpu: str
    board: str | None = None
    kernel: str
    total_bytes: int
    threads: int


class EngineIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who ran the model.

    Attributes:
        name: key of ``engine.runtimes``.
        version: as the engine says it, with its commit where it does.
        backend: ``cpu`` or ``cuda``.
        instructions: what it was built for or found, as it prints them.
    """

    name: str
    version: str
    backend: str
    instructions: str = ""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """The memory a run was held to.

    Attributes:
        mechanism: what enforced it; ``none``: only watched.
        limit_bytes: None without a limit.
        swap_bytes: swap allowed beyond it.
        note: why it could not be enforced, or what else the reader must know.
    """

    mechanism: Mechanism = "none"
    limit_bytes: int | None = None
    swap_bytes: int = 0
    note: str = ""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of the process tree at a moment the engine stood still: ``smaps_rollup`` added up over the tree.

    Attributes:
        name: ``started``, ``loaded``, ``prompt``, ``decode``, ``round N``.
        at_s: since the start of the run.
        pss_bytes, anonymous_bytes, file_bytes, swapped_bytes: as in ``device.process.ProcessMemory``.
        tokens, seconds: what was computed in the phase and how long that took; of a round, what was generated.
        refaults: pages read again since the phase before, as in ``Paging``.
    """

    name: str
    at_s: float
    pss_bytes: int
    anonymous_bytes: int
    file_bytes: int
    swapped_bytes: int = 0
    tokens: int = 0
    seconds: float = 0.0
    refaults: int = 0


class Sample(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One reading at 10 Hz; None where the meter does not exist here.

    ``resident_bytes`` of the tree by statm, ``limited_bytes`` charged to the cgroup, ``available_bytes`` MemAvailable.
    """

    at_s: float
    resident_bytes: int
    limited_bytes: int | None = None
    available_bytes: int | None = None


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """What the kernel did to make room during the run, as differences between its end and its start.

    Attributes:
        major_faults: of the process tree, or the cgroup.
        refaults: pages read again soon after they were dropped (``workingset_refault_file`` and ``_anon``).
        refaults_scope: whether they were counted for the cgroup or for the whole machine.
        limit_failures: how often the limit was hit (memory.failcnt, memory.events max).
        oom_kills: processes the kernel killed in the cgroup.
        stalled_s: time tasks waited for memory (PSI some), None where the kernel has no PSI.
    """

    major_faults: int = 0
    refaults: int = 0
    refaults_scope: Literal["cgroup", "machine", "none"] = "none"
    limit_failures: int = 0
    oom_kills: int = 0
    stalled_s: float | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a further meter saw: one named series, thinned to at most 600 points.

    ``unit`` is the suffix of a house name: ``bytes``, ``mw``, ``mhz``, ``c``, ``ratio``.
    """

    meter: str
    name: str
    unit: str
    at_s: tuple[float, ...]
    values: tuple[float, ...]


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One run, complete or not.

    Attributes:
        id: of the store, 0 until it is kept there.
        began: UTC, ISO 8601.
        duration_s: by a monotonic clock, whatever the wall clock did.
        outcome: ``completed``; ``killed`` by the kernel for memory; ``failed``: the engine ended or answered an error;
            ``hung``: it gave no sign for too long; ``interrupted``: memfit was; ``running``: it does, or memfit died.
        reason: of any other outcome than ``completed``, in a sentence.
        shape_digest: of the model's architecture, tensors and metadata that memory depends on.
        peak_pss_bytes: largest PSS of the tree. Between phases it is the resident peak (VmHWM) less what was shared.
        mapped_elsewhere_bytes: what that leaves out of libraries and models that other programs have mapped, too.
        charged_elsewhere_bytes: the most of the model's files that the run had mapped and its cgroup was not charged
            with, because others held them in memory; 0 without a cgroup.
        peak_limit_bytes: largest charge of the cgroup, page cache included; None without one.
        unevictable_bytes: largest of what the kernel cannot drop: anonymous, shared and kernel memory.
        buffers: what the engine reserved, and what of it was touched.
        said: the end of what the engine printed.
    """

    id: int = 0
    began: str
    duration_s: float
    outcome: Outcome
    reason: str = ""
    machine: Machine
    engine: EngineIdentity
    deployment: Deployment
    profile: Profile = "library"
    shape_digest: str = ""
    workload: Workload
    limit: Limit = Limit()
    phases: tuple[Phase, ...] = ()
    samples: tuple[Sample, ...] = ()
    readings: tuple[Reading, ...] = ()
    paging: Paging = Paging()
    peak_pss_bytes: int
    mapped_elsewhere_bytes: int = 0
    charged_elsewhere_bytes: int = 0
    peak_limit_bytes: int | None = None
    unevictable_bytes: int
    buffers: tuple[Buffer, ...] = ()
    prompt_tokens_per_s: float | None = None
    decode_tokens_per_s: float | None = None
    said: str = ""
    memfit_version: str = ""
    schema_version: int = 1


class ObservedTerm(msgspec.Struct, frozen=True, kw_only=True):
    """One term as it was observed; None where the run could not tell."""

    name: str
    reserved_bytes: int | None = None
    touched_bytes: int | None = None
    predicted_bytes: int
    residual_bytes: int | None = None


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an observation that a prediction is held against.

    ``compared_bytes`` is the peak that the residual was taken of: PSS, mapped files whole as if it ran alone, and the
    GPU's memory where a meter saw it.
    """

    peak_pss_bytes: int
    peak_limit_bytes: int | None
    unevictable_bytes: int
    compared_bytes: int
    terms: tuple[ObservedTerm, ...] = ()


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """Memory over the rounds of a soak.

    Attributes:
        warm_up_bytes: gained from the first round to the one where it settled.
        bytes_per_round: slope after the warm-up (Theil and Sen), with its 95 % interval.
        leaks: the interval lies above zero and the slope explains more than noise and the steps of a heap.
    """

    rounds: int
    warm_up_bytes: int
    bytes_per_round: float
    low_bytes_per_round: float
    high_bytes_per_round: float
    leaks: bool


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction beside the run that tested it.

    Attributes:
        compared_bytes: the ``likely`` of what could be observed: all of it, but what lies on a GPU that no meter saw.
        residual_bytes: ``observed.compared_bytes`` less ``compared_bytes``.
        verdict: ``within`` low and high; ``under`` low; ``over`` high; ``killed`` by the kernel; ``paged``: it ran only
            by reading pages again and again, or below 80 % of its unlimited speed.
        runs: whether it runs under the limit: the question of a device. Also false where that cannot be told, which
            ``reason`` says: nothing held it to the limit, or others held the model in memory for it.
        unlimited_decode_tokens_per_s: of the same deployment without a limit, the median of several runs; None where
            none was run.
        notes: what must be known about the comparison.
    """

    predicted: Footprint
    observed: Observed
    compared_bytes: int
    residual_bytes: int
    residual_ratio: float
    verdict: Judgement
    runs: bool
    reason: str = ""
    decode_tokens_per_s: float | None = None
    unlimited_decode_tokens_per_s: float | None = None
    limit_bytes: int | None = None
    growth: Growth | None = None
    observation: Observation
    calibrated: bool = False
    notes: tuple[str, ...] = ()
    schema_version: int = 1
