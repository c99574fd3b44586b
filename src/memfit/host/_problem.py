"""How a door says that a file cannot be read: with the same words, whichever door it is."""

from __future__ import annotations

from memfit.errors import NeedsRoot, ProbeError

PERMISSION = "permission"


def problem(path: str, error: OSError) -> ProbeError:
    """The failure to raise for what the kernel said."""
    if isinstance(error, PermissionError):
        return needs_root(path, "run again with sudo")
    return ProbeError(f"{path}: {error.strerror or error}")


def needs_root(path: str, hint: str) -> NeedsRoot:
    """The failure of a file that only root may read."""
    return NeedsRoot(f"{path}: only root may read it", hint=hint)
