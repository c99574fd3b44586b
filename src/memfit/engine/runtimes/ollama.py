"""Ollama: llama.cpp with Ollama's own options, in a process of its own beside Ollama's server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Engine, Ledger, Models
from memfit.engine._llama_cpp.ledger import ledger as llama_ledger
from memfit.engine._start import Start
from memfit.engine.records import Asked, Command, Deployment, Options, Part, Profile, Term
from memfit.engine.runtimes import llama_cpp
from memfit.errors import UsageError
from memfit.units import GIB, MIB, format_tokens

# OLLAMA_NUM_PARALLEL 1, OLLAMA_KV_CACHE_TYPE f16, num_batch 512, flash attention where the device has it; 0 tokens: by
# the memory of the GPU, see ``default_context``
OPTIONS = Options(
    context_tokens=0,
    slots=1,
    batch_tokens=512,
    ubatch_tokens=512,
    output_rows=1,
    full_window_cache=False,
    backend="cuda",
)
# Ollama's KV cache types (OLLAMA_KV_CACHE_TYPE, docs/faq.md)
KV_TYPES = ("F16", "Q8_0", "Q4_0")
# a server in Go that answers and starts the runner; nobody published its size
_SERVER = (20 * MIB, 60 * MIB, 150 * MIB)


def default_context(device: Device) -> int:
    """Tokens of a request where nothing is said (docs/context-length.mdx @ 948f6933).

    4k below 24 GiB of memory for the GPU, 32k below 48 GiB, 256k above; on a unified memory that is all of it.
    """
    total = device.total_bytes or device.capacity_bytes
    if total < 24 * GIB:
        return 4096
    return 32768 if total < 48 * GIB else 262144


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """llama.cpp's ledger with Ollama's options, and Ollama's server beside it.

    ``num_ctx`` holds for each request: the runner gets it times the requests at once.

    Raises:
        UsageError: a KV cache that Ollama does not have, or a format that is none of GGUF.
        EngineMissing, EngineFailed, Disagreement, UnknownArchitecture: as llama.cpp's.
    """
    options = deployment.options
    for kind in (options.kv_type_k, options.kv_type_v):
        if kind not in KV_TYPES:
            raise UsageError(f"Ollama has no KV cache in {kind}", hint="it takes f16, q8_0 and q4_0")
    trained = models.model.context_trained_tokens
    context = options.context_tokens or min(default_context(device), trained or default_context(device))
    rows = max(options.output_rows, options.slots) if options.output_rows else 0  # the runner reserves one a request
    own = msgspec.structs.replace(options, context_tokens=context * options.slots, unified_kv=False, output_rows=rows)
    found = llama_ledger(models, msgspec.structs.replace(deployment, options=own), device, "server", asked)
    words = () if options.context_tokens else (f"num_ctx {format_tokens(context)}: Ollama's default for this memory",)
    return replace_terms(found, tuple(map(_with_server, found.terms)), (*found.warnings, *words))


def replace_terms(found: Ledger, terms: tuple[Term, ...], warnings: tuple[str, ...]) -> Ledger:
    """The same ledger with other terms, said to be Ollama's."""
    return msgspec.structs.replace(
        found, terms=terms, warnings=warnings, engine=found.engine.replace("llama.cpp", "Ollama on llama.cpp", 1)
    )


def _with_server(term: Term) -> Term:
    if term.name != "runtime":
        return term
    low, likely, high = _SERVER
    return msgspec.structs.replace(
        term,
        low_bytes=term.low_bytes + low,
        likely_bytes=term.likely_bytes + likely,
        high_bytes=term.high_bytes + high,
        source="default",
        formula=f"{term.formula}, and Ollama's server",
        error="Ollama's server: not measured",
        parts=(*term.parts, Part(name="Ollama's server", bytes=high)) if term.parts else (),
    )


def read_command(words: Sequence[str], profile: Profile | None = None) -> Command | None:
    """No command of Ollama says what it runs."""
    return None


def read_modelfile(path: Path, profile: Profile | None = None) -> Command | None:
    """What Ollama would deploy from a Modelfile; None where the file is none."""
    command = llama_cpp.read_modelfile(path, profile)
    if command is None:
        return None
    return msgspec.structs.replace(
        command, deployment=msgspec.structs.replace(command.deployment, engine="ollama"), profile="server"
    )


def start(*_: object) -> Start:
    """Refused: Ollama's server starts its runner itself."""
    raise UsageError(
        "memfit sizes Ollama and does not start it", hint="start its GGUF file with llama.cpp: --engine llama_cpp"
    )


ENGINE: Engine = replace(
    llama_cpp.ENGINE,
    name="Ollama",
    summary="llama.cpp with Ollama's options and its server beside it",
    profiles={"library": OPTIONS, "server": OPTIONS},
    ledger=ledger,
    read_command=read_command,
    read_modelfile=read_modelfile,
    start=start,
    serve=start,
    installed_version=lambda: "",
    only_sized=True,
    # the runner's room for peaks, which Ollama's server has no part in
    peak_bytes=lambda weights, rest: llama_cpp.ENGINE.peak_bytes(weights, rest - _SERVER[2]),
    aliases=(),
)
