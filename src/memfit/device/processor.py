"""The CPU's instructions, in the names llama.cpp prints, from ``/proc/cpuinfo``."""

from __future__ import annotations

from memfit.errors import ProbeError
from memfit.host import Host

# kernel name -> name in llama_print_system_info (ggml/src/ggml-cpu/ggml-cpu.cpp, 0c1e57098)
_X86 = {"avx": "avx", "avx2": "avx2", "avx512f": "avx512", "avx512_vnni": "avx512_vnni", "amx_int8": "amx_int8"}
_ARM = {"asimd": "neon", "neon": "neon", "asimddp": "dotprod", "i8mm": "matmul_int8", "sve": "sve", "sme": "sme"}


def read_instructions(host: Host) -> tuple[str, ...]:
    """Extensions that decide which weights an engine rearranges; empty where the file cannot be read."""
    try:
        text = host.read_bytes("/proc/cpuinfo", most=64 * 1024).decode("ascii", "replace")
    except ProbeError:
        return ()
    return parse_instructions(text)


def parse_instructions(text: str) -> tuple[str, ...]:
    """The first processor's ``flags`` (x86) or ``Features`` (Arm) line."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        names = {"flags": _X86, "Features": _ARM}.get(key.strip())
        if names is not None:
            return tuple(dict.fromkeys(names[flag] for flag in value.split() if flag in names))
    return ()
