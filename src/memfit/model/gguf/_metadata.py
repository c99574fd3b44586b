"""The keys and values of a header: what is short is decoded, what is long is only walked."""

from __future__ import annotations

from struct import Struct

from memfit.errors import Malformed
from memfit.model.gguf._cursor import Cursor
from memfit.model.gguf._values import (
    ARRAY,
    ARRAY_HEAD,
    BOOL,
    CODES,
    SCALARS,
    STRING,
    TOKENIZER_PREFIX,
    TYPE_NAMES,
)
from memfit.model.gguf.header import ArrayInfo, Span
from memfit.model.metadata import Value

MOST_KEYS = 1 << 16  # models have 20 to 60
MOST_KEY_BYTES = 65535  # docs/gguf.md of ggml
MOST_ARRAY_COUNT = 1 << 30  # GGUF_MAX_ARRAY_ELEMENTS, ggml/src/gguf.cpp (0c1e57098)
DECODED_COUNT = 4096  # entries of an array that is decoded: per-layer arrays have up to 512
DECODED_BYTES = 1 << 20  # of one text: chat templates reach 60 kB; whole tokenizers stored as JSON are walked
MOST_DECODED_BYTES = 16 << 20  # of all values together, so that memory stays bounded

Values = dict[str, Value]
Arrays = dict[str, ArrayInfo]
Spans = dict[str, Span]


def read(cursor: Cursor, count: int) -> tuple[Values, Arrays, Spans]:
    """The decoded values, the walked arrays and where every value lies, each by key.

    Raises:
        Truncated, Malformed: with the offset of the key.
    """
    cursor.reading = f"the list of {count} keys"
    reader = _Pairs(cursor)
    for _ in range(count):
        reader.pair()
    return reader.values, reader.arrays, reader.spans


class _Pairs:
    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.values: Values = {}
        self.arrays: Arrays = {}
        self.spans: Spans = {}
        self._decoded_bytes = 0

    def pair(self) -> None:
        cursor = self.cursor
        start = cursor.at
        key = self._key(start)
        if key in self.spans:
            raise Malformed(f"has the key {key!r} twice", file=cursor.file, offset=start)
        cursor.reading = key
        value_at = cursor.at
        tag = cursor.u32()
        value: Value | ArrayInfo
        if tag in SCALARS:
            value = cursor.take(SCALARS[tag])[0]
            if tag == BOOL:
                value = value != 0
        elif tag == STRING:
            value = self._text()
        elif tag == ARRAY:
            value = self._array(key, value_at)
        else:
            raise self._unknown_type(key, tag, value_at)
        if isinstance(value, ArrayInfo):
            self.arrays[key] = value
        else:
            self.values[key] = value
        self.spans[key] = Span(value_at, cursor.at - value_at, tag)

    def _key(self, start: int) -> str:
        cursor = self.cursor
        length = cursor.u64()
        if not 0 < length <= MOST_KEY_BYTES:
            raise Malformed(
                f"a key takes {length} bytes, expected 1 to {MOST_KEY_BYTES}", file=cursor.file, offset=start
            )
        try:
            return cursor.raw(length).decode()
        except UnicodeDecodeError as failure:
            raise Malformed("a key is not UTF-8", file=cursor.file, offset=start) from failure

    def _text(self) -> Value | ArrayInfo:
        cursor = self.cursor
        start = cursor.at
        length = cursor.u64()
        if length > DECODED_BYTES or not self._afford(length):
            cursor.skip(length)
            return ArrayInfo(type="str", count=1, offset=start, bytes=length + 8, payload_bytes=length)
        # a model's card may hold anything; only keys must be UTF-8
        return cursor.raw(length).decode(errors="replace")

    def _array(self, key: str, value_at: int) -> Value | ArrayInfo:
        cursor = self.cursor
        tag, count = cursor.take(ARRAY_HEAD)
        if tag != STRING and tag not in CODES:
            raise self._unknown_type(key, tag, value_at)
        if count > MOST_ARRAY_COUNT:
            raise Malformed(f"{key} has {count} entries", file=cursor.file, offset=value_at)
        if tag == STRING:
            return self._strings(key, count)
        size = count * SCALARS[tag].size
        if count > DECODED_COUNT or not self._afford(8 * count):
            start = cursor.at
            cursor.skip(size)
            return ArrayInfo(type=TYPE_NAMES[tag], count=count, offset=start, bytes=size, payload_bytes=size)
        numbers = cursor.take(Struct(f"<{count}{CODES[tag]}"))
        return tuple(number != 0 for number in numbers) if tag == BOOL else numbers

    def _strings(self, key: str, count: int) -> Value | ArrayInfo:
        cursor = self.cursor
        start = cursor.at
        payload = cursor.walk_strings(count)
        info = ArrayInfo(type="str", count=count, offset=start, bytes=cursor.at - start, payload_bytes=payload)
        if count > DECODED_COUNT or key.startswith(TOKENIZER_PREFIX) or not self._afford(info.bytes):
            return info
        end = cursor.at
        cursor.at = start
        texts = tuple(cursor.raw(cursor.u64()).decode(errors="replace") for _ in range(count))
        assert cursor.at == end
        return texts

    def _afford(self, size_bytes: int) -> bool:
        """Whether values of this size may still be decoded."""
        if self._decoded_bytes + size_bytes > MOST_DECODED_BYTES:
            return False
        self._decoded_bytes += size_bytes
        return True

    def _unknown_type(self, key: str, tag: int, value_at: int) -> Malformed:
        what = "is an array of arrays" if tag == ARRAY else f"has the unknown value type {tag}"
        return Malformed(
            f"{key} {what}", file=self.cursor.file, offset=value_at, hint="the file is damaged, or newer than memfit"
        )
