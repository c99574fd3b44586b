"""JetPack 5.1 is the least for llama.cpp and Ollama, 6.0 for TensorRT-LLM."""

from __future__ import annotations

from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, failed, passed, unknown

_LLAMA_CPP = (35, 2)  # L4T of JetPack 5.1
_TENSORRT_LLM = (36, 2)  # L4T of JetPack 6.0


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    if not findings.release:
        return unknown("the release of L4T could not be read (/etc/nv_tegra_release)")
    jetpack = f"JetPack {findings.audit.jetpack}" if findings.audit.jetpack else "JetPack unknown"
    stands = f"{jetpack}, L4T {findings.audit.l4t}"
    if findings.release < _LLAMA_CPP:
        return failed(
            f"{stands}: llama.cpp and Ollama need JetPack 5.1", "# flash JetPack 6.2.2 or newer with SDK Manager"
        )
    if findings.release < _TENSORRT_LLM:
        return passed(f"{stands}: enough for llama.cpp and Ollama; TensorRT-LLM needs JetPack 6.0")
    return passed(f"{stands}: enough for llama.cpp, Ollama and TensorRT-LLM")


CHECK = Item(
    asks="Is JetPack new enough for today's engines?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist",
)
