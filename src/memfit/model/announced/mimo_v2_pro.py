"""MiMo-V2-Pro of Xiaomi."""

from memfit.model.announced._announced import Announced

MODEL = Announced(
    name="MiMo-V2-Pro",
    parameters=1_000_000_000_000,
    parameters_active=42_000_000_000,
    context_tokens=1_000_000,
    why="is served by its makers alone: neither its weights nor its shape are published",
    source="its makers' announcement of March 2026: more than a trillion parameters, 42 billion of them active",
    uses=("reasoning", "chat", "tools", "code", "bilingual", "long_context"),
    released="2026-03",
)
