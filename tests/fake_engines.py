"""Programs that behave like an engine, well or badly, for runs that must not depend on one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memfit.engine import Start
from memfit.engine.records import Deployment
from memfit.measure import run

if TYPE_CHECKING:
    import pytest

    from memfit.measure.records import Observation

MODEL = Path(__file__).parent.parent / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"
DEPLOYMENT = Deployment(model=str(MODEL))

# what a well-behaved engine does: say(...), stand("phase"), and everything ends with done()
PREAMBLE = """
import ctypes, json, os, signal, sys, time
def say(event, **content):
    os.write(1, (json.dumps({"event": event, **content}) + "\\n").encode())
def stand(name, **content):
    say("phase", name=name, **content)
    assert sys.stdin.readline() == "go\\n"
def start():
    job = sys.stdin.readline()
    say("engine", version="fake 1", instructions="none")
    stand("started")
    return job
def done():
    say("done")
    sys.exit(0)
"""


def events(script: str) -> Start:
    """An engine that speaks events, as ``PREAMBLE`` offers them."""
    return Start(words=(sys.executable, "-c", PREAMBLE + script), job=b"the job\n")


def server(script: str, port: int, **fields: Any) -> Start:
    """A server on ``port``; ``script`` is in ``fake_server.py``'s words."""
    program = Path(__file__).parent / "fake_server.py"
    known = {"prompt_tokens": 6, "generate_tokens": 4, "vocabulary_tokens": 100, **fields}
    return Start(
        words=(sys.executable, str(program), str(port), script),
        protocol="openai",
        url=f"http://127.0.0.1:{port}",
        **known,
    )


def embed(monkeypatch: pytest.MonkeyPatch, start: Start) -> None:
    """Let ``observe`` start this instead of llama.cpp."""
    monkeypatch.setattr(run, "_start", lambda *_: start)


class Kept:
    """A store in memory."""

    def __init__(self) -> None:
        self.begun: list[Observation] = []
        self.progressed: list[tuple[int, Observation]] = []
        self.finished: dict[int, Observation] = {}

    def begin(self, observation: Observation) -> int:
        self.begun.append(observation)
        return len(self.begun)

    def progress(self, identifier: int, observation: Observation) -> None:
        self.progressed.append((identifier, observation))

    def finish(self, identifier: int, observation: Observation) -> None:
        self.finished[identifier] = observation
