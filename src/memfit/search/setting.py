"""How a search is run, and what it measures of a file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from memfit.engine.predictions import Speed
from memfit.errors import UsageError
from memfit.model.shape import ModelShape
from memfit.search.records import Quality, TaskResult
from memfit.search.tasks import Tasks


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How a search is run.

    Attributes:
        window_tokens: of the windows that the text is cut into.
        threads: all that this process may use where None.
        tasks: files of tasks that floors name.
        wants_speed: speed is to be measured with every candidate.
        kv: formats of the KV cache in every measurement.
        imatrix: importances to take instead of gathering them.
    """

    window_tokens: int = 512
    threads: int | None = None
    tasks: tuple[Tasks, ...] = ()
    wants_speed: bool = False
    kv: tuple[str, str] = ("F16", "F16")
    imatrix: Path | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A file's figures; no quality where it predicts no numbers."""

    quality: Quality | None
    tasks: tuple[TaskResult, ...] = ()
    speed: Speed | None = None

    @property
    def known(self) -> Quality:
        """The quality of a file that predicts numbers."""
        assert self.quality is not None
        return self.quality


def fitting_window(shape: ModelShape, asked: int) -> int:
    """Tokens of a window: as asked for, and no more than the model was trained for.

    Raises:
        UsageError: too few to count anything.
    """
    most = shape.context_trained_tokens
    window = min(asked, most) if most else asked
    if window < 16:
        raise UsageError(f"windows of {window} tokens", hint="--window 512 is usual; 16 is the least")
    return window
