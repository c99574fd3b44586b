"""What the installed llama.cpp was built for, read from its library: a build may use less than the processor offers."""

from __future__ import annotations

import functools
import mmap
from collections.abc import Iterable

from memfit.engine._llama_cpp.child import package_folder
from memfit.errors import EngineMissing

# exported by ggml/src/ggml-cpu/amx/amx.cpp, which is empty in a build without the instructions (0c1e57098)
_TILES = b"ggml_backend_amx_buffer_type"
_NEEDS_BUILD = "amx_int8"


def built_for(instructions: Iterable[str]) -> tuple[str, ...]:
    """``instructions`` of this processor without those that the build here leaves alone; all where none is here.

    Tile registers alone are looked for: they decide which weights are rearranged and how large the copies are, and
    builds without them are common because some virtual machines show these instructions and fault on them.
    """
    found = tuple(instructions)
    if _NEEDS_BUILD not in found or _has_tiles() is not False:
        return found
    return tuple(name for name in found if name != _NEEDS_BUILD)


def _has_tiles() -> bool | None:
    """Whether the CPU backend computes in tiles; None where there is no library to look into."""
    try:
        libraries = {path.resolve() for path in (package_folder() / "lib").glob("libggml-cpu*")}
        return any(_holds(str(path)) for path in libraries) if libraries else None
    except (EngineMissing, OSError, ValueError):  # an empty file cannot be mapped
        return None


@functools.lru_cache(maxsize=8)  # an estimate asks for every change that it prices
def _holds(path: str) -> bool:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(_TILES) >= 0
