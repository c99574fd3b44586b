"""Compute buffers from whoever can tell: the engine where it is installed, generated coefficients elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Origin
from memfit.engine._llama_cpp.buffers import output_bytes, table_bytes
from memfit.engine._llama_cpp.cache import cuda_scratch_bytes, state_bytes
from memfit.engine._llama_cpp.graph_table import check_graph_table
from memfit.engine._llama_cpp.settings import resolve
from memfit.engine._llama_cpp.terms import Compute
from memfit.engine.records import Asked, Options
from memfit.errors import EngineFailed, EngineMissing, MemfitError, UnknownArchitecture
from memfit.model.shape import ModelShape
from memfit.model.unknown import unknown_architecture
from memfit.units import GIB, MIB, format_bytes

if TYPE_CHECKING:
    from memfit.engine._llama_cpp.oracle import Source
    from memfit.engine._llama_cpp.reservation import Identity, Reserved

# room for the recurrent state of a model whose layers memfit does not know
DEFAULT_UNKNOWN_BYTES = 512 * MIB
# more than this is not allocated to answer a question
MOST_ALLOCATED_BYTES = 4 * GIB
# The graph of a CUDA backend is the CPU's, split in two and with workspaces of its own: read, not measured
_CUDA_COMPUTE_RATIO = 1.25


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Compute buffers, and the engine's whole reservation where it was asked."""

    compute: Compute
    engine: str
    reserved: Reserved | None = None
    identity: Identity | None = None


def answer(shape: ModelShape, origin: Origin, options: Options, device: Device, asked: Asked) -> Answer:
    """Ask the engine or compute.

    Raises:
        EngineMissing: the engine must answer and is not installed.
        EngineFailed: the engine was asked and did not answer.
        UnknownArchitecture: no formula for it, and no engine knows it or can be asked.
        UsageError: options that the engine refuses or aborts on.
    """
    threads = options.threads or device.threads
    if asked != "formula" and options.backend == "cpu":
        from memfit.engine._llama_cpp import oracle

        if oracle.is_installed() and _may_be_asked(shape, options, asked):
            return _from_engine(shape, origin, options, threads)
    if not shape.layers:
        raise _nobody_knows(shape, origin, options)
    if asked in ("engine", "both"):
        if options.backend == "cpu":
            raise EngineMissing(
                "llama.cpp is not here to be asked", hint="pip install 'memfit[llama]', or use --source formula"
            )
        raise EngineMissing(
            "llama.cpp answers for the CPU only", hint="use --source formula for the GPU, or --backend cpu"
        )
    check_graph_table(shape, options)
    computed = from_coefficients(shape, options, threads, device.instructions)
    return Answer(compute=computed, engine="llama.cpp by formula")


def _may_be_asked(shape: ModelShape, options: Options, asked: Asked) -> bool:
    """Whether the engine can answer without filling this machine's memory with tables and state.

    Raises:
        EngineFailed: it cannot, and was to be asked all the same.
    """
    resolve(shape, options)  # what the engine would refuse is refused in words
    allocated = _really_allocated(shape, options)
    if allocated <= MOST_ALLOCATED_BYTES:
        return True
    if asked == "auto" and shape.layers:
        return False
    raise EngineFailed(
        f"llama.cpp would allocate {format_bytes(allocated)} to answer: it plans buffers, but makes its tables of cells"
        " and its recurrent state",
        hint="ask for a smaller context and fewer slots, or compute it with --source formula",
    )


def _nobody_knows(shape: ModelShape, origin: Origin, options: Options) -> UnknownArchitecture:
    """No formula, and no engine to ask."""
    if options.backend == "cpu":
        so, hint = ", and llama.cpp is not here to be asked", "pip install 'memfit[llama]'"
    else:
        so, hint = ", and llama.cpp answers for the CPU only", "--backend cpu asks it (needs memfit[llama])"
    return unknown_architecture(shape.architecture, file=origin.path, so=so, hint=hint)


