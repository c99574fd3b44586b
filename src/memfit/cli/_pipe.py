"""Standard output whose reader has gone away."""

from __future__ import annotations

import os


def let_go_of_stdout() -> None:
    """Point it at nothing, or what is still in its buffer fails once more when the interpreter ends."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
