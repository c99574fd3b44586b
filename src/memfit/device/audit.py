"""The audit of a machine: facts are read through a host, then everything else follows from them.

Nothing is ever written, no CUDA context is made, and what only root may read is named instead of guessed. The same
facts through any door give the same audit.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone

import msgspec

from memfit.device.audit_facts import AuditFacts, read_audit_facts
from memfit.device.audit_records import Audit, Check, Reclaim, Stack
from memfit.device.boards import BOARDS
from memfit.device.carveouts import boot_configuration
from memfit.device.checks import CHECKS, Findings
from memfit.device.checks._item import check
from memfit.device.compatibility import engines_on
from memfit.device.facts import FACTS
from memfit.device.ledger import Ledger, build_ledger
from memfit.device.nvmap import NvMap
from memfit.device.reclaims import find_reclaims
from memfit.device.unseen import DEBUG_FILES
from memfit.errors import ProbeError
from memfit.host import Host, LocalHost

_PAGE_COLOURS = (15, 16)  # NvMap of R35 keeps one page in sixteen for page colouring: Makefile.memory.configs


def audit(host: Host | None = None) -> Audit:
    """Where every MB of a machine went; this machine where None.

    An unpacked image has no memory: its audit has what is installed there, and an empty ledger.

    Raises:
        ProbeError: it runs and is no Linux, or its ``/proc`` cannot be read.
    """
    host = host or LocalHost()
    if isinstance(host, LocalHost) and host.is_whole and not sys.platform.startswith("linux"):
        raise ProbeError(
            f"this machine runs {sys.platform}, and an audit reads Linux",
            hint="audit a device over SSH: memfit audit --host NAME",
        )
    return build_audit(read_audit_facts(host))


def audit_paths() -> tuple[str, ...]:
    """Shell patterns of every file, folder and link that an audit may read: what is fetched, and what is recorded."""
    paths = (path for fact in FACTS for path in fact.paths)
    return tuple(dict.fromkeys((*paths, DEBUG_FILES)))


def build_audit(facts: AuditFacts) -> Audit:
    """The record that follows from facts."""
    ledger = None if facts.ledger is None else build_ledger(facts.ledger)
    bare = _without_judgement(facts, ledger)
    reclaims: tuple[Reclaim, ...] = ()
    if facts.ledger is not None and ledger is not None:
        reclaims = find_reclaims(facts.ledger, ledger.terms)
    judged = msgspec.structs.replace(bare, reclaims=reclaims)
    return msgspec.structs.replace(judged, checks=_checks(facts, judged))


def _without_judgement(facts: AuditFacts, ledger: Ledger | None) -> Audit:
    identity, release = facts.identity, facts.release
    memory = facts.ledger.moment.meminfo if facts.ledger is not None else {}
    compatible, l4t = (identity.compatible if identity else ()), (release.l4t if release else None)
    key = identity.key if identity is not None else None
    board = BOARDS.get(key) if key is not None else None
    capability = board.compute_capability.value if board is not None and board.compute_capability is not None else None
    on_board = board.physical_bytes.value if board is not None and board.physical_bytes is not None else None
    return Audit(
        host=facts.host,
        door=facts.door,
        taken=facts.taken or datetime.now(timezone.utc).isoformat(timespec="seconds"),
        board=identity.name if identity is not None else None,
        board_key=key,
        compatible=compatible,
        l4t=l4t,
        jetpack=release.jetpack if release is not None else None,
        stack=_stack(facts),
        boot=facts.boot,
        power=facts.power,
        clocks=facts.clocks,
        zones=facts.zones,
        rails=facts.rails,
        storage=facts.storage,
        swaps=facts.swaps,
        engines=engines_on(l4t, capability) if facts.jetson else (),
        physical_bytes=ledger.physical_bytes if ledger is not None else on_board,
        linux_bytes=memory.get("MemTotal"),
        available_bytes=memory.get("MemAvailable"),
        cuda_bytes=cuda_bytes(facts.nvmap, memory, facts.version),
        unexplained_bytes=ledger.unexplained_bytes if ledger is not None else None,
        explanations=ledger.explanations if ledger is not None else (),
        carveouts=boot_configuration(compatible, l4t),
        terms=ledger.terms if ledger is not None else (),
        processes=facts.ledger.processes if facts.ledger is not None else (),
        nvmap=facts.nvmap.clients if facts.nvmap is not None else (),
        unseen=facts.unseen,
    )


def cuda_bytes(nvmap: NvMap | None, memory: dict[str, int], release: tuple[int, ...]) -> int | None:
    """What CUDA can allocate now: what NvMap says itself, else what its driver computes; None without NvMap.

    ``nvmap_ioctl.c``: MemAvailable less CmaFree on R36, 15/16 of that on R35. On Thor CUDA does not ask NvMap.
    """
    if nvmap is None:
        return None
    if nvmap.free_bytes is not None:
        return nvmap.free_bytes
    if release[:1] not in ((35,), (36,)) or "MemAvailable" not in memory:
        return None
    free = max(0, memory["MemAvailable"] - memory.get("CmaFree", 0))
    return free * _PAGE_COLOURS[0] // _PAGE_COLOURS[1] if release[0] == 35 else free


def _stack(facts: AuditFacts) -> Stack:
    release = facts.release
    return Stack(
        l4t=release.l4t if release is not None else None,
        jetpack=release.jetpack if release is not None else None,
        kernel=facts.kernel,
        distribution=facts.distribution,
        cuda=release.cuda if release is not None else None,
        tensorrt=release.tensorrt if release is not None else None,
        cudnn=release.cudnn if release is not None else None,
        python=facts.python,
        docker=facts.docker,
    )


def _checks(facts: AuditFacts, judged: Audit) -> tuple[Check, ...]:
    findings = Findings(
        audit=judged,
        jetson=facts.jetson,
        release=facts.version,
        meminfo=facts.ledger.moment.meminfo if facts.ledger is not None else {},
        boot_log=facts.ledger.boot_log if facts.ledger is not None else None,
        fans=facts.fans,
    )
    return tuple(check(name, item, findings) for name, item in CHECKS.items())
