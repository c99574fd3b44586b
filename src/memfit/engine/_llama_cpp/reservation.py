"""The records of what llama.cpp itself said it would allocate."""

from __future__ import annotations

from typing import Literal, Union

import msgspec

CacheKind = Literal["kv", "state"]


class DeviceSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A device of the engine's backends."""

    name: str
    description: str
    gpu: bool


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Which engine answered. ``None`` where it does not say.

    Attributes:
        package_version: of llama-cpp-python.
        llama_version, ggml_version, commit: as the libraries say them.
        system_info: the CPU's extensions that the engine was built for and uses, as it prints them.
        devices: of all backends.
    """

    package_version: str | None = None
    llama_version: str | None = None
    ggml_version: str | None = None
    commit: str | None = None
    system_info: str | None = None
    devices: tuple[DeviceSeen, ...] = ()

    @property
    def instructions(self) -> tuple[str, ...]:
        """The CPU's extensions in lower case: ``avx2``, ``neon``, ``dotprod``, ``matmul_int8``."""
        text = (self.system_info or "").replace("CPU :", "")
        pairs = (part.split("=") for part in text.split("|") if "=" in part)
        return tuple(name.strip().lower() for name, value in pairs if value.strip() not in ("", "0"))

    @property
    def label(self) -> str:
        """One line for people: ``llama.cpp 0c1e570 (llama-cpp-python 0.3.36), CPU``."""
        names = ", ".join(device.name for device in self.devices)
        package = f" (llama-cpp-python {self.package_version})" if self.package_version else ""
        return f"llama.cpp {self.commit or self.llama_version or 'of unknown version'}{package}, {names or 'no device'}"


class Buffer(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one buffer type, ``CPU``, ``CPU_REPACK`` or ``CUDA0``.

    ``host`` says whether the CPU reads it as plain memory; None where only the log is known.
    """

    name: str
    host: bool | None
    model_bytes: int
    context_bytes: int
    compute_bytes: int


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """One cache of a context.

    Attributes:
        kind: ``kv``, or ``state`` for recurrent layers.
        role: ``full`` or ``window`` of a sliding-window model, ``attention`` or ``recurrent`` of a hybrid, ``index``,
            ``latent``, ``whole`` where there is but one; empty where only the log is known.
    """

    kind: CacheKind
    role: str
    bytes: int


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """The CPU's work buffer: what the first prompt makes it, and what single tokens alone would."""

    prefill_bytes: int
    decode_bytes: int


class Reserved(msgspec.Struct, frozen=True, kw_only=True, tag="reserved"):
    """One context, as the engine would allocate it.

    Attributes:
        context_tokens, slot_tokens, batch_tokens, ubatch_tokens, slots: as the engine resolved them.
        flash_attention: whether its graph uses it; None where unknown.
        buffers: bytes of weights, caches and graphs by buffer type; weights as allocated without mmap.
        caches: the context's part of the buffers, taken apart.
        output_bytes: rows of logits for the caller, outside the buffers; None where the engine did not say.
        work: outside the buffers too; None where it cannot be known.
        precision: ``byte``, or ``log``: rounded to 0.01 MiB, and weights not told apart.
        note: why the precision is ``log``.
        warnings: what the engine warned of.
    """

    context_tokens: int
    slot_tokens: int
    batch_tokens: int
    ubatch_tokens: int
    slots: int
    flash_attention: bool | None
    buffers: tuple[Buffer, ...]
    caches: tuple[Cache, ...]
    output_bytes: int | None
    work: Work | None
    precision: Literal["byte", "log"]
    note: str = ""
    warnings: str = ""

    @property
    def kv_bytes(self) -> int:
        """The KV caches."""
        return sum(cache.bytes for cache in self.caches if cache.kind == "kv")

    @property
    def state_bytes(self) -> int:
        """The recurrent state."""
        return sum(cache.bytes for cache in self.caches if cache.kind == "state")

    @property
    def compute_bytes(self) -> int:
        """The graphs' buffers on all backends."""
        return sum(buffer.compute_bytes for buffer in self.buffers)

    @property
    def model_bytes(self) -> int:
        """The weights in all buffers."""
        return sum(buffer.model_bytes for buffer in self.buffers)


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """A context that the engine does not make, and what it said."""

    why: str


Answer = Union[Reserved, Refused]


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's answer: one entry of ``contexts`` for each of the options, in their order.

    ``peak_rss_bytes`` is what asking took in the process that asked; ``state_allocated`` says that it held recurrent
    state and rows of logits in memory, because the engine's buffers could not be made hollow.
    """

    engine: Identity
    contexts: tuple[Answer, ...]
    peak_rss_bytes: int
    state_allocated: bool = False
    schema_version: int = 1


class QuantizedTensor(msgspec.Struct, frozen=True, array_like=True):
    """One tensor after quantization; ``format`` as ggml writes it, ``q4_K``."""

    name: str
    format: str
    bytes: int


class Quantization(msgspec.Struct, frozen=True, kw_only=True):
    """What a quantization would give.

    Attributes:
        tensors: sorted by name.
        bytes: of all tensors, without the padding between them.
        needs_imatrix: the engine would refuse it without an importance matrix.
        fallbacks: tensors whose rows do not fit the preset's format and take another.
    """

    engine: Identity
    tensors: tuple[QuantizedTensor, ...]
    bytes: int
    needs_imatrix: bool
    fallbacks: int
    schema_version: int = 1
