"""JetPack 5.1 is the least for llama.cpp and Ollama; which engines run on this one the matrix of engines tells."""

from __future__ import annotations

from memfit.device.checks._item import NO_JETSON, Answer, Findings, Item, failed, passed, unknown

_LEAST = (35, 2)  # L4T of JetPack 5.1
_ASKED = ("llama.cpp", "Ollama", "TensorRT-LLM")  # what the published list names


def _judge(findings: Findings) -> Answer:
    if not findings.jetson:
        return NO_JETSON
    if not findings.release:
        return unknown("the release of L4T could not be read (/etc/nv_tegra_release)")
    jetpack = f"JetPack {findings.audit.jetpack}" if findings.audit.jetpack else "JetPack unknown"
    stands = f"{jetpack}, L4T {findings.audit.l4t}"
    if findings.release < _LEAST:
        return failed(
            f"{stands}: llama.cpp and Ollama need JetPack 5.1", "# flash JetPack 6.2.2 or newer with SDK Manager"
        )
    return passed("; ".join((stands, *_engines(findings))))


def _engines(findings: Findings) -> list[str]:
    """``runs llama.cpp and Ollama``, ``not TensorRT-LLM (needs CUDA 12 and JetPack 6)``: never more than is known."""
    known = [found for found in findings.audit.engines if found.engine in _ASKED]
    said = []
    running = [found.engine for found in known if found.runs]
    if running:
        said.append(f"runs {_list(running)}")
    said += [f"not {found.engine} ({found.reason})" for found in known if found.runs is False]
    unsure = [found.engine for found in known if found.runs is None]
    if unsure:
        said.append(f"of {_list(unsure)} no source tells")
    return said


def _list(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


CHECK = Item(
    asks="Is JetPack new enough for today's engines?",
    judge=_judge,
    source="LLM Optimization on Jetson, pre-flight checklist; the matrix of engines",
)
