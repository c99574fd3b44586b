"""What is deployed (``Deployment``), and what an engine takes for it (``Term``)."""

from __future__ import annotations

from typing import Literal

import msgspec

Backend = Literal["cpu", "cuda"]
LoadMode = Literal["mmap", "none"]
Profile = Literal["library", "server"]
Pool = Literal["unified", "host", "gpu", "system"]
Asked = Literal["auto", "engine", "formula", "both"]
Source = Literal["engine", "formula", "coefficients", "measured", "datasheet", "default", "stated"]

TERM_NAMES = (
    "weights",
    "kv_cache",
    "recurrent_state",
    "compute_buffers",
    "work_buffer",
    "cuda_graphs",
    "output_buffer",
    "tokenizer",
    "projector",
    "draft",
    "prompt_cache",
    "runtime",
    "os",
    "peak_headroom",
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A named share of a term, such as the mapped and the repacked weights. Parts add up to the term's ``high``."""

    name: str
    bytes: int


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a footprint.

    Attributes:
        name: one of ``TERM_NAMES``.
        pool: the memory it is taken from; on Jetson CPU and GPU share ``unified``. ``system`` is what the device has
            already lost before the deployment starts: shown, and not part of the sums.
        low_bytes: never less.
        likely_bytes: what a meter shows when the deployment has run: memory as touched.
        high_bytes: never more; reserved but untouched memory counts.
        evictable_bytes: the part of ``high`` that is file-mapped, which the kernel may drop and read again.
        working_set_bytes: the part of ``evictable`` read again for every token: without it in memory it pages.
        source: where the figure comes from.
        formula: how it was computed, in words.
        error: the error bar in words, where low and high do not tell it.
        parts: what it consists of.
    """

    name: str
    pool: Pool
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    evictable_bytes: int = 0
    working_set_bytes: int = 0
    source: Source
    formula: str
    error: str = ""
    parts: tuple[Part, ...] = ()


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A figure by formula beside the engine's own, both for the machine that the engine runs on.

    Attributes:
        term: of ``TERM_NAMES``, behind ``draft`` where it is the draft's.
        formula_bytes, engine_bytes: what each says.
        condition: what both were asked for, where the ledger's own term is another.
    """

    term: str
    formula_bytes: int
    engine_bytes: int
    condition: str = ""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Runtime options in llama.cpp's terms, and the few that other engines have beside them.

    Other engines read ``context_tokens`` as what *each* request may hold, ``slots`` as requests served at once and
    ``batch_tokens`` as prompt tokens computed at once; their files in ``engine.runtimes`` name their own words.

    Attributes:
        context_tokens: ``-c``; 0 takes the trained context. Shared by all slots.
        slots: ``-np``: sequences served at once. Other texts call this the batch size.
        unified_kv: ``-kvu``: one KV buffer for all slots instead of one each.
        batch_tokens: ``-b``: prompt *tokens* submitted at once (not sequences).
        ubatch_tokens: ``-ub``: tokens computed at once; compute buffers grow with it.
        kv_type_k, kv_type_v: ``-ctk``, ``-ctv``: formats of the KV cache.
        flash_attention: ``-fa``.
        load_mode: ``mmap`` maps the file, ``none`` reads it into memory of its own.
        locked: ``--load-mode mmap+mlock``: the kernel may not drop the mapped weights.
        repack: rearrange weights for the CPU's instructions (a second copy of those tensors).
        gpu_layers: ``-ngl``: layers on the GPU; -1 for all.
        backend: where the offloaded layers run.
        full_window_cache: ``--swa-full``: sliding-window layers cache the whole context.
        output_rows: rows of logits the engine reserves a ubatch for; 0 is every token of it.
        embeddings: ``--embeddings``: every token of a batch is put out, and the output buffer grows to hold them.
        cache_ram_bytes: ``--cache-ram``: most that saved prompts may take.
        cache_ram_unlimited: ``--cache-ram -1``: saved prompts end at the context's tokens instead.
        checkpoints: ``--ctx-checkpoints``: most saved states a slot of window or recurrent caches.
        rollback_tokens: snapshots of recurrent state a sequence, for speculative decoding.
        threads: CPU threads, for the work buffer; 0 takes the device's.
        memory_fraction: the share of the device's memory that an engine with a pool takes (vLLM
            ``--gpu-memory-utilization``, SGLang ``--mem-fraction-static``, MLC ``gpu_memory_utilization``, TensorRT-LLM
            ``free_gpu_memory_fraction``); None takes the least that serves what was asked for.
        cuda_graphs: capture CUDA graphs (vLLM's and SGLang's default; off: ``--enforce-eager``,
            ``--disable-cuda-graph``).
    """

    context_tokens: int = 4096
    slots: int = 1
    unified_kv: bool = False
    batch_tokens: int = 2048
    ubatch_tokens: int = 512
    kv_type_k: str = "F16"
    kv_type_v: str = "F16"
    flash_attention: bool = True
    load_mode: LoadMode = "mmap"
    locked: bool = False
    repack: bool = True
    gpu_layers: int = -1
    backend: Backend = "cpu"
    full_window_cache: bool = True
    output_rows: int = 0
    embeddings: bool = False
    cache_ram_bytes: int = 0
    cache_ram_unlimited: bool = False
    checkpoints: int = 0
    rollback_tokens: int = 0
    threads: int = 0
    memory_fraction: float | None = None
    cuda_graphs: bool = True


def with_slots(options: Options, slots: int) -> Options:
    """The same options with another number of slots, as llama.cpp's server takes a stated number.

    It reserves a row of logits for each, and shares one KV buffer among them only when it chose the number itself.
    """
    rows = slots if options.output_rows == options.slots else options.output_rows
    return msgspec.structs.replace(options, slots=slots, output_rows=rows, unified_kv=False)


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One model on one engine with its options.

    ``model``, ``draft``, ``projector`` and ``adapters`` are file paths, or names of cards for ``model`` and ``draft``.
    """

    model: str
    engine: str = "llama_cpp"
    options: Options = Options()
    format: str | None = None
    draft: str | None = None
    projector: str | None = None
    adapters: tuple[str, ...] = ()
    schema_version: int = 1


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What a command line or a model's recipe deploys, as an engine read it.

    Attributes:
        deployment: the model with its options.
        profile: whose defaults it starts from, the engine's library or its server.
        gpu_stated: whether it says what runs on the GPU; if not, the engine takes the device's.
        warnings: what was not understood and what is not counted, one sentence each.
    """

    deployment: Deployment
    profile: Profile
    gpu_stated: bool = False
    warnings: tuple[str, ...] = ()


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What a running deployment is made to do while it is watched.

    Attributes:
        prompt_tokens: tokens each user sends; 0 fills one whole ubatch, so that compute buffers are touched.
        generate_tokens: tokens each user is answered with.
        users: sequences served at once, at most ``Options.slots``.
        fill_context: prompts as long as the context allows, instead of ``prompt_tokens``.
        rounds: how often the whole is repeated; growth is looked for over the rounds.
        soak_s: repeat until this time has passed instead of counting rounds; 0 counts rounds.
        seed: of the token ids that are sent.
    """

    prompt_tokens: int = 0
    generate_tokens: int = 32
    users: int = 1
    fill_context: bool = False
    rounds: int = 1
    soak_s: float = 0.0
    seed: int = 0


class Buffer(msgspec.Struct, frozen=True, kw_only=True):
    """One allocation that a running engine reports, or that was seen being made.

    Attributes:
        term: the term of the footprint it belongs to, one of ``TERM_NAMES``.
        name: as the engine calls it, ``CPU_Mapped model buffer``.
        reserved_bytes: its size.
        touched_bytes: what of it is resident; None where it was not looked at.
    """

    term: str
    name: str
    reserved_bytes: int
    touched_bytes: int | None = None
