"""llama.cpp: its library (as llama-cpp-python embeds it) and its server."""

from __future__ import annotations

from memfit.engine._engine import Engine
from memfit.engine._llama_cpp.ledger import ledger
from memfit.engine.records import Options
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

ENGINE = Engine(
    name="llama.cpp",
    summary="GGUF models on CPU and CUDA, mapped from the file",
    profiles={"library": LIBRARY, "server": SERVER},
    ledger=ledger,
    aliases=("llama", "llama cpp python", "llama server", "llama cli"),
)
