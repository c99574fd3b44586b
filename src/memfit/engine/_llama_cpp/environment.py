"""The variables that llama.cpp's programs read as options: ``LLAMA_ARG_CTX_SIZE=8192`` is ``--ctx-size 8192``.

Names from the ``set_env`` calls of common/arg.cpp, rules from ``get_value_from_env`` and ``common_params_parse_ex``
(llama.cpp 0c1e57098). What a command says itself wins over them.
"""

from __future__ import annotations

from collections.abc import Mapping

from memfit.engine._llama_cpp.flags import VALUED

PREFIX = "LLAMA_ARG_"

# variable without its prefix -> option, and the option that says the opposite. Only those that change memory
_OPTIONS = {
    name: (flag, opposite[0] if opposite else "")
    for name, flag, *opposite in (
        line.split()
        for line in """
THREADS --threads
CTX_SIZE --ctx-size
KV_UNIFIED_PER_SLOT --kv-unified-per-slot
BATCH --batch-size
UBATCH --ubatch-size
SWA_FULL --swa-full
CTX_CHECKPOINTS --ctx-checkpoints
CACHE_RAM --cache-ram
KV_UNIFIED --kv-unified --no-kv-unified
FLASH_ATTN --flash-attn
BACKEND_SAMPLING --backend-sampling
POOLING --pooling
KV_OFFLOAD --kv-offload --no-kv-offload
REPACK --repack --no-repack
CACHE_TYPE_K --cache-type-k
CACHE_TYPE_V --cache-type-v
N_PARALLEL --parallel
MMPROJ --mmproj
MMPROJ_URL --mmproj-url
MMPROJ_OFFLOAD --mmproj-offload --no-mmproj-offload
IMAGE_MIN_TOKENS --image-min-tokens
IMAGE_MAX_TOKENS --image-max-tokens
MTMD_BATCH_MAX_TOKENS --mtmd-batch-max-tokens
RPC --rpc
LOAD_MODE --load-mode
LAZY_MODE --lazy-mode
DEVICE --device
OVERRIDE_TENSOR --override-tensor
CPU_MOE --cpu-moe
N_CPU_MOE --n-cpu-moe
N_CPU_FFN --n-cpu-ffn
N_GPU_LAYERS --n-gpu-layers
SPLIT_MODE --split-mode
TENSOR_SPLIT --tensor-split
FIT_TARGET --fit-target
FIT_CTX --fit-ctx
MODEL --model
MODEL_URL --model-url
DOCKER_REPO --docker-repo
HF_REPO --hf-repo
EMBEDDINGS --embeddings
RERANKING --reranking
MODELS_DIR --models-dir
MODELS_PRESET --models-preset
MODELS_MAX --models-max
SPEC_DRAFT_HF_REPO --spec-draft-hf
SPEC_DRAFT_CACHE_TYPE_K --cache-type-k-draft
SPEC_DRAFT_CACHE_TYPE_V --cache-type-v-draft
SPEC_DRAFT_CPU_MOE --spec-draft-cpu-moe
SPEC_DRAFT_N_CPU_MOE --spec-draft-n-cpu-moe
SPEC_DRAFT_N_MAX --spec-draft-n-max
N_GPU_LAYERS_DRAFT --n-gpu-layers-draft
SPEC_DRAFT_MODEL --spec-draft-model
SPEC_TYPE --spec-type
""".strip().splitlines()
    )
}
# a switch whose own name begins with NO_: not the opposite of another
_NO_HOST = {"NO_HOST": ("--no-host", "")}
NAMES = {**_OPTIONS, **_NO_HOST}
# of older releases, which people still set and this one does not look at: what it reads instead
_OLDER = {
    "MMAP": "LLAMA_ARG_LOAD_MODE=mmap",
    "NO_MMAP": "LLAMA_ARG_LOAD_MODE=none",
    "MLOCK": "LLAMA_ARG_LOAD_MODE=mmap+mlock",
}
# is_truthy and is_falsey, common/arg.cpp
_TRUE = ("on", "enabled", "true", "1")
_FALSE = ("off", "disabled", "false", "0")


def words_of(variables: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Variables as the words of a command line, and what has to be said of those that cannot be read so.

    Variables of other programs, and llama.cpp's own that take no memory, give neither.
    """
    words: list[str] = []
    warnings: list[str] = []
    for variable, value in variables.items():
        name = variable.removeprefix(PREFIX)
        if name == variable:
            continue
        if name in _OLDER:
            warnings.append(f"{variable} is not read by this llama.cpp and was left out; it reads {_OLDER[name]}")
            continue
        flag, opposite = NAMES.get(name, ("", ""))
        if not flag and name.startswith("NO_"):  # whatever its value: the program looks only whether it is set
            flag, value = NAMES.get(name.removeprefix("NO_"), ("", ""))[1], "1"
        if not flag:
            continue
        if flag in VALUED:
            words += (flag, value)
        elif value in _TRUE:
            words.append(flag)
        elif opposite and value in _FALSE:
            words.append(opposite)
        elif opposite:
            warnings.append(f"{variable}={value}: llama.cpp refuses it; write on or off")
    return tuple(words), tuple(warnings)
