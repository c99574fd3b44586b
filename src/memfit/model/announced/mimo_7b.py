"""MiMo 7B of Xiaomi: Qwen2's layers, and a head that predicts a second token."""

from memfit.model.announced._announced import Announced

MODEL = Announced(
    name="MiMo-7B",
    parameters=7_000_000_000,
    context_tokens=32768,
    why="is of a class (MiMoForCausalLM) that llama.cpp cannot convert",
    advice="DeepSeek-R1-Distill-Qwen-7B and Qwen3-8B reason too",
    source=(
        "github.com/ggml-org/llama.cpp/issues/13218, open; config.json of XiaomiMiMo/MiMo-7B-Base as quoted in "
        "Megatron-Bridge's tests (NVIDIA-NeMo/Megatron-Bridge): 36 layers of width 4096"
    ),
    uses=("reasoning", "code", "bilingual", "long_context"),
    released="2025-04",
    aliases=("MiMo-7B-RL", "MiMo-7B-SFT", "MiMo-7B-Base", "XiaomiMiMo/MiMo-7B-RL", "MiMo"),
)
