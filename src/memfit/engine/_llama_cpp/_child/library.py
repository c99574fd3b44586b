"""llama.cpp's shared libraries, loaded through the ctypes module of llama-cpp-python without its package.

The package's ``__init__`` would import numpy and jinja2, which take longer than the answer.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import types
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

GPU_TYPES = (1, 2)  # GGML_BACKEND_DEVICE_TYPE_GPU, _IGPU: ggml/include/ggml-backend.h (0c1e57098)
_DEBUG, _WARN, _ERROR, _CONTINUED = 1, 3, 4, 5  # ggml_log_level, ggml/include/ggml.h
_MOST_LOG_CHARACTERS = 4 * 1024**2


class Log:
    """What the engine says: all of the current step up to a bound, and the last lines for when it dies."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._complaints: list[str] = []
        self._errors: list[str] = []
        self._last: deque[str] = deque(maxlen=60)
        self._level = 0

    def add(self, level: int, text: str) -> None:
        """One message of the engine; debug messages are dropped."""
        if level != _CONTINUED:
            self._level = level
        if self._level == _DEBUG:
            return
        self._last.append(text)
        self._size += len(text)
        if self._size <= _MOST_LOG_CHARACTERS:
            self._parts.append(text)
            if self._level >= _WARN:
                self._complaints.append(text)
            if self._level >= _ERROR:
                self._errors.append(text)

    def begin(self) -> None:
        """Forget the step before."""
        self._parts, self._complaints, self._errors, self._size = [], [], [], 0

    @property
    def text(self) -> str:
        """All of the current step."""
        return "".join(self._parts)

    @property
    def complaints(self) -> str:
        """Warnings and errors of the current step."""
        return "".join(self._complaints).strip()

    @property
    def reasons(self) -> str:
        """The same with the errors first: a warning before them is not why the engine said no."""
        return "".join([*self._errors, *self._complaints]).strip()

    @property
    def tail(self) -> str:
        """The last lines, whatever the step."""
        return "".join(self._last)

    def failure(self, what: str) -> dict[str, Any]:
        """The engine said no: what it was asked, its reasons, and the end of its log."""
        return {"failed": {"what": what, "why": self.reasons, "log": self.tail}}


def pointer(handle: Any) -> int:
    """A handle of the ctypes module as the address it is."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


class Library:
    """The engine's C and C++ functions by symbol.

    Args:
        folder: the folder of the ``llama_cpp`` package.
        search: where its one import (typing_extensions) is found.
    """

    def __init__(self, folder: str, search: list[str]) -> None:
        sys.path.extend(search)
        if "llama_cpp" not in sys.modules:
            package = types.ModuleType("llama_cpp")
            package.__path__ = [folder]
            sys.modules["llama_cpp"] = package
        self.api: Any = importlib.import_module("llama_cpp.llama_cpp")
        self.log = Log()
        self._keep = self._listen()
        self.api.llama_backend_init()
        if self.call("ggml_backend_reg_count", ctypes.c_size_t) == 0:  # backends built as plug-ins
            self.call("ggml_backend_load_all_from_path", None, str(Path(folder, "lib")).encode())

    def function(self, symbol: str, result: Any, *arguments: Any) -> Callable[..., Any] | None:
        """The function of this symbol in libllama or what it links to, None where it is not exported."""
        try:
            found = getattr(self.api._lib, symbol)
        except AttributeError:
            return None
        # a pointer of its own: the module's bindings of the same symbol keep their types
        address = ctypes.cast(found, ctypes.c_void_p).value
        return None if address is None else ctypes.CFUNCTYPE(result, *arguments)(address)

    def call(self, symbol: str, result: Any, *arguments: int | bytes) -> Any:
        """Call a C function with integers, pointers as integers, and strings; None where it is not exported."""
        kinds = [ctypes.c_char_p if isinstance(argument, bytes) else ctypes.c_size_t for argument in arguments]
        found = self.function(symbol, result, *kinds)
        return None if found is None else found(*arguments)

    def text(self, symbol: str, *arguments: int) -> str | None:
        """Call a C function that returns a string."""
        value = self.call(symbol, ctypes.c_char_p, *arguments)
        return None if value is None else value.decode(errors="replace")

    def devices(self) -> list[dict[str, Any]]:
        """Every device of every backend: name, description, type number, whether it is a GPU."""
        found = []
        for index in range(self.call("ggml_backend_dev_count", ctypes.c_size_t) or 0):
            device = self.call("ggml_backend_dev_get", ctypes.c_void_p, index)
            kind = self.call("ggml_backend_dev_type", ctypes.c_int, device)
            found.append(
                {
                    "name": self.text("ggml_backend_dev_name", device),
                    "description": self.text("ggml_backend_dev_description", device),
                    "gpu": kind in GPU_TYPES,
                }
            )
        return found

    def identity(self) -> dict[str, Any]:
        """Version, build and instruction set of the engine as it says them, None where it does not."""
        return {
            "llama_version": self.text("llama_version"),
            "ggml_version": self.text("ggml_version"),
            "commit": self.text("ggml_commit"),
            "system_info": self.text("llama_print_system_info"),
            "devices": self.devices(),
        }

    def _listen(self) -> tuple[Any, ...]:
        @self.api.llama_log_callback  # type: ignore[untyped-decorator]
        def on_log(level: int, text: bytes, _data: object) -> None:
            self.log.add(level, text.decode(errors="replace"))

        @ctypes.CFUNCTYPE(None, ctypes.c_char_p)  # type: ignore[untyped-decorator]
        def on_abort(message: bytes) -> None:
            os.write(2, (self.log.tail + "\n" + message.decode(errors="replace") + "\n").encode())

        self.api.llama_log_set(on_log, None)
        abort = self.function("ggml_set_abort_callback", ctypes.c_void_p, ctypes.c_void_p)
        if abort is not None:
            abort(ctypes.cast(on_abort, ctypes.c_void_p))
        return on_log, on_abort
