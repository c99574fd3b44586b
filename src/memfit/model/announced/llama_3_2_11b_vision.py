"""Llama 3.2 11B Vision: Llama 3.1 8B with layers that look at a picture."""

from memfit.model.announced._announced import Announced

MODEL = Announced(
    name="Llama-3.2-11B-Vision",
    parameters=10_600_000_000,
    context_tokens=131072,
    why="is of a class (MllamaForConditionalGeneration) that llama.cpp cannot convert",
    advice="Qwen3-VL-8B and Gemma-3-12B take images too",
    source="meta-llama/llama-models models/llama3_2/MODEL_CARD_VISION.md; libllama @ 0c1e57098 has no mllama",
    uses=("vision", "chat", "long_context"),
    released="2024-09",
    aliases=("Llama-3.2-11B-Vision-Instruct", "Llama-3.2-11B", "llama3.2-vision"),
)
