"""MiMo-V2-Flash of Xiaomi: sliding windows in five of six layers."""

from memfit.model.announced._announced import Announced

MODEL = Announced(
    name="MiMo-V2-Flash",
    parameters=309_000_000_000,
    parameters_active=15_000_000_000,
    context_tokens=262144,
    why="is of the architecture mimo2, which llama.cpp runs and memfit does not describe",
    advice="give its GGUF file with --source engine, and llama.cpp is asked",
    source="README of huggingface.co/XiaomiMiMo/MiMo-V2-Flash; libllama @ 0c1e57098",
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2025-12",
    aliases=("XiaomiMiMo/MiMo-V2-Flash",),
)
