"""What training knows, on disk between two steps: whatever ends it, it goes on from there."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from memfit.errors import MemfitError


def keep(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file of state, whole or not at all.

    Raises:
        MemfitError: the disk is full or fails.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.part")
    for old in path.parent.glob(f"{path.name}.*.part"):  # what a kill left
        if not Path("/proc", old.suffixes[-2][1:]).exists():
            old.unlink(missing_ok=True)
    try:
        with fresh.open("wb") as file:
            torch.save(dict(content), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except (OSError, RuntimeError) as failure:  # torch's own writer says the second
        raise MemfitError(
            f"cannot keep the state of training in {path}: {failure}",
            hint="free some space, or give another folder: --work",
        ) from failure
    finally:
        fresh.unlink(missing_ok=True)


def take(path: Path, device: torch.device) -> dict[str, Any] | None:
    """A state that was kept; None where there is none that can be read."""
    with suppress(FileNotFoundError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError):
        found: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        return found
    return None


@contextmanager
def interruptions() -> Iterator[Callable[[], bool]]:
    """Ctrl-C is heeded between two steps, where state is whole; a second one at once. Gives whether there was one."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals are not for others
        yield asked.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def heed(number: int, frame: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signal.signal(signal.SIGINT, heed)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
