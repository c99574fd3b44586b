"""Measure what a vocabulary takes in memory, and hold ``tokenizer_bytes`` against it.

Writes vocabularies of many sizes, loads each with llama.cpp (``vocab_only``) in a process of its own, and prints heap
and resident growth beside the prediction. The constants of ``engine/_llama_cpp/buffers.py`` come from this table.

    python tools/measure_tokenizer.py            needs memfit[llama]
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from memfit.engine._llama_cpp.buffers import tokenizer_bytes
from memfit.model.gguf.writer import Typed, Writable, write_model
from memfit.model.shape import Tokenizer

KINDS = {"byte-pair": "gpt2", "sentencepiece": "llama", "word-piece": "bert"}
# kind, tokens, mean token length, merges
VOCABULARIES = (
    ("byte-pair", 4096, 5, 4000),
    ("byte-pair", 32000, 6, 31700),
    ("byte-pair", 151936, 7, 75000),
    ("byte-pair", 151936, 7, 151387),
    ("byte-pair", 151936, 12, 151387),
    ("byte-pair", 262144, 7, 262000),
    ("byte-pair", 262144, 7, 514906),
    ("sentencepiece", 32000, 6, 0),
    ("sentencepiece", 262144, 7, 0),
    ("sentencepiece", 262144, 12, 0),
    ("word-piece", 30522, 6, 0),
)

_CHILD = r"""
import ctypes, json, sys
import llama_cpp.llama_cpp as llama
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
def heap():
    info = libc.mallinfo2()
    return info.uordblks + info.hblkhd
def status(key):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(key))
quiet = llama.llama_log_callback(lambda level, text, data: None)
llama.llama_log_set(quiet, None)
llama.llama_backend_init()
params = llama.llama_model_default_params()
params.vocab_only = True
before = heap(), status("VmRSS")
assert llama.llama_model_load_from_file(sys.argv[1].encode(), params)
print(json.dumps([heap() - before[0], status("VmRSS") - before[1], status("VmHWM") - before[1]]))
"""


def write_vocabulary(path: Path, kind: str, tokens: int, length: int, merges: int) -> Tokenizer:
    """A vocabulary of random words; the same for the same sizes."""
    rng = random.Random(tokens + merges + length)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words: dict[str, None] = {}
    while len(words) < tokens:
        word = "".join(rng.choice(letters) for _ in range(max(1, round(rng.gauss(length, 2.5)))))
        words.setdefault(word if word not in words else word + str(len(words)))
    pairs = []
    for index, word in zip(range(merges), list(words) * (1 + merges // tokens), strict=False):
        half = max(1, len(word) // 2)
        pairs.append(f"{word[:half]} {word[half:] or 'x'}" + (str(index) if index >= tokens else ""))
    metadata: dict[str, Writable] = {
        "general.architecture": "llama",
        "llama.context_length": 512,
        "llama.embedding_length": 256,
        "llama.block_count": 1,
        "llama.feed_forward_length": 256,
        "llama.attention.head_count": 4,
        "llama.rope.dimension_count": 64,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": KINDS[kind],
        "tokenizer.ggml.tokens": list(words),
        "tokenizer.ggml.scores": [float(-index) for index in range(tokens)],
        "tokenizer.ggml.token_type": Typed("i32", [1] * tokens),
        **{f"tokenizer.ggml.{role}_token_id": 1 for role in ("bos", "eos", "unknown")},
    }
    if merges:
        metadata |= {"tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.merges": pairs}
    write_model(path, metadata, [])
    return Tokenizer(
        kind=KINDS[kind],
        tokens=tokens,
        token_bytes=sum(map(len, words)),
        merges=merges,
        merge_bytes=sum(map(len, pairs)),
    )


def main() -> None:
    """Print the table, in MiB."""
    print(f"{'vocabulary':<34}{'heap':>8}{'resident':>10}{'likely':>8}{'error':>8}{'peak':>8}{'high':>8}")
    for kind, tokens, length, merges in VOCABULARIES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vocabulary.gguf"
            tokenizer = write_vocabulary(path, kind, tokens, length, merges)
            done = subprocess.run([sys.executable, "-c", _CHILD, str(path)], capture_output=True, text=True, check=True)
        heap, resident, peak = (size / 2**20 for size in json.loads(done.stdout))
        predicted = tokenizer_bytes(tokenizer, tokens)
        likely, high = predicted.likely_bytes / 2**20, predicted.high_bytes / 2**20
        name = f"{kind} {tokens} × {length}, {merges} merges"
        error = f"{likely / resident - 1:+.0%}"
        print(f"{name:<34}{heap:8.1f}{resident:10.1f}{likely:8.1f}{error:>8}{peak:8.1f}{high:8.1f}")


if __name__ == "__main__":
    main()
