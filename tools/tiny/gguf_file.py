"""Puts tensors into a GGUF file: memfit writes the header and leaves a hole, this fills the hole."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path

import torch

from memfit.model.gguf.reader import read_header
from memfit.model.gguf.writer import Writable, write_model

_FORMATS = {torch.float16: "F16", torch.float32: "F32"}


def write(path: Path, metadata: Mapping[str, Writable], tensors: Mapping[str, torch.Tensor]) -> None:
    """Write a whole GGUF file, replacing what is there.

    Args:
        path: file to write.
        metadata: key-value pairs.
        tensors: F16 or F32 tensors by name, rows first; GGUF lists the same dimensions in reverse.
    """
    path.unlink(missing_ok=True)
    specs = [(name, tuple(reversed(tensor.shape)), _FORMATS[tensor.dtype]) for name, tensor in tensors.items()]
    write_model(path, metadata, specs)
    header = read_header(path)
    with path.open("r+b") as file:
        for info in header.tensors:
            tensor = tensors[info.name].detach().contiguous()
            file.seek(header.data_offset + info.offset)
            file.write(ctypes.string_at(tensor.data_ptr(), tensor.nbytes))
