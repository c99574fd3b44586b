"""Runs of servers over HTTP: one that works, each way to answer wrongly, and one that runs already."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_engines import DEPLOYMENT, Kept, embed, server
from memfit.engine.records import Workload
from memfit.errors import UsageError
from memfit.measure import run
from memfit.measure.completions import Client
from memfit.measure.records import Observation
from memfit.measure.run import observe
from memfit.units import MIB


@pytest.fixture
def port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        found: int = listening.getsockname()[1]
        return found


def ask(monkeypatch: pytest.MonkeyPatch, port: int, behaviour: str, **named: Any) -> Observation:
    fields = {"key": "secret"} if "keyed" in behaviour else {}
    embed(monkeypatch, server(behaviour, port, **fields))
    return observe(DEPLOYMENT, command=["llama-server"], **{"meters": False, "timeout_s": 20.0, **named})


def requests(seen: Observation) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in seen.said.splitlines() if line.startswith("asked ")]


def test_a_server_that_works(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    seen = ask(monkeypatch, port, "loading", workload=Workload(users=3, rounds=2))
    assert (seen.outcome, seen.reason) == ("completed", "")
    assert [phase.name for phase in seen.phases] == ["started", "loaded", "decode", "round 1", "round 2"]
    assert [phase.tokens for phase in seen.phases] == [0, 0, 12, 12, 12]
    assert all(phase.pss_bytes > 0 for phase in seen.phases)
    assert seen.prompt_tokens_per_s
    assert seen.decode_tokens_per_s
    assert seen.engine.version == "b1-abcdef0"
    # nothing else can tell what a server allocated
    assert [(each.term, each.reserved_bytes >> 20, each.touched_bytes) for each in seen.buffers] == [
        ("weights", 11, None)
    ]
    asked = requests(seen)
    assert len(asked) == 6
    assert {each["model"] for each in asked} == {"the-model"}
    assert {len(each["prompt"]) for each in asked} == {6}
    assert {each["max_tokens"] for each in asked} == {4}
    assert all(each["stream"] and each["ignore_eos"] and not each["cache_prompt"] for each in asked)
    # everyone has a prompt of his own, of ids that the vocabulary holds
    assert len({tuple(each["prompt"]) for each in asked}) == 6
    assert all(0 <= token < 100 for each in asked for token in each["prompt"])


def test_the_same_seed_asks_the_same(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    asked = [requests(ask(monkeypatch, port, "ok", workload=Workload(seed=seed))) for seed in (1, 1, 2)]
    assert asked[0] == asked[1]
    assert asked[0] != asked[2]


def test_a_server_that_takes_less_is_asked_more_plainly(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    seen = ask(monkeypatch, port, "plain nohealth")
    assert seen.outcome == "completed"
    asked = requests(seen)
    assert [isinstance(each["prompt"], list) for each in asked] == [True, True, False]
    assert ["ignore_eos" in each for each in asked] == [True, False, False]
    assert asked[-1]["prompt"].split() == ["day"] * 6


def test_a_key_is_shown(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    assert ask(monkeypatch, port, "keyed").outcome == "completed"


FAILURES = {
    "500": ("failed", "after the phase 'loaded': it answers HTTP 500: compute error"),
    "sick": ("failed", "it answers /health with HTTP 500: no slot left"),
    "picky": ("failed", "it answers HTTP 400: unknown field"),
    "garbage": ("failed", "speaks no HTTP"),
    "nonsense": ("failed", "streams what is no JSON object"),
    "fails": ("failed", "fails in the middle of its answer: context is full"),
    "dies": ("failed", "code 3 after the phase 'loaded': ggml_abort: it is over"),
    "hangs": ("hung", "gave no sign for 1 s after the phase 'loaded'"),
    "unready": ("hung", "gave no sign for 1 s after the phase 'started'"),
}


@pytest.mark.parametrize("behaviour", FAILURES)
def test_what_goes_wrong_is_the_result(monkeypatch: pytest.MonkeyPatch, port: int, behaviour: str) -> None:
    outcome, reason = FAILURES[behaviour]
    seen = ask(monkeypatch, port, behaviour, timeout_s=1.0 if outcome == "hung" else 20.0)
    assert seen.outcome == outcome, seen.reason
    assert re.search(re.escape(reason), seen.reason), seen.reason
    assert not Client(f"http://127.0.0.1:{port}", timeout_s=1).taken()


def test_one_user_of_several_who_is_answered_wrongly_ends_the_run(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    assert ask(monkeypatch, port, "cut", workload=Workload(users=2)).outcome == "failed"


def test_a_program_that_never_listens_hangs(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    start = server("ok", port)
    monkeypatch.setattr(
        run, "_start", lambda *_: type(start)(**{**_fields(start), "words": (sys.executable, "-c", "input()")})
    )
    seen = observe(DEPLOYMENT, meters=False, timeout_s=1.0)
    assert (seen.outcome, seen.phases) == ("failed", ())  # its input is empty, so it ends
    idle = "import time; time.sleep(60)"
    monkeypatch.setattr(
        run, "_start", lambda *_: type(start)(**{**_fields(start), "words": (sys.executable, "-c", idle)})
    )
    seen = observe(DEPLOYMENT, meters=False, timeout_s=1.0)
    assert (seen.outcome, "for 1 s at its start" in seen.reason) == ("hung", True)


def _fields(start: Any) -> dict[str, Any]:
    return {name: getattr(start, name) for name in start.__struct_fields__}


def test_a_port_that_is_taken_is_no_server_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        seen = ask(monkeypatch, other.getsockname()[1], "ok")
    assert seen.outcome == "failed"
    assert "is taken" in seen.reason
    assert seen.phases == ()


@pytest.fixture
def serving(port: int) -> Iterator[tuple[int, int]]:
    """A server that runs already: its pid and port."""
    start = server("ok", port)
    program = subprocess.Popen(start.words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not Client(start.url, timeout_s=1).taken() and time.monotonic() < deadline:
        time.sleep(0.02)
    yield program.pid, port
    program.kill()
    program.wait()


def test_a_server_that_runs_already_is_watched_and_left_running(
    serving: tuple[int, int],
) -> None:
    pid, port = serving
    seen = observe(DEPLOYMENT, url=f"http://127.0.0.1:{port}/v1", pid=pid, meters=False)
    assert (seen.outcome, seen.reason) == ("completed", "")
    assert [phase.name for phase in seen.phases] == ["loaded", "decode"]
    assert seen.phases[0].pss_bytes > 0
    assert seen.limit.mechanism == "none"
    assert "ran already" in seen.limit.note
    assert Path(f"/proc/{pid}").exists()
    assert Client(f"http://127.0.0.1:{port}", timeout_s=1).taken()


def test_a_running_server_at_another_address(serving: tuple[int, int]) -> None:
    pid, _ = serving
    seen = observe(DEPLOYMENT, url="http://127.0.0.1:1", pid=pid, meters=False)
    assert (seen.outcome, "nothing listens" in seen.reason) == ("failed", True)


@pytest.mark.parametrize(
    "address",
    ["localhost:8080", "http://127.0.0.1:99999", "http://127.0.0.1:http", "http://[::1", "http://a..b:80", "http://"],
)
def test_no_address_of_a_server(address: str) -> None:
    with pytest.raises(UsageError, match="no http address"):
        Client(address, timeout_s=1)
    store: Any = Kept()
    with pytest.raises(UsageError, match="no http address"):
        observe(DEPLOYMENT, url=address, pid=os.getpid(), store=store, meters=False)
    assert not store.begun


def test_a_program_that_is_not_there_is_named_and_nothing_of_the_fence() -> None:
    for limit in (None, 256 * MIB):
        command = ["nowhere/llama-server", "-m", DEPLOYMENT.model]
        seen = observe(DEPLOYMENT, command=command, limit_bytes=limit, meters=False)
        assert (seen.outcome, seen.said) == ("failed", "")
        assert seen.reason == "the engine cannot be started: nowhere/llama-server: not found"


def test_a_program_that_may_not_be_run(tmp_path: Path) -> None:
    program = tmp_path / "llama-server"
    program.write_text("#!/bin/sh\n")
    seen = observe(DEPLOYMENT, command=[str(program), "-m", DEPLOYMENT.model], meters=False)
    assert seen.reason.endswith("llama-server: may not be run")


def test_the_path_of_the_interface_may_be_part_of_the_address(serving: tuple[int, int]) -> None:
    _, port = serving
    assert Client(f"http://127.0.0.1:{port}/v1/", timeout_s=1).ready() is True
    assert Client(f"http://127.0.0.1:{port}", timeout_s=1).model() == "the-model"
