"""The jobs: reserve contexts for a model, or list the tensors that a quantization would give."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from memfit.engine._llama_cpp._child.library import Library


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Answer a job of kind ``reserve`` or ``quantize``; a failure of the engine is an answer, ``{"failed": ...}``."""
    library = Library(job["library"], job["search"])
    identity = library.identity()
    if job["needs_gpu"] and not any(device["gpu"] for device in identity["devices"]):
        return {"engine": identity, "no_gpu": True}
    if job["kind"] == "quantize":
        from memfit.engine._llama_cpp._child.quantization import quantize

        result = quantize(library, job)
    else:
        from memfit.engine._llama_cpp._child.contexts import reserve

        result = reserve(library, job)
    return {"engine": identity, "peak_rss_bytes": _peak_rss_bytes(), **result}


def _peak_rss_bytes() -> int:
    """Most memory this process has held. ``ru_maxrss`` would count the parent's, from before the exec."""
    found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
