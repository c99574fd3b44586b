"""A base on the workbench with its text dealt out: everything that a search asks of the engine, in one place."""

from __future__ import annotations

import hashlib
import json
import math
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from memfit.engine.predictions import Place, Scored
from memfit.engine.workbench import Workbench
from memfit.errors import ModelError, UsageError
from memfit.search import importances
from memfit.search.base import Base, differing
from memfit.search.notes import Notes
from memfit.search.records import TaskResult, Text
from memfit.search.setting import Measured, Setting
from memfit.search.statistics import is_numbers, quality
from memfit.search.tasks import Tasks, answered, refuse_unfit, result
from memfit.search.text import Passage, split
from memfit.search.write import write

if TYPE_CHECKING:
    from typing_extensions import Self

Said = Callable[[str, int, int], None]

_RULES = 6  # of what is kept in notes: another number where the meaning of a line changes
_PROBE, _SEARCH, _UNSEEN = "probe", "search", "unseen"
_FED, _PLAIN, _TRAINED = "candidate", "preset", "trained"  # kinds of files that are made to be measured
_FIRST_PROBED = 0
_LEAST_UNSEEN = 2  # windows, below which nothing says how far apart they are


class Session:
    """Opens the workbench; everything learned goes into notes.

    Args:
        base: the model.
        passage: the text that is searched on.
        apart: a text to measure on; where None, a third of ``passage`` is kept unseen.
        setting: see there.
        work: folder for notes and for files that are measured.
        said: told about progress: what, how many are done, of how many.

    Raises:
        EngineMissing, EngineFailed: there is no engine, or it cannot do this.
        UsageError: too little text.
    """

    def __init__(
        self,
        base: Base,
        passage: Passage,
        apart: Passage | None,
        setting: Setting,
        *,
        work: Path | None,
        said: Said,
    ) -> None:
        self.base, self.setting, self._said = base, setting, said
        self._passage, self._apart = passage, apart
        self._made: dict[str, dict[str, str]] = {}  # of each kind the file made last: its formats
        self.bench = Workbench(
            base.shape, window_tokens=setting.window_tokens, threads=setting.threads, changeable=True
        )
        try:
            self._begin(work)
        except BaseException:
            self.bench.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.bench.close()
        for kind in (_FED, _PLAIN, _TRAINED):
            self._candidate(kind).unlink(missing_ok=True)

    @property
    def first(self) -> int:
        """Where predictions of a window begin to count: behind its first half, as llama-perplexity does it."""
        return self.setting.window_tokens // 2

    @property
    def probes(self) -> tuple[Sequence[int], int, str]:
        """Windows to probe on, where they begin to count, and the name of their reference."""
        return self.split.probe, _FIRST_PROBED, _PROBE

    def texts(self) -> tuple[Text, Text]:
        """The texts of the search and of the last measurement, as records."""
        apart = self._apart or self._passage
        return (
            self._text(self._passage, len(set(self.split.importance) | set(self.split.search)), self._tokens),
            self._text(apart, len(self.split.unseen), self._apart_tokens or self._tokens),
        )

    def recovered_file(self, formats: Mapping[str, str], replaced: Mapping[str, Place]) -> Path:
        """A file with numbers that were trained for its formats: rounded as in training, with no error fed back."""
        path = self._candidate(_TRAINED)
        write(self.bench, self.base, differing(formats, self.base), path, replaced=replaced, overwrite=True)
        return path

    def file_of(self, formats: Mapping[str, str], *, plain: bool = False) -> Path:
        """A file with these formats, in the notes' folder, until another of its kind is asked for.

        ``plain``: as llama-quantize would make it. What is rounded with error feedback takes far longer to make, and so
        lies there still when presets that compete with it have been made.
        """
        known = self.made(formats, plain=plain)
        if known is not None:
            return known
        kind, changed = _PLAIN if plain else _FED, differing(formats, self.base)
        path = self._candidate(kind)
        self._made.pop(kind, None)
        write(self.bench, self.base, changed, path, plain=plain, overwrite=True)
        self._made[kind] = changed
        return path

    def _candidate(self, kind: str) -> Path:
        return self.notes.place(f"{kind}-{os.getpid()}.gguf")

    def measure(self, formats: Mapping[str, str], *, unseen: bool, full: bool = False, plain: bool = False) -> Measured:
        """Make a file with these formats, and measure it with the real kernels.

        Args:
            formats: of the tensors that change.
            unseen: on the text that the search has not seen.
            full: tasks and speed too.
            plain: made as llama-quantize would make it.
        """
        changed = differing(formats, self.base)
        digest = hashlib.sha256(json.dumps(sorted(changed.items())).encode()).hexdigest()[:16]
        # what was measured without speed is no answer to whoever wants it
        timed = full and self.setting.wants_speed
        timing = f"timed by {self.setting.threads or len(os.sched_getaffinity(0))}"
        how = " ".join(word for word, is_so in (("full", full), (timing, timed), ("plain", plain)) if is_so)
        key = f"measured {digest} {'unseen' if unseen else 'search'} {self.setting.kv} {how}"
        known = self.notes.get(key)
        if known is not None:
            return self._named(msgspec.convert(known, Measured))
        found = self.measure_file(str(self.file_of(changed, plain=plain)), unseen=unseen, full=full)
        self.notes.learn(key, msgspec.to_builtins(found))
        return found

    def _named(self, known: Measured) -> Measured:
        """Its tasks by the names that their files have now: what was learned is of their content."""
        pairs = zip(known.tasks, self.setting.tasks, strict=True) if known.tasks else ()
        named = tuple(msgspec.structs.replace(one, file=now.file) for one, now in pairs)
        return msgspec.structs.replace(known, tasks=named)

    def made(self, formats: Mapping[str, str], *, plain: bool) -> Path | None:
        """The file of its kind that was made last, if it is of these formats."""
        changed = differing(formats, self.base)
        kind = _PLAIN if plain else _FED
        return self._candidate(kind) if self._made.get(kind) == changed else None

    def measure_file(self, path: str, *, unseen: bool, full: bool) -> Measured:
        """Measure a file that is there."""
        name = _UNSEEN if unseen else _SEARCH
        windows = self.split.unseen if unseen else self.split.search
        self._refer(name, windows, self.first)
        kv = self.setting.kv
        scored: Scored | None = None
        for part in self.bench.score(path, windows, first=self.first, against=name, kv=kv):
            scored = part if isinstance(part, Scored) else None
        assert scored is not None
        if not is_numbers(scored):
            return Measured(quality=None)  # and whatever answers it gives are none
        tasks: tuple[TaskResult, ...] = ()
        speed = None
        if full:
            tasks = tuple(
                result(one, answered(self.bench, path, one, kv=kv), self._base_answers(one))
                for one in self.setting.tasks
            )
            speed = self.bench.generate(path, kv=kv) if self.setting.wants_speed else None
        return Measured(quality=quality(scored), tasks=tasks, speed=speed)

    def use_cache(self, kv: tuple[str, str]) -> None:
        """Measure with these formats of the cache from now on."""
        self.setting = msgspec.structs.replace(self.setting, kv=kv)

    def cache_cost(self, kv: tuple[str, str]) -> float | None:
        """The divergence, in nats a token, of the base with its cache in these formats; None where it is no number."""
        key = f"cache {kv[0]} {kv[1]}"
        if key not in self.notes:
            self._refer(_SEARCH, self.split.search, self.first)
            *_, scored = self.bench.score(None, self.split.search, first=self.first, against=_SEARCH, kv=kv)
            assert isinstance(scored, Scored)
            self.notes.learn(key, quality(scored).kl_mean if is_numbers(scored) else None)
        found: float | None = self.notes.get(key)
        return found

    def prepare_probes(self) -> None:
        """Make the reference that probes are held against, if it is not there."""
        self._refer(_PROBE, self.split.probe, _FIRST_PROBED)

    def _begin(self, work: Path | None) -> None:
        self._tokens, windows = self.bench.text(self._passage.parts)
        self._apart_tokens = separate = 0
        if self._apart is not None:
            self._apart_tokens, separate = self.bench.text(self._apart.parts, more=True)
            if separate < _LEAST_UNSEEN:
                raise UsageError(
                    f"{self._apart.name}: its {self._apart_tokens} tokens fill {separate} windows of"
                    f" {self.setting.window_tokens}, and a measurement needs {_LEAST_UNSEEN}",
                    hint="give more text with --unseen, smaller windows (--window 128), or leave it out",
                )
        self.split = split(windows, separate=separate)
        self.unseen_bounds = (windows, windows + separate)  # of all windows of a text apart, also those not measured on
        self.notes = Notes(self._identity(), work)
        self._referred: set[str] = set()
        for tasks in self.setting.tasks:
            refuse_unfit(self.bench, tasks, self.setting.window_tokens)
        self._gather()

    def _identity(self) -> dict[str, object]:
        return {
            "rules": _RULES,
            "base": self.base.identity(),
            "text": self._passage.sha256,
            "apart": self._apart.sha256 if self._apart else None,
            "window_tokens": self.setting.window_tokens,
            "engine": self.bench.engine,
            "tasks": [one.sha256 for one in self.setting.tasks],
            "imatrix": None if self.setting.imatrix is None else importances.digest(self.setting.imatrix),
        }

    def _gather(self) -> None:
        kept = self.notes.place("importance.npz")
        if kept.exists() and not zipfile.is_zipfile(kept):
            kept.unlink()  # what a machine that lost its power left of it
        if not kept.exists() and self.setting.imatrix is not None:
            fresh = self.notes.place(f"importance-{os.getpid()}.part")
            importances.take_for(self.base, self.setting.imatrix, fresh)
            self.notes.settle("importance.npz", fresh)
        if kept.exists():
            self.bench.take_importance(kept)
        else:
            importances.gather(self.bench, self.base, self.split, self._said)
            fresh = self.notes.place(f"importance-{os.getpid()}.part")
            self.bench.keep_importance(fresh)
            self.notes.settle("importance.npz", fresh)

    def _refer(self, name: str, windows: Sequence[int], first: int) -> None:
        if name in self._referred:
            return
        for done, one in enumerate(self.bench.reference(name, windows, first=first), 1):
            if not math.isfinite(one.nats):
                raise ModelError(
                    "predicts no numbers: weights are not finite",
                    file=self.base.path,
                    hint="the file is damaged, or its conversion was: download or convert it again",
                )
            self._said("listening to the base", done, len(windows))
        self._referred.add(name)

    def _base_answers(self, tasks: Tasks) -> list[bool]:
        key = f"base answers {tasks.sha256}"
        if key not in self.notes:
            self.notes.learn(key, answered(self.bench, None, tasks))
        found: list[bool] = self.notes.get(key)
        return found

    def _text(self, passage: Passage, windows: int, tokens: int) -> Text:
        return Text(
            name=passage.name,
            sha256=passage.sha256,
            tokens=tokens,
            windows=windows,
            window_tokens=self.setting.window_tokens,
            first=self.first,
            bundled=passage.bundled,
        )
