"""Reads the header of one safetensors file, in bounded time and memory, and never the tensors' data.

What safetensors' own reader refuses (``SafeTensors::read_metadata`` and ``Metadata::validate`` of 0.8.0,
safetensors/src/tensor.rs) is refused here too: a header that lies about sizes, tensors that overlap or leave a gap,
bytes behind the last.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from memfit.errors import Malformed, NotAModel, Truncated
from memfit.model.gguf._foreign import HEAD_BYTES, foreign
from memfit.model.gguf._refusals import refuse_unfinished, refuse_unreadable, regular_size, resume_hint
from memfit.model.safetensors._json import decode, without_duplicates
from memfit.model.safetensors.records import BITS, SafetensorsHeader
from memfit.model.shape import Tensor

LENGTH_BYTES = 8  # N_LEN: a little-endian u64, the length of the JSON behind it
MOST_FORMAT_BYTES = 100_000_000  # MAX_HEADER_SIZE of the format
# a bound of memfit's own: a header of this size lists some 300,000 tensors, and its objects fit a small board's memory
MOST_HEADER_BYTES = 32 << 20
MOST_DIMS = 32
MOST_OFFSET = 2**63 - 1
_SPARE = 200_000  # characters that may stand in names and metadata
_NAMES = {"dtype", "shape", "data_offsets"}


def read_header(path: str | os.PathLike[str], *, partial: bool = False) -> SafetensorsHeader:
    """The header of one file.

    Args:
        path: the file.
        partial: accept a file that ends before its data does, such as the first megabytes of a download.

    Raises:
        NotAModel: something else; the message says what.
        Truncated: it ends too early, or a downloader is still at it.
        Malformed: its bytes contradict the format; carries the offset.
        ModelError: missing, or not readable.
    """
    path = Path(path)
    size_bytes = regular_size(path)
    if not partial:
        refuse_unfinished(path)
    try:
        with path.open("rb", buffering=0) as file:
            head = _take(file, HEAD_BYTES)
            length = _length(head, path, size_bytes)
            raw = head[LENGTH_BYTES : LENGTH_BYTES + length] + _take(file, LENGTH_BYTES + length - len(head))
    except OSError as failure:
        raise refuse_unreadable(path, failure) from failure
    if len(raw) < length:  # the file shrank while it was read
        raise Truncated(
            "ends in its header", file=str(path), offset=LENGTH_BYTES + len(raw), hint=resume_hint(str(path))
        )
    return parse_header(raw, file=str(path), file_bytes=None if partial else size_bytes)


def parse_header(raw: bytes, *, file: str, file_bytes: int | None = None) -> SafetensorsHeader:
    """The header by its JSON alone, however that was fetched.

    Args:
        raw: the JSON behind the eight bytes of its length.
        file: for messages.
        file_bytes: the whole file's size, checked against the header where given.

    Raises:
        Truncated: the file is smaller than its header announces.
        Malformed: the header contradicts the format, itself, or the file's size.
    """
    if raw[:1] != b"{":
        raise Malformed("its header does not begin with an object", file=file, offset=LENGTH_BYTES)
    _check_density(raw, file)
    values = decode(raw, file=file, offset=LENGTH_BYTES, pairs=without_duplicates(file))
    metadata = _metadata(values.pop("__metadata__", {}), file)
    tensors = sorted((_tensor(name, entry, file) for name, entry in values.items()), key=_place)
    data_offset = LENGTH_BYTES + len(raw)
    end = _contiguous(tensors, file)
    if file_bytes is not None and data_offset + end != file_bytes:
        missing = data_offset + end - file_bytes
        if missing > 0:
            raise Truncated(
                f"{missing} bytes are missing: its tensors need {data_offset + end}, the file has {file_bytes}",
                file=file,
                hint=resume_hint(file),
            )
        raise Malformed(f"has {-missing} bytes behind its last tensor", file=file, offset=data_offset + end)
    return SafetensorsHeader(
        path=file, file_bytes=file_bytes, data_offset=data_offset, metadata=metadata, tensors=tuple(tensors)
    )


def header_length(head: bytes, *, file: str) -> int:
    """Bytes of the JSON, by the file's first eight.

    Raises:
        Malformed: more than a header may have.
    """
    length = int.from_bytes(head[:LENGTH_BYTES], "little")
    if length > MOST_FORMAT_BYTES:
        raise Malformed(
            f"announces a header of {length} bytes, the format allows {MOST_FORMAT_BYTES}", file=file, offset=0
        )
    if length > MOST_HEADER_BYTES:
        raise Malformed(
            f"announces a header of {length} bytes, memfit reads {MOST_HEADER_BYTES}",
            file=file,
            offset=0,
            hint="split the model into several files",
        )
    return length


def _length(head: bytes, path: Path, size_bytes: int) -> int:
    file = str(path)
    if len(head) < LENGTH_BYTES or head[LENGTH_BYTES : LENGTH_BYTES + 1] != b"{":
        failure = foreign(path, head)
        if isinstance(failure, NotAModel) and failure.hint and "gguf" in failure.hint.lower():
            raise NotAModel("is not a safetensors file", file=file, hint="download it again")
        raise failure
    length = header_length(head, file=file)
    if LENGTH_BYTES + length > size_bytes:
        raise Truncated(
            f"announces a header of {length} bytes, and {size_bytes - LENGTH_BYTES} follow",
            file=file,
            offset=0,
            hint=resume_hint(file),
        )
    return length


def _take(file: Any, count: int) -> bytes:
    """Up to ``count`` bytes; fewer where the file ends."""
    parts = []
    while count > 0:
        part = file.read(min(count, 1 << 20))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _check_density(raw: bytes, file: str) -> None:
    """Refuse what would take many times its own size once it is decoded: far more values than tensors have.

    A tensor has one object of three fields and two lists of a few numbers.

    Raises:
        Malformed: more objects, lists, fields or values.
    """
    tensors = raw.count(b'"data_offsets"')
    for mark, each in ((b"[", 2), (b"{", 1), (b":", 4), (b",", 8 + MOST_DIMS)):
        if raw.count(mark) > each * tensors + _SPARE:
            raise Malformed(
                f"its header holds far more than the {tensors} tensors it lists", file=file, offset=LENGTH_BYTES
            )


def _metadata(values: object, file: str) -> dict[str, str]:
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise Malformed("__metadata__ is not an object of strings", file=file)
    return values


def _tensor(name: str, entry: object, file: str) -> Tensor:
    called = repr(name if len(name) <= 80 else f"{name[:80]}…")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Malformed(f"the tensor's name {called} is no text", file=file) from None
    if not isinstance(entry, dict) or set(entry) != _NAMES:
        raise Malformed(f"{called} is not an object of dtype, shape and data_offsets", file=file)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        shown = repr(dtype)[:40]
        raise Malformed(
            f"{called} has the dtype {shown}, which safetensors does not know", file=file, hint="update memfit"
        )
    if not _whole(shape) or len(shape) > MOST_DIMS:
        raise Malformed(f"the shape of {called} is not a list of up to {MOST_DIMS} whole numbers", file=file)
    if not _whole(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise Malformed(f"the data_offsets of {called} are not a beginning and an end", file=file)
    elements = 1
    for size in shape:
        elements *= size
        if elements > MOST_OFFSET:
            raise Malformed(f"{called} has more numbers than fit in 64 bits", file=file)
    bits = elements * BITS[dtype]
    if bits % 8 or bits // 8 != offsets[1] - offsets[0]:
        raise Malformed(
            f"{called} is {offsets[1] - offsets[0]} bytes long, and its shape {shape} of {dtype} needs {bits / 8:g}",
            file=file,
        )
    return Tensor(name, tuple(reversed(shape)), dtype, bits // 8, offsets[0])


def _whole(values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_OFFSET for value in values
    )


def _place(tensor: Tensor) -> tuple[int, int, str]:
    # a tensor without numbers stands before the one that starts where it does
    return tensor.offset, tensor.bytes, tensor.name


def _contiguous(tensors: list[Tensor], file: str) -> int:
    """Where the last tensor ends."""
    end = 0
    for tensor in tensors:
        if tensor.offset != end:
            what = (
                "overlaps the tensor before it" if tensor.offset < end else f"leaves {tensor.offset - end} bytes unused"
            )
            raise Malformed(f"{tensor.name[:80]!r} {what}", file=file)
        end += tensor.bytes
    return end