def from_coefficients(shape: ModelShape, options: Options, threads: int, instructions: tuple[str, ...] = ()) -> Compute:
    """Compute buffers without the engine."""
    from memfit.engine._llama_cpp.compute import compute_bytes

    reserved = compute_bytes(shape, options)
    touched = compute_bytes(shape, options, output_rows=options.slots)  # a run asks for one a slot
    cuda = options.backend == "cuda"
    return Compute(
        low_bytes=min(touched.low_bytes, reserved.low_bytes),
        touched_bytes=min(touched.likely_bytes, reserved.likely_bytes),
        reserved_bytes=int(reserved.high_bytes * (_CUDA_COMPUTE_RATIO if cuda else 1)),
        work_bytes=cuda_scratch_bytes(shape, options) if cuda else _work_bytes(shape, options, threads, instructions),
        source="coefficients",
        formula="the engine's graph of this architecture, planned as ggml-alloc plans it",
        error=reserved.error if not cuda else f"{reserved.error}; CUDA not measured: high × 1.25",
    )


def _work_bytes(shape: ModelShape, options: Options, threads: int, instructions: tuple[str, ...]) -> int:
    from memfit.engine._llama_cpp.work import work_bytes

    return work_bytes(shape, options, threads=threads, instructions=instructions).high_bytes


def _from_engine(shape: ModelShape, origin: Origin, options: Options, threads: int) -> Answer:
    from memfit.engine._llama_cpp.child import first_line
    from memfit.engine._llama_cpp.oracle import DEFAULT_MEMORY_BYTES, reserve
    from memfit.engine._llama_cpp.reservation import Refused

    asked = msgspec.structs.replace(options, threads=threads)
    lean = msgspec.structs.replace(asked, output_rows=options.slots)  # a run asks for one a slot
    # recurrent state, rows of logits and tables of cells are really allocated by the child, everything else is planned
    room = DEFAULT_MEMORY_BYTES + 3 * _really_allocated(shape, asked)
    try:
        reservation = reserve(_model(shape, origin), [asked, lean], memory_bytes=room)
    except EngineFailed as failure:
        if shape.layers:
            check_graph_table(shape, options)  # where that is why it died, this says so
            raise
        raise _no_way_out(shape, origin, failure) from failure
    found, touched = reservation.contexts
    if isinstance(found, Refused):
        raise EngineFailed(
            f"llama.cpp refuses these options: {first_line(found.why)}",
            hint="llama.cpp itself would not start with them: change them",
            said=found.why,
        )
    touched_bytes = found.compute_bytes if isinstance(touched, Refused) else touched.compute_bytes
    compute = Compute(
        low_bytes=min(touched_bytes, found.compute_bytes),
        touched_bytes=min(touched_bytes, found.compute_bytes),
        reserved_bytes=found.compute_bytes,
        work_bytes=found.work.prefill_bytes if found.work else 0,
        source="engine",
        formula="llama.cpp's own reservation of its worst graph",
    )
    return Answer(compute=compute, engine=reservation.engine.label, reserved=found, identity=reservation.engine)


def _no_way_out(shape: ModelShape, origin: Origin, failure: EngineFailed) -> MemfitError:
    """The engine's failure where no formula can answer instead."""
    if "unknown model architecture" in failure.message:
        so = ", and neither does the llama.cpp that is installed"
        hint = "a newer llama-cpp-python may know it"
        return unknown_architecture(shape.architecture, file=origin.path, so=so, hint=hint)
    hint = "memfit has no formula for this architecture: check the file, or ask for a smaller context and fewer slots"
    return EngineFailed(failure.message, hint=hint, said=failure.said)


def _really_allocated(shape: ModelShape, options: Options) -> int:
    if not shape.layers:
        return DEFAULT_UNKNOWN_BYTES
    settings = resolve(shape, options)
    return state_bytes(shape, options) + output_bytes(shape, settings) + table_bytes(shape, settings)


def _model(shape: ModelShape, origin: Origin) -> Source:
    from memfit.engine._llama_cpp.oracle import Described

    if origin.path is not None:
        return Path(origin.path)
    return Described(
        metadata=origin.header or {}, tensors=[(tensor.name, tensor.dims, tensor.format) for tensor in shape.tensors]
    )
