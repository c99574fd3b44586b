"""Step 3.5 Flash: experts in most layers, sliding windows."""

from memfit.model.announced._announced import Announced

MODEL = Announced(
    name="Step-3.5-Flash",
    parameters=196_000_000_000,
    parameters_active=11_000_000_000,
    context_tokens=262144,
    why="is of the architecture step35, which llama.cpp runs and memfit does not describe",
    advice="give its GGUF file with --source engine, and llama.cpp is asked",
    source="README of github.com/stepfun-ai/Step-3.5-Flash; llama.cpp pull request 19283; libllama @ 0c1e57098",
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2026-02",
    aliases=("Step 3.5 Flash", "Step-Flash", "stepfun-ai/Step-3.5-Flash"),
)
