"""The course of one run: everything seen so far, so that whatever ends it, the record holds what there was."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from memfit.device.cgroup import CgroupMemory
from memfit.device.pages import Mapped, left_out_bytes, mapped, mapped_bytes, touched_bytes
from memfit.device.process_tree import process_tree
from memfit.device.vmstat import Vmstat, read_vmstat
from memfit.engine.records import TERM_NAMES, Buffer
from memfit.measure.family import Holding, holding
from memfit.measure.limits import Fence
from memfit.measure.phases import Phases
from memfit.measure.records import EngineIdentity, Outcome, Paging, Phase, Reading, Sample
from memfit.measure.sampler import Sampler

_MAPPED = "CPU_Mapped"  # what llama.cpp calls weights that it maps


class Ended(Exception):
    """The run is over before its work was done: ``outcome`` and ``reason`` of the record."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome
        self.reason = reason


class Work(msgspec.Struct):
    """Tokens and the time they took, of all users together."""

    tokens: int = 0
    seconds: float = 0.0

    def add(self, tokens: int, seconds: float) -> None:
        """So much more."""
        self.tokens += tokens
        self.seconds += seconds

    @property
    def tokens_per_s(self) -> float | None:
        """None where nothing was computed."""
        return round(self.tokens / self.seconds, 3) if self.tokens and self.seconds > 0 else None


