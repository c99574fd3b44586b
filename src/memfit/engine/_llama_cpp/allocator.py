"""ggml's planner for compute buffers, step for step: what it would reserve for a sequence of buffers taken and freed.

Follows ``ggml_dyn_tallocr`` in ggml/src/ggml-alloc.c (llama.cpp 0c1e57098) for one backend with one unbounded chunk,
which is what the CPU is (``max_size`` is ``SIZE_MAX``).
"""

from __future__ import annotations

from bisect import bisect_left

ALIGNMENT_BYTES = 32  # TENSOR_ALIGNMENT, ggml/src/ggml-impl.h
_END = 1 << 62

State = tuple[tuple[int, ...], tuple[int, ...]]  # offsets and sizes of the holes


class Planner:
    """Places buffers by best fit among the holes, and remembers how far they reached.

    Attributes:
        peak_bytes: size of the buffer that would hold everything placed so far.
    """

    def __init__(self) -> None:
        self.peak_bytes = 0
        # holes by address; the last one is open-ended and only taken when no other is large enough
        self._offsets = [0]
        self._sizes = [_END]

    def take(self, size_bytes: int) -> int:
        """The offset given to a buffer; on equal fit the hole at the highest address wins, as in ggml."""
        size_bytes = (size_bytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES
        sizes = self._sizes
        found, fit = len(sizes) - 1, _END
        for index in range(len(sizes) - 1):
            hole = sizes[index]
            if size_bytes <= hole <= fit:
                found, fit = index, hole
        offset = self._offsets[found]
        if sizes[found] == size_bytes:
            del sizes[found], self._offsets[found]
        else:
            sizes[found] -= size_bytes
            self._offsets[found] = offset + size_bytes
        self.peak_bytes = max(self.peak_bytes, offset + size_bytes)
        return offset

    def give_back(self, offset: int, size_bytes: int) -> None:
        """Free a buffer and join it with the holes beside it.

        In ggml's order of questions, which matters: a buffer of no bytes can leave a hole of no bytes.
        """
        size_bytes = (size_bytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES
        offsets, sizes = self._offsets, self._sizes
        for index, start in enumerate(offsets):
            if start + sizes[index] == offset:
                sizes[index] += size_bytes
                self._join_next(index)
                return
            if offset + size_bytes == start:
                offsets[index] = offset
                sizes[index] += size_bytes
                if index:
                    self._join_next(index - 1)
                return
        index = bisect_left(offsets, offset)
        offsets.insert(index, offset)
        sizes.insert(index, size_bytes)

    def _join_next(self, index: int) -> None:
        offsets, sizes = self._offsets, self._sizes
        if index + 1 < len(offsets) and offsets[index] + sizes[index] == offsets[index + 1]:
            sizes[index] += sizes[index + 1]
            del offsets[index + 1], sizes[index + 1]

    def state(self) -> State:
        """The holes, to compare or to come back to."""
        return tuple(self._offsets), tuple(self._sizes)

    def restore(self, state: State, peak_bytes: int) -> None:
        """Go to a state that was reached before, having needed ``peak_bytes`` on the way."""
        self._offsets, self._sizes = list(state[0]), list(state[1])
        self.peak_bytes = max(self.peak_bytes, peak_bytes)
