"""How GGUF stores values: type tags, their names and sizes.

Source: ``enum gguf_type`` and the layout in ggml/include/gguf.h, ``GGUF_TYPE_NAME`` in ggml/src/gguf.cpp (0c1e57098).
"""

from __future__ import annotations

from struct import Struct
from typing import Final

MAGIC: Final = b"GGUF"
VERSION: Final = 3  # what is written; 2 has the same layout
DEFAULT_ALIGNMENT: Final = 32  # GGUF_DEFAULT_ALIGNMENT
MOST_NAME_BYTES: Final = 63  # GGML_MAX_NAME less its zero
MOST_DIMS: Final = 4  # GGML_MAX_DIMS
ALIGNMENT_KEY: Final = "general.alignment"
TOKENIZER_PREFIX: Final = "tokenizer."

TYPE_NAMES: Final = ("u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "str", "arr", "u64", "i64", "f64")
U32: Final = 4
BOOL: Final = 7
STRING: Final = 8
ARRAY: Final = 9

# code of the struct module by type tag; a truth value is one byte that is not zero
CODES: Final[dict[int, str]] = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    BOOL: "b",
    10: "Q",
    11: "q",
    12: "d",
}
SCALARS: Final[dict[int, Struct]] = {tag: Struct("<" + code) for tag, code in CODES.items()}

ONE_U32: Final = Struct("<I")
ONE_U64: Final = Struct("<Q")
PREAMBLE: Final = Struct("<4sIQQ")  # magic, version, tensors, keys
ARRAY_HEAD: Final = Struct("<IQ")  # type tag of an element, count


def padded(size_bytes: int, alignment: int) -> int:
    """The next multiple of ``alignment``, a power of two (``GGML_PAD``)."""
    return (size_bytes + alignment - 1) & -alignment
