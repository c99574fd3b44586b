"""What the parent makes of a child that dies, hangs or talks nonsense. Needs no engine."""

from __future__ import annotations

import importlib.util
import json
import resource
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from oracle_models import small

from memfit.engine._llama_cpp import child
from memfit.engine._llama_cpp.ask import ask
from memfit.engine._llama_cpp.oracle import quantize, reserve
from memfit.engine._llama_cpp.reservation import DeviceSeen, Identity
from memfit.engine.records import Options
from memfit.errors import EngineFailed, EngineMissing, UnknownName, UsageError


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", f"import os, signal, sys\n{code}"]


def says(answer: object) -> list[str]:
    """A child that reads its job and answers this."""
    return python(f"sys.stdin.read(); print({json.dumps(json.dumps(answer))})")


def reserve_with(program: list[str], *, timeout_s: float = 60) -> None:
    reserve(small(), [Options()], program=program, timeout_s=timeout_s)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT", "SIGXCPU", "SIGTERM"])
def test_death_by_a_signal_names_it(name: str) -> None:
    with pytest.raises(EngineFailed, match=f"ended by {name}: the last words") as caught:
        reserve_with(
            python(f"print('the last words', file=sys.stderr, flush=True); os.kill(0 or os.getpid(), signal.{name})")
        )
    assert caught.value.said.strip() == "the last words"
    assert caught.value.hint


def test_an_exit_code_comes_with_the_end_of_what_was_said() -> None:
    with pytest.raises(EngineFailed, match="ended with code 3: last line") as caught:
        reserve_with(python("print('x' * 100000 + '\\nlast line', file=sys.stderr); sys.exit(3)"))
    assert len(caught.value.said) <= 16 * 1024


def test_a_hang_ends_at_the_time_limit() -> None:
    with pytest.raises(EngineFailed, match=r"did not answer in 0\.2 s"):
        reserve_with(python("signal.pause()"), timeout_s=0.2)


def test_a_child_that_answers_and_stays_is_ended() -> None:
    with pytest.raises(EngineFailed, match=r"did not answer in 0\.3 s"):
        reserve_with(python("print('{}', flush=True); os.close(1); os.close(2); signal.pause()"), timeout_s=0.3)


@pytest.mark.parametrize("answer", ["", "nonsense", "[]", '{"loads": 5}', "{}", '{"engine": {}, "loads": [[{}]]}'])
def test_garbage_is_a_failure(answer: str) -> None:
    with pytest.raises(EngineFailed, match="makes no sense"):
        reserve_with(python(f"sys.stdin.read(); print({answer!r})"))


def test_a_flood_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memfit.engine._llama_cpp.ask._MOST_ANSWER_BYTES", 1 << 20)
    with pytest.raises(EngineFailed, match="has no end"):
        reserve_with(python("while True: print('x' * 65536)"))


def test_too_few_answers_are_a_failure() -> None:
    answer = {"engine": {}, "loads": [[]], "peak_rss_bytes": 1, "state_allocated": False}
    with pytest.raises(EngineFailed, match="answered 0 of 1"):
        reserve_with(says(answer))


def test_a_child_that_cannot_start_is_a_failure() -> None:
    with pytest.raises(EngineFailed, match="cannot start"):
        reserve_with(["/nonexistent/python"])


def test_a_large_question_to_a_deaf_child_does_not_block() -> None:
    # more than a pipe holds, to a child that closes its input and talks meanwhile
    answer = ask(python("os.close(0); print('y' * 300000)"), b"x" * 10_000_000, timeout_s=60)
    assert answer == b"y" * 300000 + b"\n"


def test_a_large_question_is_read_whole() -> None:
    question = bytes(range(256)) * 20_000
    code = "data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data[::-1])"
    assert ask(python(code), question, timeout_s=60) == question[::-1]


def test_the_engine_refusing_the_model_is_told_with_its_first_complaint() -> None:
    why = "llama_model_load: error loading model: missing tensor 'x'\nllama_model_load_from_file_impl: failed"
    answer = {"engine": {}, "failed": {"what": "load the model", "why": why, "log": "long log"}}
    with pytest.raises(EngineFailed) as caught:
        reserve_with(says(answer))
    assert caught.value.message == "llama.cpp could not load the model: error loading model: missing tensor 'x'"
    assert caught.value.said == "long log"


@pytest.mark.parametrize(
    "program",
    [
        says({"failed": {"what": "load the model", "why": "std::bad_alloc", "log": ""}}),
        says(
            {
                "engine": {},
                "peak_rss_bytes": 1,
                "state_allocated": True,
                "loads": [[{"type": "refused", "why": "failed to allocate buffer for rs cache"}]],
            }
        ),
        python("raise MemoryError"),
    ],
    ids=["load", "context", "interpreter"],
)
def test_running_out_of_memory_is_told_as_such(program: list[str]) -> None:
    with pytest.raises(EngineFailed, match=r"ran out of the 1024\.0 MiB") as caught:
        reserve_with(program)
    assert caught.value.hint is not None


