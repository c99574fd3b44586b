"""How long an engine may give no sign, by the time that memfit itself was awake."""

from __future__ import annotations

import time

LONGEST_LOOK_S = 1.0
"""Between two looks at an engine, at most: who looks later than that was stopped meanwhile (Ctrl-Z), or starved."""


class Patience:
    """Time without a sign of life. While memfit stands still it hears none, and that is not the engine's silence.

    Args:
        timeout_s: how long there may be none.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._silent_s = 0.0
        self._looked_s = time.monotonic()
        self._heard = False

    def heard(self) -> None:
        """It gave a sign; from any thread."""
        self._heard = True

    def is_over(self) -> bool:
        """Look at the clock, several times a second."""
        now = time.monotonic()
        waited_s, self._looked_s = now - self._looked_s, now
        if self._heard:
            self._heard, self._silent_s = False, 0.0
        else:
            self._silent_s += min(waited_s, LONGEST_LOOK_S, self.timeout_s / 4)
        return self._silent_s > self.timeout_s
