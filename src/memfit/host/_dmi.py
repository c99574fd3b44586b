"""The table of SMBIOS, without what tells one machine from another.

Each structure has a head, numbers, and after them texts that end with two zeros (SMBIOS 3.7, section 6.1). Numbers of
memory devices are what an audit reads; texts are blanked in their own length, a machine's UUID becomes zeros.
"""

from __future__ import annotations

_HEAD_BYTES = 4
_SYSTEM = 1  # section 7.2: its UUID stands at offset 8
_UUID = slice(8, 24)
# Texts of manufacturers and products; by type, offsets of the numbers of those that are serial numbers or asset tags
_TEXTS_OF = {0: (), 1: (7,), 2: (7, 8), 3: (7, 8), 4: (0x20, 0x21), 7: (), 16: (), 17: (0x18, 0x19), 19: ()}


def without_serials(table: bytes) -> bytes:
    """The table in the same length; what comes after a damaged structure is zeros."""
    done = bytearray()
    at = 0
    while at + _HEAD_BYTES <= len(table):
        kind, size = table[at], table[at + 1]
        end = table.find(b"\0\0", at + size)
        if size < _HEAD_BYTES or end < 0:
            break
        head = bytearray(table[at : at + size])
        texts = table[at + size : end].split(b"\0")
        if kind == _SYSTEM:
            head[_UUID] = bytes(len(head[_UUID]))
        known = _TEXTS_OF.get(kind)
        secret = {head[offset] for offset in known or () if offset < size}
        done += head + b"\0".join(
            b"x" * len(text) if known is None or number in secret else text for number, text in enumerate(texts, 1)
        )
        done += b"\0\0"
        at = end + 2
    return bytes(done) + bytes(len(table) - len(done))
