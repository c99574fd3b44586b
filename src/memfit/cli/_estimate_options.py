"""The options of ``memfit estimate``, shared by every verb that describes a deployment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from memfit.cli._completion import devices, kv_types
from memfit.cli._types import MEBIBYTES, SIZE, TOKENS
from memfit.engine.records import Options

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "-c",
        "--context",
        "context_tokens",
        type=TOKENS,
        metavar="N",
        help="Context in tokens (8192, 8k); 0: as trained.",
    ),
    click.option(
        "-np",
        "--slots",
        "--batch-size",
        "slots",
        type=click.IntRange(1),
        metavar="N",
        help="Requests served at once. Other texts call this the batch size.",
    ),
    click.option(
        "--unified-kv/--split-kv", "unified_kv", default=None, help="One KV buffer for all slots, or one each."
    ),
    click.option(
        "-b",
        "--batch",
        "batch_tokens",
        type=TOKENS,
        metavar="N",
        help="Prompt tokens submitted at once (llama.cpp's batch).",
    ),
    click.option("-ub", "--ubatch", "ubatch_tokens", type=TOKENS, metavar="N", help="Tokens computed at once."),
    click.option(
        "--kv-type",
        "kv_type",
        metavar="FORMAT[/FORMAT]",
        shell_complete=kv_types,
        help="Format of the KV cache (f16, q8_0, q4_0), or of K/V.",
    ),
    click.option(
        "-ctk", "--cache-type-k", "kv_type_k", metavar="FORMAT", shell_complete=kv_types, help="Format of K alone."
    ),
    click.option(
        "-ctv", "--cache-type-v", "kv_type_v", metavar="FORMAT", shell_complete=kv_types, help="Format of V alone."
    ),
    click.option("-fa", "--flash-attention", type=click.Choice(["on", "off"]), help="Flash attention."),
    click.option(
        "-lm", "--load-mode", type=click.Choice(["mmap", "none"]), help="Map the file, or read it into memory."
    ),
    click.option("--mlock", "locked", is_flag=True, default=None, help="Mapped weights may not be dropped."),
    click.option("--repack/--no-repack", default=None, help="Rearrange weights for the CPU (a second copy)."),
    click.option("-ngl", "--gpu-layers", type=int, metavar="N", help="Layers on the GPU; -1 for all."),
    click.option("--backend", type=click.Choice(["cpu", "cuda"]), help="Where offloaded layers run."),
    click.option(
        "--swa-full/--swa-window",
        "full_window_cache",
        default=None,
        help="Sliding-window layers cache the whole context.",
    ),
    click.option(
        "--output-rows",
        type=click.IntRange(0),
        metavar="N",
        help="Rows of logits reserved; 0: every token of a ubatch.",
    ),
    click.option("--embeddings", is_flag=True, default=None, help="Every token is put out; the output buffer grows."),
    click.option(
        "-cram",
        "--cache-ram",
        "cache_ram_bytes",
        type=MEBIBYTES,
        metavar="MIB",
        help="Most that saved prompts may take (server); -1: no limit.",
    ),
    click.option(
        "-ctxcp",
        "--ctx-checkpoints",
        "checkpoints",
        type=click.IntRange(0),
        metavar="N",
        help="Most saved states a slot (server).",
    ),
    click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads."),
    click.option(
        "--memory-fraction",
        type=click.FloatRange(0, 1, min_open=True),
        metavar="SHARE",
        help="Of the memory that vLLM, SGLang, MLC or TensorRT-LLM takes (0.6); the least that serves where not given.",
    ),
    click.option("--cuda-graphs/--no-cuda-graphs", "cuda_graphs", default=None, help="Graphs of vLLM and SGLang."),
)

DEVICE_OPTIONS = (
    click.option(
        "-d",
        "--device",
        "device_name",
        metavar="NAME",
        shell_complete=devices,
        help="A board (orin-nano-8gb); this machine where not given.",
    ),
    click.option("--memory", "memory_bytes", type=SIZE, metavar="SIZE", help="What the deployment may take (7.4GiB)."),
)


def engine_options(function: F) -> F:
    """Add every llama.cpp option to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def device_options(function: F) -> F:
    """Add the choice of a device to a command."""
    for option in reversed(DEVICE_OPTIONS):
        function = option(function)
    return function


def changed(base: Options, given: dict[str, Any]) -> Options:
    """``base`` with the options that were given on the command line.

    Raises:
        UnknownName: a KV cache format that is none of llama.cpp's nor FP8 or INT8.
    """
    fields = {name: value for name, value in given.items() if value is not None}
    fields.update(_kv_types(fields))
    if "cache_ram_bytes" in fields:
        # a limit given to memfit replaces a pasted "no limit", and the other way round
        fields["cache_ram_unlimited"] = fields["cache_ram_bytes"] < 0
        fields["cache_ram_bytes"] = max(0, fields["cache_ram_bytes"])
    if fields.get("load_mode") == "none":
        fields["locked"] = False
    if "flash_attention" in fields:
        fields["flash_attention"] = fields["flash_attention"] == "on"
    if "gpu_layers" in fields and "backend" not in fields and base.backend == "cpu":
        fields["backend"] = "cuda" if fields["gpu_layers"] else "cpu"
    if "slots" in fields and "output_rows" not in fields and base.output_rows == base.slots:
        fields["output_rows"] = fields["slots"]  # the server reserves one row a slot, whatever their number
    if "slots" in fields and "unified_kv" not in fields and base.unified_kv:
        fields["unified_kv"] = False  # the server shares one buffer only when it chooses the number itself
    return msgspec.structs.replace(base, **fields)


def _kv_types(fields: dict[str, Any]) -> dict[str, str]:
    """``--kv-type`` sets both formats, ``-ctk`` and ``-ctv`` one of them."""
    both = fields.pop("kv_type", None)
    stated = {side: fields[side] for side in ("kv_type_k", "kv_type_v") if side in fields}
    if both is not None:
        key_type, slash, value_type = both.partition("/")
        stated = {"kv_type_k": key_type, "kv_type_v": value_type if slash else key_type, **stated}
    if not stated:
        return {}
    from memfit.precision import OTHER_KV_FORMATS, kv_format

    return {
        side: name.upper() if name.upper() in OTHER_KV_FORMATS else kv_format(name).name
        for side, name in stated.items()
    }
