"""L4T 36.4.7 lets large GPU allocations fail (the fix of CVE-2025-33177 in NvMap)."""

from __future__ import annotations

from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, failed, not_applicable, passed, unknown

_BROKEN, _MENDED = (36, 4, 7), (36, 5)


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    if not findings.release:
        return unknown("the release of L4T could not be read (/etc/nv_tegra_release)")
    stands = f"L4T {findings.audit.l4t}"
    if findings.release[:1] != (36,):
        return not_applicable(f"{stands}: only 36.4.7 has it")
    if findings.release[:3] == _BROKEN:
        return failed(
            f"{stands}: large cudaMalloc fail with NvMap error 12",
            "sudo apt-get update && sudo apt-get dist-upgrade  # to L4T 36.5 (JetPack 6.2.2)",
        )
    if findings.release[:2] == _MENDED:
        return passed(
            f"{stands}: mended in part; reports of failing builds remain, virtual-memory allocation avoids it"
        )
    return passed(f"{stands} does not have it")


CHECK = Item(
    asks="Is this release free of the failing large allocations?",
    judge=_judge,
    source="logs of R36.4.7 (llama.cpp#23732, TensorRT Edge-LLM)",
)
