"""Follows an engine that tells its course in JSON lines and stands still at every phase until it is told to go on."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from memfit.measure.course import Course, Ended
from memfit.measure.endings import ending_of
from memfit.measure.patience import Patience
from memfit.measure.program import Flood, Program
from memfit.measure.records import EngineIdentity

_TICK_S = 0.1
_PATIENCE_S = 10.0  # for an engine that has said that it is done
_SHOWN = 80


class _Buffer(msgspec.Struct):
    term: str
    name: str
    bytes: int
    address: int | None = None
    files: list[str] = []


class _Done(msgspec.Struct):
    tokens: int = 0
    seconds: float = 0.0


class _Event(msgspec.Struct):
    """What an engine may say; see ``Live`` of ``engine/_llama_cpp/_child/live.py``."""

    event: str
    version: str = ""
    instructions: str = ""
    share: float = 0.0
    name: str = ""
    tokens: int = 0
    seconds: float = 0.0
    prompt: _Done | None = None
    decode: _Done | None = None
    buffers: list[_Buffer] = []
    what: str = ""
    why: str = ""


def drive(program: Program, course: Course, *, timeout_s: float) -> None:
    """Follow a run to its end.

    Args:
        program: that was started and given its job.
        course: where what is seen goes.
        timeout_s: without a word after which it is taken to hang.

    Raises:
        Ended: it ended before its work was done.
    """
    patience = Patience(timeout_s)
    while True:
        try:
            lines = program.hear(_TICK_S)
            ended = program.code is not None  # asked once: it may end between two questions, its last words unread
            if ended:
                lines += program.rest()
        except Flood:
            raise Ended("failed", "the engine printed a line without an end") from None
        for line in lines:
            if _follow(_read(line), program, course):
                program.end(_PATIENCE_S)
                return
            patience.heard()
        if ended:
            raise ending_of(program, course)
        if patience.is_over():
            raise Ended("hung", f"the engine gave no sign for {timeout_s:g} s {course.place}")


def _read(line: bytes) -> _Event:
    try:
        if b"\\ud" in line:  # maybe half a pair: a file's name that is no UTF-8, which msgspec does not take for text
            return msgspec.convert(json.loads(line), _Event)
        return msgspec.json.decode(line, type=_Event)
    except (msgspec.MsgspecError, ValueError):
        shown = line[:_SHOWN].decode("utf-8", "replace")
        raise Ended("failed", f"the engine printed what is no event: {shown!r}") from None


def _follow(event: _Event, program: Program, course: Course) -> bool:
    """Take an event in; whether it was the last."""
    if event.event == "engine":
        known = course.engine
        course.engine = EngineIdentity(
            name=known.name, version=event.version, backend=known.backend, instructions=event.instructions
        )
    elif event.event == "loading":
        course.loaded_share = event.share
    elif event.event == "phase":
        _phase(event, course)
        program.tell(b"go\n")
    elif event.event == "failed":
        why = _first_line(event.why)
        raise Ended("failed", f"the engine could not {event.what}{f': {why}' if why else ''}")
    return event.event == "done"


def _phase(event: _Event, course: Course) -> None:
    tokens, seconds = event.tokens, event.seconds
    if event.name == "prompt":
        course.prompts.add(tokens, seconds)
    elif event.name == "decode":
        course.answers.add(tokens, seconds)
    elif event.prompt is not None and event.decode is not None:
        tokens, seconds = event.decode.tokens, event.decode.seconds
        if event.name != "round 1":  # whose parts were phases of their own
            course.prompts.add(event.prompt.tokens, event.prompt.seconds)
            course.answers.add(tokens, seconds)
    buffers: list[dict[str, Any]] = [msgspec.structs.asdict(buffer) for buffer in event.buffers]
    course.stand(event.name, tokens=tokens, seconds=seconds, buffers=buffers)


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
