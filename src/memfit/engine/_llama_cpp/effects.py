"""What each option of a pasted llama.cpp command does to memory: counted under a key, or named as not counted.

Read from common/arg.cpp, common/speculative.cpp and tools/server (llama.cpp 0c1e57098). An option of ``flags.py`` that
is in none of these tables takes no memory worth a word.
"""

from __future__ import annotations

# key of the parsed command -> every spelling; these take a value
COUNTED = {
    "model": ("-m", "--model"),
    "context_tokens": ("-c", "--ctx-size"),
    "batch_tokens": ("-b", "--batch-size"),
    "ubatch_tokens": ("-ub", "--ubatch-size"),
    "slots": ("-np", "--parallel"),
    "slot_context": ("--kv-unified-per-slot",),
    "kv_type_k": ("-ctk", "--cache-type-k"),
    "kv_type_v": ("-ctv", "--cache-type-v"),
    "flash_attention": ("-fa", "--flash-attn"),
    "load_mode": ("-lm", "--load-mode"),
    "gpu_layers": ("-ngl", "--gpu-layers", "--n-gpu-layers"),
    "device": ("-dev", "--device"),
    "threads": ("-t", "--threads"),
    "threads_batch": ("-tb", "--threads-batch"),
    "cache_ram": ("-cram", "--cache-ram"),
    "checkpoints": ("-ctxcp", "--ctx-checkpoints", "--swa-checkpoints"),
    "draft": ("-md", "--model-draft", "--spec-draft-model"),
    "speculation": ("--spec-type",),
    "draft_tokens": ("--spec-draft-n-max",),
    "ngram_simple_tokens": ("--spec-ngram-simple-size-m",),
    "ngram_map_k_tokens": ("--spec-ngram-map-k-size-m",),
    "ngram_map_k4v_tokens": ("--spec-ngram-map-k4v-size-m",),
    "ngram_mod_tokens": ("--spec-ngram-mod-n-max",),
    "projector": ("-mm", "--mmproj"),
    "adapter": ("--lora",),
    "adapter_scaled": ("--lora-scaled",),
    "pooling": ("--pooling",),
    "repository": ("-hf", "-hfr", "--hf-repo", "-mu", "--model-url", "-dr", "--docker-repo"),
}
# the same for options without a value
COUNTED_SWITCHES = {
    "kv_unified": ("-kvu", "--kv-unified"),
    "kv_split": ("-no-kvu", "--no-kv-unified"),
    "swa_full": ("--swa-full",),
    "no_repack": ("-nr", "--no-repack"),
    "repack": ("--repack",),
    "embedding": ("--embedding", "--embeddings"),
    "rerank": ("--rerank", "--reranking"),
    "speculation_default": ("--spec-default",),
    # switches of older releases, which this one refuses; people still paste them
    "no_mmap": ("--no-mmap",),
    "mlock": ("--mlock",),
}
KEYS = {flag: key for table in (COUNTED, COUNTED_SWITCHES) for key, flags in table.items() for flag in flags}
SWITCH_KEYS = frozenset(COUNTED_SWITCHES)

# refused by this release -> how it is written now
RENAMED = {"--no-mmap": "--load-mode none", "--mlock": "--load-mode mmap+mlock"}

# why -> flags that take memory, or move it between CPU and GPU, beyond what memfit counts
_UNCOUNTED = {
    "the draft's KV cache is counted in F16": "-ctkd -ctvd --cache-type-k-draft --cache-type-v-draft"
    " --spec-draft-type-k --spec-draft-type-v",
    "the draft is counted with the layers on the GPU of the model itself": "-ngld --spec-draft-ngl"
    " --gpu-layers-draft --n-gpu-layers-draft -devd --device-draft --spec-draft-device -otd"
    " --override-tensor-draft --spec-draft-override-tensor -cmoed --cpu-moe-draft --spec-draft-cpu-moe -ncmoed"
    " --n-cpu-moe-draft --spec-draft-n-cpu-moe --spec-draft-ncmoe",
    "it moves weights between CPU and GPU": "-ot --override-tensor -cmoe --cpu-moe -ncmoe --n-cpu-moe -ncffn"
    " --n-cpu-ffn",
    "it moves the cache or its operations between CPU and GPU": "-nkvo --no-kv-offload --no-op-offload --no-host",
    "it spreads the model over several devices": "-sm --split-mode -ts --tensor-split --rpc",
    "the projector is counted beside the model": "-mmdev --mmproj-device --no-mmproj-offload",
    "images are counted at the size the projector's file states": "--image-max-tokens --image-min-tokens"
    " --mtmd-batch-max-tokens",
    "a control vector is a further buffer of the width of the model a layer": "--control-vector"
    " --control-vector-scaled",
    "memfit reads local files: give the downloaded file": "-mmu --mmproj-url -hfd -hfrd --hf-repo-draft"
    " --spec-draft-hf",
    "it names models of its own to download": "--embd-gemma-default --fim-qwen-1.5b-default --fim-qwen-3b-default"
    " --fim-qwen-7b-default --fim-qwen-7b-spec --fim-qwen-14b-spec --fim-qwen-30b-default --gpt-oss-20b-default"
    " --gpt-oss-120b-default --vision-gemma-4b-default --vision-gemma-12b-default",
    "several models may be loaded at once": "--models-dir --models-preset --models-max",
    "heads for speculation are further weights and caches": "--mtp --eagle3 --dflash",
    "tables for lookup decoding are read into memory": "-lcs -lcd --lookup-cache-static --lookup-cache-dynamic",
    "rows of very large embeddings are counted as by default": "-lzm --lazy-mode",
    "the model's own metadata is taken": "--override-kv",
    "the attention of the model's file is taken": "--attention",
    "samplers on the backend keep rows of the vocabulary": "-bs --backend-sampling",
    "memory for fitting is not kept apart, and the context is not shortened": "-fitt --fit-target -fitc --fit-ctx",
    "a voice is a further model": "--tts-speaker-file",
}
UNCOUNTED = {flag: why for why, flags in _UNCOUNTED.items() for flag in flags.split()}
# values that leave memory as it is counted
HARMLESS = {
    "the draft's KV cache is counted in F16": ("f16",),
    "it spreads the model over several devices": ("none", "layer"),
    "the attention of the model's file is taken": ("causal",),
    "rows of very large embeddings are counted as by default": ("auto",),
}

# common_params_speculative (common/common.h) and common_speculative_n_max (common/speculative.cpp): tokens that each
# type may propose at once: key of the option that states it, default
PROPOSED = {
    "none": ("", 0),
    "draft-simple": ("draft_tokens", 3),
    "draft-eagle3": ("draft_tokens", 3),
    "draft-mtp": ("draft_tokens", 3),
    "draft-dflash": ("draft_tokens", 3),
    "draft-dspark": ("draft_tokens", 3),
    "ngram-simple": ("ngram_simple_tokens", 48),
    "ngram-map-k": ("ngram_map_k_tokens", 48),
    "ngram-map-k4v": ("ngram_map_k4v_tokens", 48),
    "ngram-mod": ("ngram_mod_tokens", 64),
    "ngram-cache": ("", 8),
}
# need_n_rs_seq (common/common.h): these keep that many snapshots of recurrent state
ROLLING_BACK = ("draft-eagle3", "draft-mtp", "draft-dflash", "draft-dspark")
