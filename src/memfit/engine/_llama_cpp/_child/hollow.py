"""Buffers that claim their size and take none: recurrent state and rows of logits without their memory.

Under ``no_alloc`` the engine still allocates and clears recurrent state (src/llama-memory-recurrent.cpp, 0c1e57098):
over a gigabyte for some models, and a second to clear it. It never reads it while it plans. So the allocation
function of each default buffer type is replaced by one that allocates a page, writes the asked size into the buffer,
and takes away its ``clear``.

The layouts (``ggml_backend_buffer_type``, ``ggml_backend_buffer``: ggml/src/ggml-backend-impl.h) are private to the
engine, so each replacement is first tried on a page, where a wrong guess does no harm, and withdrawn if it fails.
"""

from __future__ import annotations

import ctypes
from typing import Any

from memfit.engine._llama_cpp._child.library import Library

_PAGE = 4096
_ALLOCATE = 1  # second function of a buffer type
_MOST_WORDS = 15  # of a buffer: eleven functions, then type, context, size, usage
_CLEAR, _SIZE = -2, 2  # from the word that holds its type

_Allocate = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_Clear = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint8)


class HollowBuffers:
    """Keeps the replacements alive. ``kinds`` counts the buffer types that are hollow now."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._keep: list[Any] = []
        self.kinds = sum(self._hollow(kind) for kind in self._default_kinds())

    def _default_kinds(self) -> set[int]:
        call = self._library.call
        count = call("ggml_backend_dev_count", ctypes.c_size_t) or 0
        devices = [call("ggml_backend_dev_get", ctypes.c_void_p, index) for index in range(count)]
        kinds = {call("ggml_backend_dev_buffer_type", ctypes.c_void_p, device) for device in devices}
        return {kind for kind in kinds if kind}

    def _hollow(self, kind: int) -> bool:
        words = (ctypes.c_void_p * 2).from_address(kind)
        original = words[_ALLOCATE]
        if not original:
            return False
        allocate = _Allocate(original)

        @_Clear  # type: ignore[untyped-decorator]
        def leave(_buffer: int, _value: int) -> None:
            pass

        @_Allocate  # type: ignore[untyped-decorator]
        def pretend(asked: int, size: int) -> int | None:
            buffer: int | None = allocate(asked, min(size, _PAGE))
            fields = _fields(buffer, asked, min(size, _PAGE)) if buffer else None
            if fields is None:
                return buffer
            clear, stated = fields
            clear.value = ctypes.cast(leave, ctypes.c_void_p).value
            stated.value = size
            return buffer

        words[_ALLOCATE] = ctypes.cast(pretend, ctypes.c_void_p).value
        self._keep += [allocate, leave, pretend]
        if self._holds(kind):
            return True
        words[_ALLOCATE] = original
        return False

    def _holds(self, kind: int) -> bool:
        """Whether a buffer of this type states a size that it does not have, and is left alone by a clear."""
        call = self._library.call
        exact = call("ggml_backend_buft_alloc_buffer", ctypes.c_void_p, kind, _PAGE)
        large = call("ggml_backend_buft_alloc_buffer", ctypes.c_void_p, kind, 2 * _PAGE)
        if not exact or not large:
            return False
        held = bool(call("ggml_backend_buffer_get_size", ctypes.c_size_t, large) == 2 * _PAGE)
        if call("ggml_backend_buffer_is_host", ctypes.c_bool, exact):
            base = call("ggml_backend_buffer_get_base", ctypes.c_void_p, exact)
            ctypes.memset(base, 0x5A, _PAGE)
            call("ggml_backend_buffer_clear", None, exact, 0)
            held = held and ctypes.string_at(base, _PAGE) == b"\x5a" * _PAGE
        for buffer in (exact, large):
            call("ggml_backend_buffer_free", None, buffer)
        return held


def _fields(buffer: int, kind: int, size: int) -> tuple[ctypes.c_void_p, ctypes.c_size_t] | None:
    """Where a buffer keeps its ``clear`` and its size: counted from its type, and checked by its true size."""
    words = (ctypes.c_size_t * _MOST_WORDS).from_address(buffer)
    for index in range(-_CLEAR, _MOST_WORDS - _SIZE):
        if words[index] == kind and words[index + _SIZE] == size and words[index + _CLEAR]:
            at = buffer + index * ctypes.sizeof(ctypes.c_size_t)
            word = ctypes.sizeof(ctypes.c_size_t)
            return (
                ctypes.c_void_p.from_address(at + _CLEAR * word),
                ctypes.c_size_t.from_address(at + _SIZE * word),
            )
    return None
