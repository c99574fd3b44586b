"""Random bytes for every tensor, the same for the same seed, faster than most disks and in a few MiB.

One piece of random bytes is drawn from SHAKE-128. Every chunk of every tensor is that piece under a substitution of its
own: each of the 256 byte values becomes another, in an order drawn from seed, tensor and chunk. So no two pages of a
file are equal (nothing for KSM or a deduplicating file system to merge), none can be compressed, and a chunk costs one
pass of ``bytearray.translate``, 2 GB/s where SHAKE itself makes 0.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import shake_128

from memfit.model._fabricate.numbers import filling_of, role_of
from memfit.model.shape import Tensor
from memfit.precision.formats import FORMATS

CHUNK_BYTES = 2 << 20
_SPREAD_BYTES = 1 << 16  # chunks start at one of so many places of the piece
_KEY_BYTES = 8


class RandomTensors:
    """The contents of tensors under one seed. Holds ``CHUNK_BYTES`` and makes one chunk at a time."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._piece = bytearray(shake_128(f"memfit {seed}".encode()).digest(CHUNK_BYTES + _SPREAD_BYTES))

    def chunks(self, tensor: Tensor) -> Iterator[bytearray]:
        """The bytes of a tensor, chunk by chunk; each is whole blocks.

        Raises:
            UsageError: a format that holds no weights.
        """
        form = FORMATS.get(tensor.format)
        filling = filling_of(form, role_of(tensor.name, tensor.dims))
        most = CHUNK_BYTES - CHUNK_BYTES % form.block_bytes
        for number, at in enumerate(range(0, tensor.bytes, most)):
            chunk = self._substituted(f"{tensor.name} {number}", min(most, tensor.bytes - at), filling.everywhere)
            for field in filling.fields:
                every = slice(field.at, None, form.block_bytes)
                chunk[every] = chunk[every].translate(field.table)
            yield chunk

    def _substituted(self, label: str, size: int, table: bytes) -> bytearray:
        drawn = shake_128(f"memfit {self._seed} {label}".encode()).digest(256 * _KEY_BYTES + 4)
        start = int.from_bytes(drawn[-4:], "little") % _SPREAD_BYTES
        keys = [drawn[index * _KEY_BYTES : (index + 1) * _KEY_BYTES] for index in range(256)]
        order = bytes(sorted(range(256), key=keys.__getitem__))
        return self._piece[start : start + size].translate(order.translate(table))
