"""What llama.cpp says to memfit's files, asked in a child process: the engine aborts where it disagrees."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from gguf_bytes import sound

from memfit.errors import Malformed, ModelError
from memfit.model.gguf import read_header, read_shards
from memfit.model.gguf.header import Header
from memfit.model.gguf.writer import Typed, Writable, write_model, write_stub
from memfit.precision import FORMATS

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="needs the [llama] extra"),
]

# the package without its __init__, which imports numpy
_ENGINE = """
import ctypes, importlib.util, json, os, struct, sys, types
folder = os.path.dirname(importlib.util.find_spec("llama_cpp").origin)
package = types.ModuleType("llama_cpp"); package.__path__ = [folder]; sys.modules["llama_cpp"] = package
"""

_SIZES = (
    _ENGINE
    + """
import llama_cpp.llama_cpp as llama
lines = []
@llama.llama_log_callback
def log(level, text, data): lines.append(text.decode(errors="replace"))
llama.llama_log_set(log, None)
for no_alloc in (True, False):
    lines.append(f"no_alloc {no_alloc}\\n")
    parameters = llama.llama_model_default_params()
    parameters.no_alloc, parameters.load_mode, parameters.use_extra_bufts = no_alloc, llama.LLAMA_LOAD_MODE_NONE, True
    model = llama.llama_model_load_from_file(sys.argv[1].encode(), parameters)
    if not model: sys.exit("".join(lines))
    options = llama.llama_context_default_params()
    options.n_ctx, options.n_batch, options.n_ubatch = 1024, 256, 128
    context = llama.llama_init_from_model(model, options)
    if not context: sys.exit("".join(lines))
    llama.llama_free(context); llama.llama_model_free(model)
print(json.dumps("".join(lines).splitlines()))
"""
)

_READER = (
    _ENGINE
    + """
