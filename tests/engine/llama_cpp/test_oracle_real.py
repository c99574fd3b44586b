"""The oracle against the engine at work: what it says without allocating is what a real run then holds, to the byte."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from oracle_models import needs_engine, small

from memfit.engine._llama_cpp import child
from memfit.engine._llama_cpp.oracle import reserve_one
from memfit.engine.records import Options
from memfit.model.gguf.writer import write_model

pytestmark = needs_engine


def run(path: Path, options: Options, instructions: tuple[str, ...]) -> dict[str, Any]:
    done = started(path, options)
    if done.returncode == -signal.SIGSEGV and options.repack and "amx_int8" in instructions:
        # some virtual machines show AMX and fault on its first instruction: then only what uses it may fail
        plain = started(path, msgspec.structs.replace(options, repack=False))
        assert plain.returncode == 0, plain.stderr[-3000:]
        pytest.skip("this machine shows AMX and faults on its instructions")
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def started(path: Path, options: Options) -> subprocess.CompletedProcess[str]:
    settings = {
        "n_ctx": options.context_tokens,
        "n_batch": options.batch_tokens,
        "n_ubatch": options.ubatch_tokens,
        "n_seq_max": options.slots,
        "n_threads": options.threads,
        "n_threads_batch": options.threads,
        "flash_attn_type": int(options.flash_attention),
        "type_k": 8 if options.kv_type_k == "Q8_0" else 1,
        "type_v": 8 if options.kv_type_v == "Q8_0" else 1,
        "kv_unified": options.unified_kv,
        "n_outputs_max": options.output_rows,
    }
    job = {"path": str(path), "repack": options.repack, "settings": settings, "library": str(child.package_folder())}
    return subprocess.run(
        [sys.executable, str(Path(__file__).with_name("real_run.py"))],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("weights", "changes"),
    [
        ("Q4_0", {}),
        ("Q4_K", {}),
        ("Q4_K", {"repack": False}),
        ("Q4_K", {"flash_attention": False}),
        ("F16", {"kv_type_k": "Q8_0", "kv_type_v": "Q8_0"}),
        ("Q4_0", {"slots": 2, "unified_kv": True}),
    ],
    ids=["q4_0", "q4_k", "plain", "no flash attention", "q8_0 cache", "two slots"],
)
def test_a_real_run_holds_what_was_reserved(tmp_path: Path, weights: str, changes: dict[str, Any]) -> None:
    # the context is one ubatch, so that the first prompt fills it: without flash attention work grows with it
    options = Options(context_tokens=512, batch_tokens=512, threads=2, **changes)
    model = small(weights)
    path = tmp_path / "model.gguf"
    write_model(path, {**model.metadata, "tokenizer.ggml.model": "no_vocab"}, model.tensors)
    engine, reserved = reserve_one(model, options)
    real = run(path, options, engine.instructions)
    said = [
        {
            "name": buffer.name,
            "host": buffer.host,
            "model_bytes": buffer.model_bytes,
            "context_bytes": buffer.context_bytes,
            "compute_bytes": buffer.compute_bytes,
        }
        for buffer in reserved.buffers
    ]
    by_name = sorted(real["buffers"], key=lambda buffer: str(buffer["name"]))
    assert sorted(said, key=lambda buffer: str(buffer["name"])) == by_name
    assert real["after"] == real["buffers"]
    assert reserved.work is not None
    assert real["prefill"] == max(reserved.work.prefill_bytes, reserved.work.decode_bytes)
    if options.flash_attention:  # else the engine plans the first token for the cells it uses, not for all
        assert real["decode"] == reserved.work.decode_bytes
