"""ggml's number formats in this process: what the workbench's child does with weights, without the rest of the engine.

ggml's base library has the formats, and neither backends nor threads of its own. It aborts on some weights that are not
finite, and this process with it: whoever encodes looks first.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from memfit.engine._llama_cpp._child.bench_weights import Codec, Weight
from memfit.engine._llama_cpp.child import package_folder
from memfit.errors import EngineMissing

__all__ = ["Codec", "Weight", "codec"]

_NAMES = ("libggml-base.so", "libggml-base.dylib")


def codec(threads: int) -> Codec:
    """Formats, encoded by so many threads at once.

    Raises:
        EngineMissing: llama-cpp-python is not installed, or has no such library.
    """
    folder = package_folder() / "lib"
    path = next((folder / name for name in _NAMES if (folder / name).exists()), None)
    if path is None:
        raise EngineMissing(
            f"no {_NAMES[0]} in {folder}: weights cannot be quantized here",
            hint="pip install --force-reinstall 'memfit[llama]'",
        )
    return Codec(_Base(ctypes.CDLL(str(path))), threads)


class _Base:
    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def function(self, symbol: str, result: Any, *arguments: Any) -> Callable[..., Any] | None:
        try:
            address = ctypes.cast(getattr(self._library, symbol), ctypes.c_void_p).value
        except AttributeError:
            return None
        return None if address is None else ctypes.CFUNCTYPE(result, *arguments)(address)
