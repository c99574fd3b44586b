"""llama.cpp: its library (as llama-cpp-python embeds it) and its server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memfit.engine._engine import Engine
from memfit.engine._llama_cpp.ledger import ledger
from memfit.engine._llama_cpp.terms import peak_bytes
from memfit.engine._start import EngineLog, Start
from memfit.engine.records import Command, Deployment, Options, Profile, Workload
from memfit.units import MIB

# llama_context_default_params (src/llama-context.cpp), except the context: the engine's 512 is for tests
LIBRARY = Options(context_tokens=4096, slots=1, full_window_cache=True, output_rows=0)

# common_params (common/common.h) as tools/server/server.cpp resolves them: four slots over one buffer, the trained
# context, one output row a slot, 8 GiB of saved prompts
SERVER = Options(
    context_tokens=0,
    slots=4,
    unified_kv=True,
    full_window_cache=False,
    output_rows=4,
    cache_ram_bytes=8192 * MIB,
    checkpoints=32,
)

PROFILES: dict[Profile, Options] = {"library": LIBRARY, "server": SERVER}


def read_command(words: Sequence[str], profile: Profile | None = None) -> Command | None:
    """What a command line of one of llama.cpp's programs deploys; None where it is none of them."""
    from memfit.engine._llama_cpp.command import is_command, parse_command

    return parse_command(words, PROFILES, profile) if is_command(words) else None


def read_modelfile(path: Path, profile: Profile | None = None) -> Command | None:
    """What Ollama would deploy from a Modelfile, which runs llama.cpp; None where the file is none."""
    from memfit.engine._llama_cpp.modelfile import is_modelfile, parse_modelfile

    return parse_modelfile(path, PROFILES, profile) if is_modelfile(path) else None


def start(deployment: Deployment, profile: Profile, workload: Workload) -> Start:
    """The embedded engine for a deployment, in a child process."""
    from memfit.engine._llama_cpp.live import start

    return start(deployment, profile, workload)


def serve(words: Sequence[str], deployment: Deployment, workload: Workload) -> Start:
    """The ``llama-server`` that a command starts."""
    from memfit.engine._llama_cpp.live import serve

    return serve(words, deployment, workload)


def read_log(text: str) -> EngineLog:
    """What one of llama.cpp's programs has printed."""
    from memfit.engine._llama_cpp.log import read_log

    return read_log(text)


def installed_version() -> str:
    """``llama-cpp-python 0.3.36``, empty where it is not installed."""
    from memfit.engine._llama_cpp.child import package_version

    version = package_version()
    return f"llama-cpp-python {version}" if version else ""


ENGINE = Engine(
    name="llama.cpp",
    summary="GGUF models on CPU and CUDA, mapped from the file",
    profiles=PROFILES,
    ledger=ledger,
    read_command=read_command,
    read_modelfile=read_modelfile,
    start=start,
    serve=serve,
    read_log=read_log,
    installed_version=installed_version,
    peak_bytes=lambda weights, rest: peak_bytes(weights + rest, "cuda"),
    aliases=("llama", "llama cpp python", "llama server", "llama cli"),
)