base = ctypes.CDLL(os.path.join(folder, "lib", "libggml-base.so"))
class Parameters(ctypes.Structure): _fields_ = [("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p)]
read, free = base.gguf_init_from_buffer, base.gguf_free
read.restype, read.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_size_t, Parameters]
free.argtypes = [ctypes.c_void_p]
offset = base.gguf_get_data_offset; offset.restype, offset.argtypes = ctypes.c_size_t, [ctypes.c_void_p]
data = open(sys.argv[1], "rb").read()
at, answers = 0, []
while at < len(data):
    (length,) = struct.unpack_from("<Q", data, at)
    piece = data[at + 8 : at + 8 + length]
    at += 8 + length
    context = read(piece, length, Parameters(True, None))
    answers.append(offset(context) if context else None)
    if context: free(context)
print(json.dumps(answers))
"""
)


def ask(script: str, path: Path) -> list[str]:
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    answer: list[str] = json.loads(done.stdout.splitlines()[-1])
    return answer


def buffers(path: Path) -> dict[tuple[str, str], float]:
    """MiB of every buffer in the engine's log, for a context of 1024 tokens: as announced, and as allocated."""
    found = {}
    mode = ""
    for line in ask(_SIZES, path):
        if line.startswith("no_alloc"):
            mode = line
        elif match := re.search(r"(\S+) +(\w+ buffer) size *= *([\d.]+) MiB", line):
            found[mode, f"{match[1]} {match[2]}"] = float(match[3])
    return found


def model(tokens: int, **changes: Writable) -> tuple[dict[str, Writable], list[tuple[str, tuple[int, ...], str]]]:
    """A llama of two layers with a sentencepiece tokenizer of its own."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += [f"word{number}" for number in range(tokens - len(pieces))]
    kinds = [2, 3, 3, *[6] * 256]
    metadata: dict[str, Writable] = {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.context_length": 4096,
        "llama.embedding_length": 256,
        "llama.feed_forward_length": 768,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": Typed("i32", [2, 2]),
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.scores": [-float(number) for number in range(tokens)],
        "tokenizer.ggml.token_type": Typed("i32", kinds + [1] * (tokens - len(kinds))),
        "tokenizer.chat_template": "{{ messages }}",
        **changes,
    }
    tensors: list[tuple[str, tuple[int, ...], str]] = [
        ("token_embd.weight", (256, tokens), "Q6_K"),
        ("output_norm.weight", (256,), "F32"),
    ]
    for index in range(2):
        block = f"blk.{index}."
        tensors += [
            (block + "attn_norm.weight", (256,), "F32"),
            (block + "attn_q.weight", (256, 256), "Q4_K"),
            (block + "attn_k.weight", (256, 128), "Q4_K"),
            (block + "attn_v.weight", (256, 128), "Q6_K"),
            (block + "attn_output.weight", (256, 256), "Q4_K"),
            (block + "ffn_norm.weight", (256,), "F32"),
            (block + "ffn_gate.weight", (256, 768), "Q4_K"),
            (block + "ffn_up.weight", (256, 768), "Q4_K"),
            (block + "ffn_down.weight", (768, 256), "Q6_K"),
        ]
    return metadata, tensors


# a wrong vocab_size shows whether the token list decides, in the engine and in the stub
@pytest.mark.parametrize("changes", [{}, {"llama.vocab_size": 64, "general.alignment": 64}])
def test_a_stub_reserves_what_the_model_does(tmp_path: Path, changes: dict[str, Writable]) -> None:
    metadata, tensors = model(3000, **changes)
    alignment = 64 if changes else 32
    write_model(tmp_path / "model.gguf", metadata, tensors, alignment=alignment)
    stub = tmp_path / "stub.gguf"
    write_stub(read_header(tmp_path / "model.gguf"), stub)
    real = buffers(tmp_path / "model.gguf")
    assert real["no_alloc True", "CPU compute buffer"] > 0
    assert real["no_alloc False", "CPU model buffer"] > 0
    assert real["no_alloc False", "CPU KV buffer"] == 1.0  # 2 layers, 1024 cells of 2 · 128 F16 numbers
    assert buffers(stub) == real


def test_a_stub_of_shards_reserves_what_the_shards_do(tmp_path: Path) -> None:
    metadata, tensors = model(1000)
    split: dict[str, Writable] = {
        "split.count": Typed("u16", 2),
        "split.tensors.count": Typed("i32", len(tensors)),
    }
    first = tmp_path / "model-00001-of-00002.gguf"
    write_model(first, {**metadata, **split, "split.no": Typed("u16", 0)}, tensors[:9])
    write_model(tmp_path / "model-00002-of-00002.gguf", {**split, "split.no": Typed("u16", 1)}, tensors[9:])
    write_stub(read_shards(first), tmp_path / "stub.gguf")
    assert buffers(tmp_path / "stub.gguf") == buffers(first)


def verdicts(folder: Path, files: list[bytes]) -> list[int | None]:
    """The data offset that the engine's reader finds in each, None where it refuses."""
    path = folder / "files"
    path.write_bytes(b"".join(struct.pack("<Q", len(data)) + data for data in files))
    answers: list[int | None] = ask(_READER, path)  # type: ignore[assignment]
    return answers


def test_every_format_has_the_engines_size(tmp_path: Path) -> None:
    # the second tensor's offset is the first one's size: the engine refuses any other
    files = []
    for form in FORMATS:
        path = tmp_path / f"{form.name}.gguf"
        write_model(path, {}, [("a", (form.block_elements * 3, 5), form.name), ("b", (1,), "F32")], alignment=1)
        files.append(path.read_bytes())
    refused = [form.name for form, answer in zip(FORMATS, verdicts(tmp_path, files), strict=True) if answer is None]
    assert refused == []


# what memfit refuses and the engine's reader does not: it fails later, or the file is of no use
STRICTER = re.compile(r"not UTF-8|has the dimensions|ends at byte|a key takes|beyond \d+ bytes|announces")


def attempt(path: Path) -> Header | ModelError:
    try:
        return read_header(path, partial=True)
    except ModelError as failure:
        return failure


def test_agrees_with_the_engines_reader_on_every_changed_byte(tmp_path: Path) -> None:
    whole = sound()
    changes = [
        (at, bytes([value]))
        for at in range(len(sound(data=False)))
        for value in {0, 0xFF, whole[at] ^ 0x80, (whole[at] + 1) & 0xFF} - {whole[at]}
    ]
    engine = verdicts(tmp_path, [whole[:at] + value + whole[at + 1 :] for at, value in changes])
    path = tmp_path / "model.gguf"
    path.write_bytes(whole)
    accepted = 0
    with path.open("r+b", buffering=0) as file:
        for (at, value), answer in zip(changes, engine, strict=True):
            os.pwrite(file.fileno(), value, at)
            found = attempt(path)
            os.pwrite(file.fileno(), whole[at : at + 1], at)
            if isinstance(found, Header):
                accepted += 1
                assert found.data_offset == answer
            else:
                assert answer is None or (isinstance(found, Malformed) and STRICTER.search(found.message)), found
    assert accepted > 100
