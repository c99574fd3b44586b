"""Makes a server work: waits until it has loaded, then lets several users ask it at once, again and again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from memfit.device.process_tree import read_faults
from memfit.engine import Start
from memfit.engine.records import Workload
from memfit.measure.completions import Answer, Client, Refused, Trouble
from memfit.measure.course import Course, Ended
from memfit.measure.endings import ending_of
from memfit.measure.patience import LONGEST_LOOK_S, Patience
from memfit.measure.program import Program

_TICK_S = 0.1
_PATIENCE_S = 1.0
_WORD = "day"  # one token in most vocabularies, for servers that take no token ids
_PLAINEST = 2


def drive(program: Program | None, course: Course, start: Start, workload: Workload, *, timeout_s: float) -> None:
    """Drive a server through the workload.

    Args:
        program: that was started; None for a server that ran before and goes on afterwards.
        course: where what is seen goes.
        start: its address, and the tokens of each user.
        workload: users, rounds, seed.
        timeout_s: without a sign of life after which it is taken to hang.

    Raises:
        Ended: it ended, hung or answered wrongly before the work was done.
    """
    try:
        client = Client(start.url, start.key, timeout_s=min(timeout_s, LONGEST_LOOK_S))
        _await_ready(program, course, client, timeout_s)
        course.stand("loaded")
        users = _Users(client, start, workload)
        began_s, done = time.monotonic(), 0
        soak_s = workload.soak_s
        while not done or (time.monotonic() - began_s < soak_s if soak_s else done < max(1, workload.rounds)):
            answers = users.ask(lambda: _watch(program, course), timeout_s)
            done += 1
            _count(answers, course, done, rounds=bool(soak_s) or workload.rounds > 1)
    except Trouble as trouble:
        _raise_ended(program, course, patience_s=_PATIENCE_S)
        raise Ended("failed", f"the server {course.place}: {trouble}") from None
    except TimeoutError:
        _raise_ended(program, course)
        raise Ended("hung", f"the server gave no sign for {timeout_s:g} s {course.place}") from None


def _await_ready(program: Program | None, course: Course, client: Client, timeout_s: float) -> None:
    patience = Patience(timeout_s)
    while (ready := _ready(client)) is not True:
        if ready is False and not course.phases:
            course.stand("started")
        if ready is None and program is None:
            raise Ended("failed", "nothing listens at the address of the server")
        _watch(program, course)
        if patience.is_over():
            raise TimeoutError


def _ready(client: Client) -> bool | None:
    """See ``Client.ready``; one that answers too late for a question of so little has not loaded."""
    try:
        return client.ready()
    except TimeoutError:
        return False


def _watch(program: Program | None, course: Course) -> None:
    """Keep the server's log for a moment.

    Raises:
        Ended: it has ended.
    """
    if program is None:
        time.sleep(_TICK_S)
        if course.pid and read_faults(course.pid) is None:
            raise Ended("failed", f"the server ended {course.place}")
    else:
        program.hear(_TICK_S)
    _raise_ended(program, course)


def _raise_ended(program: Program | None, course: Course, *, patience_s: float = 0.0) -> None:
    """Raise ``Ended`` if it has ended; a connection breaks a moment before its server is seen to be gone."""
    deadline = time.monotonic() + patience_s
    while program is not None and program.code is None and time.monotonic() < deadline:
        program.hear(_TICK_S)
    if program is not None and program.code is not None:
        program.rest()
        raise ending_of(program, course)


def _count(answers: list[Answer], course: Course, done: int, *, rounds: bool) -> None:
    """What one round computed. A user's prompt ends with the first token; all answer from the last of those on."""
    first_s = max(answer.at_s[0] for answer in answers)
    last_s = max(answer.at_s[-1] for answer in answers)
    prompt_s = first_s - min(answer.began_s for answer in answers)
    # pieces may hold several tokens
    together = sum(sum(at > first_s for at in answer.at_s) * answer.tokens / len(answer.at_s) for answer in answers)
    course.prompts.add(sum(answer.prompt_tokens for answer in answers), prompt_s)
    course.answers.add(round(together), last_s - first_s)
    version = next((answer.version for answer in answers if answer.version), "")
    if version and not course.engine.version:
        course.engine = msgspec.structs.replace(course.engine, version=version)
    tokens = sum(answer.tokens for answer in answers)
    if done == 1:
        course.stand("decode", tokens=tokens, seconds=last_s - first_s)
    if rounds:
        course.stand(f"round {done}", tokens=tokens, seconds=last_s - first_s)


class _Users:
    """Users who ask at the same time, each with a prompt of its own."""

    def __init__(self, client: Client, start: Start, workload: Workload) -> None:
        self._client = client
        self._start = start
        self._users = max(1, workload.users)
        self._draw = random.Random(workload.seed)
        self._model = client.model()
        self._plainness = 0

    def ask(self, watch: Callable[[], None], timeout_s: float) -> list[Answer]:
        """One round: everyone's answer.

        Args:
            watch: called until all have answered.
            timeout_s: without a piece for anyone.

        Raises:
            Trouble: the server answered wrongly.
            TimeoutError: it fell silent.
        """
        while True:
            found = self._together([self._request() for _ in range(self._users)], watch, timeout_s)
            refused = [each for each in found if isinstance(each, Refused)]
            if not refused or self._plainness >= _PLAINEST:
                break
            self._plainness += 1
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return [each for each in found if isinstance(each, Answer)]

    def _together(
        self, requests: list[dict[str, Any]], watch: Callable[[], None], timeout_s: float
    ) -> list[Answer | BaseException]:
        found: list[Answer | BaseException] = [TimeoutError() for _ in requests]
        patience = Patience(timeout_s)

        def one(index: int) -> None:
            try:
                found[index] = self._client.complete(requests[index], patience.heard)
            except (Trouble, TimeoutError) as trouble:
                found[index] = trouble

        # daemons: a server that hangs must not keep memfit from ending
        threads = [threading.Thread(target=one, args=(index,), daemon=True) for index in range(len(requests))]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            watch()
            if patience.is_over():
                raise TimeoutError
        return found

    def _request(self) -> dict[str, Any]:
        start = self._start
        request: dict[str, Any] = {
            "model": self._model,
            "prompt": " ".join([_WORD] * start.prompt_tokens),
            "max_tokens": max(1, start.generate_tokens),
            "stream": True,
        }
        if self._plainness < _PLAINEST and start.vocabulary_tokens:
            request["prompt"] = [self._draw.randrange(start.vocabulary_tokens) for _ in range(start.prompt_tokens)]
        if self._plainness == 0:
            # the whole answer, whatever the model wants to say; every prompt computed anew
            request |= {"ignore_eos": True, "cache_prompt": False, "stream_options": {"include_usage": True}}
        return request
