"""A projector beside the model: loaded, and given one picture or half a minute of sound to encode.

``tools/mtmd/mtmd.h`` (0c1e57098) through the ctypes module of llama-cpp-python.
"""

from __future__ import annotations

import ctypes
import importlib
import os
from typing import Any

_SIDE_PIXELS = 1024  # a usual picture; encoders that take larger ones are not filled by it
_SOUND_S = 30


class Projector:
    """The encoder of an ``mmproj`` file.

    Args:
        model: the language model it belongs to.
        path: the file.
        gpu: whether it may run on one.
        threads: of the CPU.

    Raises:
        OSError: the engine cannot load it.
    """

    def __init__(self, model: Any, path: str, *, gpu: bool, threads: int) -> None:
        self._api: Any = importlib.import_module("llama_cpp.mtmd_cpp")
        params = self._api.mtmd_context_params_default()
        params.use_gpu = gpu
        params.n_threads = threads
        self._context = self._api.mtmd_init_from_file(os.fsencode(path), model, params)
        if not self._context:
            raise OSError(path)

    def encode(self) -> None:
        """Compute one input. Where the engine takes none (a model without a vocabulary), nothing is computed."""
        api = self._api
        bitmap = self._picture() if api.mtmd_support_vision(self._context) else self._sound()
        chunks = api.mtmd_input_chunks_init()
        marker = api.mtmd_default_marker()
        text = api.mtmd_input_text(marker, len(marker), False, True)
        bitmaps = (ctypes.c_void_p * 1)(bitmap)
        kinds = api.mtmd_tokenize.argtypes
        status = api.mtmd_tokenize(self._context, chunks, ctypes.byref(text), ctypes.cast(bitmaps, kinds[3]), 1)
        encoded = 0
        for index in range(api.mtmd_input_chunks_size(chunks) if status == 0 else 0):
            chunk = api.mtmd_input_chunks_get(chunks, index)
            if api.mtmd_input_chunk_get_type(chunk) != 0:  # MTMD_INPUT_CHUNK_TYPE_TEXT
                encoded += api.mtmd_encode_chunk(self._context, chunk) == 0
        if not encoded:
            os.write(2, f"memfit: the projector encoded nothing (mtmd_tokenize returned {status})\n".encode())
        api.mtmd_input_chunks_free(chunks)
        api.mtmd_bitmap_free(bitmap)

    def _picture(self) -> Any:
        pixels = (ctypes.c_uint8 * (3 * _SIDE_PIXELS * _SIDE_PIXELS))()
        return self._api.mtmd_bitmap_init(_SIDE_PIXELS, _SIDE_PIXELS, pixels)

    def _sound(self) -> Any:
        count = _SOUND_S * max(1, int(self._api.mtmd_get_audio_sample_rate(self._context)))
        return self._api.mtmd_bitmap_init_from_audio(count, (ctypes.c_float * count)())