def test_without_llama_cpp_python_the_engine_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not child.is_installed()
    assert child.package_version() is None
    with pytest.raises(EngineMissing, match="not installed"):
        reserve(small(), [Options()])


def test_options_that_do_not_fit_the_engine_are_refused_before_it_is_asked() -> None:
    for options in (Options(context_tokens=2**31), Options(slots=-1), Options(threads=2**40)):
        with pytest.raises(UsageError, match="out of bounds"):
            reserve(small(), [options], program=python("sys.exit(1)"))
    with pytest.raises(UnknownName):
        reserve(small(), [Options(kv_type_k="Q9")], program=python("sys.exit(1)"))
    with pytest.raises(UnknownName):
        quantize(small(), 15, overrides=[("ffn", "Q9")], program=python("sys.exit(1)"))


def test_no_options_are_no_contexts() -> None:
    answer = {"engine": {"commit": "abc"}, "loads": [], "peak_rss_bytes": 1, "state_allocated": False}
    assert reserve(small(), [], program=says(answer)).contexts == ()


def test_the_job_says_what_the_options_say(tmp_path: Path) -> None:
    heard = tmp_path / "job.json"
    options = [
        Options(context_tokens=512, threads=3, output_rows=2, kv_type_k="Q8_0", flash_attention=False),
        Options(repack=False, gpu_layers=7, slots=2, unified_kv=True, full_window_cache=False, rollback_tokens=1),
    ]
    with pytest.raises(EngineFailed):
        reserve(
            small(),
            options,
            embeddings=True,
            timeout_s=9.5,
            memory_bytes=123,
            program=python(f"open({str(heard)!r}, 'w').write(sys.stdin.read()); sys.exit(1)"),
        )
    job = json.loads(heard.read_text())
    assert (job["kind"], job["memory_bytes"], job["time_s"], job["needs_gpu"]) == ("reserve", 123, 11, False)
    first, second = job["loads"]
    assert (first["repack"], first["gpu_layers"], first["gpu"]) == (True, -1, False)
    assert (second["repack"], second["gpu_layers"], second["gpu"]) == (False, 7, False)
    assert first["contexts"] == [
        {
            "n_ctx": 512,
            "n_batch": 2048,
            "n_ubatch": 512,
            "n_seq_max": 1,
            "n_rs_seq": 0,
            "n_outputs_max": 2,
            "n_threads": 3,
            "n_threads_batch": 3,
            "type_k": 8,
            "type_v": 1,
            "flash_attn_type": 0,
            "swa_full": True,
            "kv_unified": False,
            "embeddings": True,
        }
    ]
    context = second["contexts"][0]
    assert (context["n_seq_max"], context["kv_unified"], context["swa_full"], context["n_rs_seq"]) == (
        2,
        True,
        False,
        1,
    )
    assert context["n_threads"] >= 1


def test_the_child_limits_itself() -> None:
    code = (
        f"sys.path.insert(0, {str(Path(child.__file__).parent / '_child')!r})\n"
        "import json, resource, run\n"
        "run.limit(123456789, 77)\n"
        "names = ('RLIMIT_CORE', 'RLIMIT_DATA', 'RLIMIT_CPU')\n"
        "print(json.dumps([resource.getrlimit(getattr(resource, name)) for name in names] + [signal.alarm(0)]))"
    )
    limits = json.loads(subprocess.run(python(code), capture_output=True, check=True).stdout)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    data = 123456789 if hard == resource.RLIM_INFINITY else min(hard, 123456789)
    assert limits == [[0, 0], [data, data], [77, 77], 77]


def test_identity_reads_what_the_engine_prints() -> None:
    engine = Identity(
        package_version="0.3.36",
        commit="0c1e570",
        system_info="CPU : NEON = 1 | ARM_FMA = 1 | SVE = 0 | DOTPROD = 1 | SVE_CNT = 16 | REPACK = 1 | ",
        devices=(DeviceSeen(name="CPU", description="Cortex-A78AE", gpu=False),),
    )
    assert engine.instructions == ("neon", "arm_fma", "dotprod", "sve_cnt", "repack")
    assert engine.label == "llama.cpp 0c1e570 (llama-cpp-python 0.3.36), CPU"
    assert Identity().instructions == ()
    assert Identity().label == "llama.cpp of unknown version, no device"
    assert msgspec.json.decode(msgspec.json.encode(engine), type=Identity) == engine
