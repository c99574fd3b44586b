"""Silence of an engine, and that of a memfit which was stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memfit.measure import patience
from memfit.measure.patience import LONGEST_LOOK_S, Patience

STOPPED = """
import sys
sys.path.insert(0, {tests!r})
from fake_engines import DEPLOYMENT, events
from memfit.measure import run

run._start = lambda *_: events({script!r})
seen = run.observe(DEPLOYMENT, timeout_s={timeout}, meters=False, on_phase=lambda phase: print(phase.name, flush=True))
print(seen.outcome, seen.reason)
"""


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(patience, "time", made)
    return made


def looks(one: Patience, clock: Clock, *steps_s: float) -> list[bool]:
    found = []
    for step_s in steps_s:
        clock.now_s += step_s
        found.append(one.is_over())
    return found


def test_silence_adds_up_and_a_sign_ends_it(clock: Clock) -> None:
    one = Patience(3.0)
    assert looks(one, clock, *[0.5] * 6) == [False] * 6
    one.heard()
    assert looks(one, clock, *[0.5] * 7, 0.1) == [False] * 7 + [True]


def test_what_memfit_slept_is_not_the_engines_silence(clock: Clock) -> None:
    one = Patience(8.0)
    assert looks(one, clock, 3600.0, 0.1) == [False, False]
    assert looks(one, clock, *[1.0] * 7) == [False] * 6 + [True]


def test_a_starved_memfit_still_loses_patience(clock: Clock) -> None:
    assert looks(Patience(60.0), clock, *[3 * LONGEST_LOOK_S] * 61)[-1]


def test_a_memfit_that_is_stopped_longer_than_its_patience_goes_on() -> None:
    timeout = 5.0
    script = f"start()\nstand('loaded')\ntime.sleep({timeout + 2.5})\nstand('prompt')\ndone()"
    code = STOPPED.format(tests=str(Path(__file__).parent.parent), script=script, timeout=timeout)
    memfit = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert memfit.stdout is not None
    assert [memfit.stdout.readline() for _ in range(2)] == ["started\n", "loaded\n"]
    time.sleep(0.5)  # it tells the engine to go on
    os.kill(memfit.pid, signal.SIGSTOP)
    time.sleep(timeout + 0.5)
    os.kill(memfit.pid, signal.SIGCONT)
    assert memfit.communicate(timeout=60)[0].splitlines()[-1].strip() == "completed"
