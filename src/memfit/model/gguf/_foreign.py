"""What a file that does not begin with GGUF's magic is instead, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from memfit.errors import ModelError, NotAModel, Truncated
from memfit.model.gguf._refusals import resume_hint

HEAD_BYTES = 512
_CONVERT = "convert it with llama.cpp's convert_hf_to_gguf.py"
_AGAIN = "the server answered with a page instead of the file: download it again"

# (what the file begins with, what it is, what to do)
_MAGICS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "a gzip archive", "unpack it first: gunzip FILE"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it first: zstd -d FILE"),
    (b"\xfd7zXZ\x00", "an xz archive", "unpack it first: xz -d FILE"),
    (b"BZh", "a bzip2 archive", "unpack it first: bunzip2 FILE"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first: 7z x FILE"),
    (b"Rar!\x1a\x07", "a rar archive", "unpack it first"),
    # llama.cpp, llama.h of 2023: LLAMA_FILE_MAGIC_GGML, _GGMF, _GGJT, _GGLA as little-endian numbers
    (b"lmgg", "a model in the old GGML format", "llama.cpp left it in August 2023: download a GGUF of this model"),
    (b"fmgg", "a model in the old GGMF format", "llama.cpp left it in August 2023: download a GGUF of this model"),
    (b"tjgg", "a model in the old GGJT format", "llama.cpp left it in August 2023: download a GGUF of this model"),
    (b"algg", "a LoRA adapter in the old GGLA format", "convert it with llama.cpp's convert_lora_to_gguf.py"),
    (b"\x89HDF", "an HDF5 file", _CONVERT),
    (b"%PDF", "a PDF document", "give the path of a .gguf file"),
    (b"\x7fELF", "a program", "give the path of a .gguf file"),
)
# where the bytes do not tell, the name may
_SUFFIXES = {
    ".onnx": "an ONNX model; memfit reads GGUF",
    ".engine": "a TensorRT engine; memfit reads GGUF",
    ".plan": "a TensorRT engine; memfit reads GGUF",
    ".tflite": "a TensorFlow Lite model; memfit reads GGUF",
    ".litertlm": "a LiteRT model; memfit reads GGUF",
    ".npz": "a NumPy archive; memfit reads GGUF",
}


def foreign(path: Path, head: bytes) -> ModelError:
    """The error that says what ``head``, the first ``HEAD_BYTES`` of the file, belongs to."""
    file = str(path)
    if not head:
        return NotAModel("is empty", file=file, hint="download or copy it again")
    if b"GGUF".startswith(head):
        return Truncated(f"ends after {len(head)} bytes", file=file, offset=len(head), hint=resume_hint(file))
    if not any(head):
        return Truncated(
            "begins with zeros only",
            file=file,
            offset=0,
            hint="space was reserved for it but not filled: " + resume_hint(file),
        )
    for recognise in _RECOGNISERS:
        answer = recognise(head)
        if answer is not None:
            what, hint = answer
            return NotAModel(f"is {what}", file=file, offset=0, hint=hint)
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES:
        return NotAModel(f"is {_SUFFIXES[suffix]}", file=file, offset=0, hint="give the path of a .gguf file")
    return NotAModel(
        f"does not begin with GGUF's magic but with {head[:8]!r}",
        file=file,
        offset=0,
        hint="give the path of a .gguf file",
    )


Answer = tuple[str, str]


def _lfs_pointer(head: bytes) -> Answer | None:
    if not head.startswith(b"version https://git-lfs"):
        return None
    size = re.search(rb"^size (\d{1,20})$", head, re.MULTILINE)
    what = "a git-LFS pointer" + (f" to a file of {size[1].decode()} bytes" if size else "")
    return what, "fetch the file itself: git lfs pull"


def _zip(head: bytes) -> Answer | None:
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    if b"data.pkl" in head or b"/byteorder" in head:
        return "a PyTorch checkpoint", _CONVERT
    return "a zip archive", "unpack it first: unzip FILE"


def _pickle(head: bytes) -> Answer | None:
    # protocol 2 to 5, then the first opcodes that torch.save and pickle.dump write
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle (PyTorch)", _CONVERT
    return None


def _safetensors(head: bytes) -> Answer | None:
    # u64 length of a JSON object, then the object; at most MAX_HEADER_SIZE of safetensors/src/tensor.rs
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= 100_000_000:
        return "a safetensors file", _CONVERT + " (give it the folder)"
    return None


def _page(head: bytes) -> Answer | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<!--")):
        return "a web page (HTML)", _AGAIN
    if start.startswith(b"<?xml"):
        return "an XML document", _AGAIN
    if start.startswith((b'{"', b"{\n", b"{\r\n", b"[")):
        return "a JSON document", "give the .gguf file beside it; a failed download also leaves such a file"
    return None


def _tar(head: bytes) -> Answer | None:
    return ("a tar archive", "unpack it first: tar -xf FILE") if head[257:262] == b"ustar" else None


def _magic(head: bytes) -> Answer | None:
    for magic, what, hint in _MAGICS:
        if head.startswith(magic):
            return what, hint
    return None


def _text(head: bytes) -> Answer | None:
    # "Entry not found", "Invalid username or password.": what servers send with a status that curl ignores
    try:
        text = head.decode("ascii")
    except UnicodeDecodeError:
        return None
    line = text.strip().splitlines()[0] if text.strip() else ""
    if not all(sign.isprintable() or sign.isspace() for sign in text):
        return None
    return f"text that begins with {line[:60]!r}", "give the path of a .gguf file; a failed download leaves such a text"


_RECOGNISERS: tuple[Callable[[bytes], Answer | None], ...] = (
    _lfs_pointer,
    _zip,
    _pickle,
    _magic,
    _tar,
    _safetensors,
    _page,
    _text,
)