class Course:
    """Collects what a run shows.

    Args:
        engine: who runs, as far as it is known before it says so itself.

    Attributes:
        on_phase: called with every phase as it is recorded.
        pid: the root of the process tree, 0 before it runs.
        loaded_share: how much of the model was loaded, as the engine says it.
        prompts, answers: what was computed.
        unevictable_bytes: the largest seen.
        charged_elsewhere_bytes: the most of the model that was mapped and that its group was not charged with.
        notes: what went wrong without ending the run.
        said: the end of what the engine printed.
        paging, peak_limit_bytes, samples, readings: known once it is frozen.
    """

    def __init__(self, engine: EngineIdentity) -> None:
        self.engine = engine
        self.fence: Fence | None = None
        self.pid = 0
        self._kept = Phases()
        self.loaded_share: float | None = None
        self.prompts = Work()
        self.answers = Work()
        self.unevictable_bytes = 0
        self.notes: list[str] = []
        self.said = ""
        self.paging = Paging()
        self.peak_limit_bytes: int | None = None
        self.samples: tuple[Sample, ...] = ()
        self.readings: tuple[Reading, ...] = ()
        self._sampler: Sampler | None = None
        self._resident_bytes = 0
        self.on_phase: Callable[[Phase], None] | None = None
        self._began_s = time.monotonic()
        self._buffers: dict[tuple[str, str, int | None], Buffer] = {}
        self._files: Sequence[str] = ()
        self._mapped_bytes = 0
        self._whole_bytes = 0
        self._elsewhere_bytes = 0
        self.charged_elsewhere_bytes = 0
        self._shared_bytes = 0
        self._machine = read_vmstat()
        self._refaults = 0

    @property
    def phases(self) -> list[Phase]:
        """What was recorded, in order; of a long soak only some rounds."""
        return self._kept.kept

    @property
    def at_s(self) -> float:
        """Since the start of the run, by a clock that no one sets."""
        return round(time.monotonic() - self._began_s, 3)

    @property
    def place(self) -> str:
        """How far it came: ``at 90 % of the load``."""
        if not self.phases:
            return "at its start"
        last = self.phases[-1].name
        if last == "started" and self.loaded_share is not None:
            return f"at {self.loaded_share * 100:.0f} % of the load"
        return f"after the phase {last!r}"

    @property
    def charged_bytes(self) -> int | None:
        """The largest charge of the group so far."""
        return self._charges().peak_bytes

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        """Every buffer with the most of it that was ever seen touched."""
        return tuple(self._buffers.values())

    def attach(self, fence: Fence, pid: int, files: Sequence[str] = ()) -> None:
        """The processes to look at, and the files that they may map."""
        self.fence, self.pid, self._files = fence, pid, files
        self._began_s = time.monotonic()

    def stand(
        self, name: str, *, tokens: int = 0, seconds: float = 0.0, buffers: Sequence[dict[str, Any]] = ()
    ) -> None:
        """The engine stands still: read what it holds.

        Args:
            name: of the phase.
            tokens: computed in it.
            seconds: that took.
            buffers: as the engine lists them, see ``Allocations.buffers`` of its child.
        """
        pids = self._pids()
        held = holding(pids)
        # read once: of gigabytes that are mapped it takes milliseconds
        files = {pid: found for pid in {*pids, self.pid} if (found := mapped(pid)) is not None}
        self._note_buffers(buffers, files.get(self.pid))
        self._note_files([files[pid] for pid in pids if pid in files], held)
        phase = Phase(
            name=name,
            at_s=self.at_s,
            pss_bytes=held.pss_bytes,
            anonymous_bytes=held.anonymous_bytes,
            file_bytes=held.file_bytes,
            swapped_bytes=held.swapped_bytes,
            tokens=tokens,
            seconds=round(seconds, 6),
            refaults=self._refaults_since(),
        )
        self._count_unevictable(held)
        self._kept.add(phase)
        if self.on_phase is not None:
            self.on_phase(phase)

    @property
    def peak_pss_bytes(self) -> int:
        """The largest PSS: of a phase, or of the resident peak between them less what was shared."""
        between = self._resident_bytes - self._shared_bytes
        return max([between, *(phase.pss_bytes for phase in self.phases), 0])

    @property
    def mapped_elsewhere_bytes(self) -> int:
        """What the largest PSS leaves out of libraries and models, because other programs have mapped them too."""
        return max(self._elsewhere_bytes, self._whole_bytes - self.peak_pss_bytes)

    def sample(self, sampler: Sampler) -> None:
        """What reads memory beside the phases, until it is frozen."""
        self._sampler = sampler

    def note(self, text: str) -> None:
        """Something that went wrong without ending the run; nothing where it is empty."""
        if text:
            self.notes.append(text)

    def freeze(self) -> None:
        """Read what is lost when the run is taken down: counters of the group and of the machine, the samples."""
        self.paging = self._paging()
        self.peak_limit_bytes = self._charges().peak_bytes
        if self._sampler is not None:
            self.samples, self.readings = tuple(self._sampler.samples), tuple(self._sampler.readings)
            self._resident_bytes = self._sampler.peak_resident_bytes
            self.unevictable_bytes = max(self.unevictable_bytes, self._sampler.peak_unevictable_bytes or 0)
            if self.peak_limit_bytes is None:  # a kernel before 5.19 keeps no peak in version 2
                self.peak_limit_bytes = self._sampler.peak_limited_bytes
            self.notes.extend(self._sampler.notes)

    def add_buffers(self, buffers: Sequence[Buffer]) -> None:
        """Buffers that an engine's log tells of; those that were seen being made are known better."""
        if self._buffers:
            return
        weights = [each for each in buffers if each.name.startswith(_MAPPED)]
        for index, each in enumerate(buffers):
            if self._mapped_bytes and weights == [each]:
                each = msgspec.structs.replace(each, touched_bytes=min(self._mapped_bytes, each.reserved_bytes))
            self._buffers[each.term, each.name, index] = each

    def _paging(self) -> Paging:
        """The group is fresh, so its counts are the run's own; the sampler's begin a moment later."""
        seen = Paging() if self._sampler is None else self._sampler.paging
        charges = self._charges()
        if charges.refaults is not None:
            seen = msgspec.structs.replace(seen, refaults=charges.refaults, refaults_scope="cgroup")
        return msgspec.structs.replace(
            seen,
            major_faults=max(seen.major_faults, charges.major_faults or 0),
            limit_failures=max(seen.limit_failures, charges.limit_failures or 0),
            oom_kills=max(seen.oom_kills, charges.oom_kills or 0),
        )

    def killed_for_memory(self) -> str:
        """Whose limit the kernel killed a process for; empty where it did not."""
        counted = self._charges().oom_kills
        if counted is None:  # others may have been killed on this machine meanwhile: better than not to know
            now = read_vmstat()
            counted = _oom_kills(now) - _oom_kills(self._machine)
        if not counted:
            return ""
        limited = self.fence is not None and self.fence.limit.mechanism != "none" and self.fence.limit.limit_bytes
        return "the limit" if limited else "this machine's memory"

    def _charges(self) -> CgroupMemory:
        """The group's counters; all None without a group."""
        group = None if self.fence is None else self.fence.group
        return CgroupMemory() if group is None else group.memory()

    def _pids(self) -> tuple[int, ...]:
        group = None if self.fence is None else self.fence.group
        inside = () if group is None else group.pids()
        if inside or self._sampler is None:
            return inside
        return process_tree(self.pid)

    def _count_unevictable(self, held: Holding) -> None:
        own = self._charges().unevictable_bytes
        if own is None:
            own = held.anonymous_bytes + held.shared_memory_bytes
        self.unevictable_bytes = max(self.unevictable_bytes, own + held.locked_bytes)

    def _refaults_since(self) -> int:
        so_far = self._paging().refaults
        self._refaults, before = so_far, self._refaults
        return max(0, so_far - before)

    def _note_files(self, found: Sequence[Mapping[int, Mapped]], held: Holding) -> None:
        """What is mapped of files, of which PSS leaves out a part where other programs have mapped them too."""
        model = max((mapped_bytes(each, self._files) for each in found), default=0)
        self._mapped_bytes = max(self._mapped_bytes, model)
        charged = self._charges().file_bytes
        if charged is not None:
            self.charged_elsewhere_bytes = max(self.charged_elsewhere_bytes, model - charged)
        elsewhere = left_out_bytes(found)
        self._whole_bytes = max(held.pss_bytes + elsewhere, self._whole_bytes)
        if held.pss_bytes >= max((each.pss_bytes for each in self.phases), default=0):
            self._shared_bytes, self._elsewhere_bytes = held.resident_bytes - held.pss_bytes, elsewhere

    def _note_buffers(self, buffers: Sequence[dict[str, Any]], files: Mapping[int, Mapped] | None) -> None:
        for buffer in buffers:
            if buffer["term"] not in TERM_NAMES:
                continue
            touched = None
            if buffer["address"] is not None:
                touched = touched_bytes(self.pid, buffer["address"], buffer["bytes"])
            elif buffer["files"]:
                touched = None if files is None else min(mapped_bytes(files, buffer["files"]), buffer["bytes"])
            place = _place(buffer)
            before = self._buffers.get(place)
            if before is not None and before.reserved_bytes == buffer["bytes"] and before.touched_bytes is not None:
                touched = max(before.touched_bytes, touched or 0)
            known = {"term": buffer["term"], "name": buffer["name"], "reserved_bytes": buffer["bytes"]}
            self._buffers[place] = Buffer(**known, touched_bytes=touched)
        listed = {_place(buffer) for buffer in buffers}
        for place in [place for place in self._buffers if place not in listed]:
            del self._buffers[place]  # made anew elsewhere: a work buffer that has grown


def _oom_kills(counts: Vmstat | None) -> int:
    return 0 if counts is None else counts.oom_kills or 0


def _place(buffer: dict[str, Any]) -> tuple[str, str, int | None]:
    return buffer["term"], buffer["name"], buffer["address"]
