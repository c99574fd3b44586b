"""Where llama.cpp puts the weights: mapped, in buffers of its own, rearranged, or on the GPU.

Follows ``load_tensors`` (src/llama-model.cpp), ``create_tensor`` and ``get_mapping_range``
(src/llama-model-loader.cpp), ``ggml_backend_alloc_ctx_tensors_from_buft`` (ggml/src/ggml-alloc.c) and
``ggml_backend_cuda_buffer_type_get_alloc_size`` (ggml/src/ggml-cuda/ggml-cuda.cu), 0c1e57098.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from memfit.engine._llama_cpp.repack import copies_bytes, repacked
from memfit.engine.records import Options
from memfit.model.shape import ModelShape, Tensor
from memfit.precision.formats import FORMATS

CPU_ALIGNMENT = 32  # TENSOR_ALIGNMENT, ggml/src/ggml-impl.h
CUDA_ALIGNMENT = 128  # ggml_backend_cuda_buffer_type_get_alignment
CUDA_ROW_PADDING = 512  # MATRIX_ROW_PADDING, ggml/src/ggml-cuda/common.cuh
# read_lazy: a marked tensor larger than this stays mapped and is read row by row (src/llama-model-loader.cpp)
LAZY_FROM_BYTES = 4 * 1024**3
_LAZY = "per_layer_token_embd.weight"
_BLOCK = re.compile(r"blk\.(\d+)\.")


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of the weights by where they lie.

    Attributes:
        mapped_bytes: the range of the file that stays mapped, evictable; rearranged tensors in it are part of it.
        read_again_bytes: the part of ``mapped`` that is read for every token, so not what has a rearranged copy, and
            what the kernel reads with it.
        host_bytes: in the engine's own CPU buffer (no mmap).
        repacked_bytes: in the rearranged copy.
        gpu_bytes: in GPU buffers.
    """

    mapped_bytes: int = 0
    read_again_bytes: int = 0
    host_bytes: int = 0
    repacked_bytes: int = 0
    gpu_bytes: int = 0

    @property
    def unevictable_bytes(self) -> int:
        """What the kernel cannot drop."""
        return self.host_bytes + self.repacked_bytes + self.gpu_bytes


def place(
    shape: ModelShape,
    options: Options,
    instructions: Iterable[str],
    *,
    unified: bool = True,
    read_ahead_bytes: int = 0,
) -> Placement:
    """Where each tensor of ``shape`` goes, on a CPU with these ``instructions`` and on the GPU of the backend.

    Args:
        shape: the model.
        options: of the engine.
        instructions: the CPU's, in llama.cpp's names.
        unified: CPU and GPU share one memory, which decides whether a file stays mapped.
        read_ahead_bytes: ``read_ahead_kb`` of the disk that the file lies on.
    """
    have = frozenset(instructions)
    loaded = [tensor for tensor in shape.tensors if not _skipped(tensor, shape)]
    on_gpu, duplicated = _offloaded(loaded, shape, options)
    gpu_names = {tensor.name for tensor in on_gpu}
    # a tied embedding is looked up on the CPU and multiplied on the GPU: both hold it
    on_host = [tensor for tensor in loaded if tensor.name not in gpu_names or tensor.name in duplicated]
    copies: list[Tensor] = []
    # with a GPU the pinned host buffer comes before the rearranging one (make_cpu_buft_list, src/llama-model.cpp)
    if options.repack and options.backend == "cpu":
        tied_here = shape.tied_embeddings and "token_embd.weight" not in duplicated
        copies = list(repacked(on_host, have, tied=tied_here))
    # a rearranged tensor lives in its copy alone, except the embedding, whose rows are looked up in the original
    moved = {tensor.name for tensor in copies if tensor.name != "token_embd.weight"}
    plain = [tensor for tensor in on_host if tensor.name not in moved]
    lazy = [tensor for tensor in plain if tensor.name == _LAZY and tensor.bytes > LAZY_FROM_BYTES]
    resident = [tensor for tensor in plain if tensor not in lazy]
    copied = {tensor.name for tensor in (*copies, *on_gpu)}
    twice = [
        tensor
        for tensor in resident
        if tensor.name == "token_embd.weight"
        and shape.tied_embeddings
        and shape.copies_tied_embedding
        and tensor.name not in copied
    ]
    # an integrated GPU turns mmap off (load mode auto); a GPU of its own leaves the rest of the file mapped
    mmap = options.load_mode == "mmap" and not (unified and options.backend == "cuda")
    mapped_bytes = _mapped_range(plain) if mmap else sum(tensor.bytes for tensor in lazy)
    read = [tensor for tensor in resident if not _looked_up(tensor, shape, copies)] if mmap else []
    return Placement(
        mapped_bytes=mapped_bytes,
        read_again_bytes=min(read_with_ahead(read, loaded, read_ahead_bytes), mapped_bytes),
        host_bytes=0 if mmap else sum(_padded(tensor.bytes, CPU_ALIGNMENT) for tensor in (*resident, *twice)),
        repacked_bytes=copies_bytes(copies, have, alignment=CPU_ALIGNMENT),
        gpu_bytes=sum(cuda_bytes(tensor) for tensor in on_gpu),
    )


def cuda_bytes(tensor: Tensor) -> int:
    """Bytes of a tensor in a CUDA buffer: a quantized row that is no multiple of 512 numbers is padded at the end."""
    size = tensor.bytes
    rest = tensor.dims[0] % CUDA_ROW_PADDING
    tensor_format = FORMATS.get(tensor.format)
    if tensor_format.block_elements > 1 and rest:
        size += tensor_format.row_bytes(CUDA_ROW_PADDING - rest)
    return _padded(size, CUDA_ALIGNMENT)


def _skipped(tensor: Tensor, shape: ModelShape) -> bool:
    """Next-token-prediction layers stay in the file unless the engine is told to load them (``load_mtp``)."""
    match = _BLOCK.match(tensor.name)
    if match is None:
        return False
    index = int(match.group(1))
    return index < len(shape.layers) and shape.layers[index].next_token


def _offloaded(tensors: Sequence[Tensor], shape: ModelShape, options: Options) -> tuple[list[Tensor], set[str]]:
    if options.backend == "cpu" or options.gpu_layers == 0:
        return [], set()
    layers = len(shape.layers)
    wanted = layers + 1 if options.gpu_layers < 0 else options.gpu_layers
    # the last layers go first, the output counts as one more (i_gpu_start in load_tensors)
    first = max(layers + 1 - wanted, 0)
    output_too = first <= layers
    gpu: list[Tensor] = []
    duplicated: set[str] = set()
    for tensor in tensors:
        match = _BLOCK.match(tensor.name)
        if match is not None:
            if int(match.group(1)) >= first:
                gpu.append(tensor)
        elif tensor.name.startswith("output") and output_too:
            gpu.append(tensor)
        elif tensor.name == "token_embd.weight" and shape.tied_embeddings and output_too:
            gpu.append(tensor)
            duplicated.add(tensor.name)
    return gpu, duplicated


def _looked_up(tensor: Tensor, shape: ModelShape, copies: Sequence[Tensor]) -> bool:
    """Row tables: a token reads one row. A tied embedding is read whole as the output, unless a copy of it is."""
    if tensor.name == "token_embd.weight":
        return not shape.tied_embeddings or tensor in copies
    return tensor.name in (_LAZY, "position_embd.weight", "token_types.weight")


def read_with_ahead(read: Sequence[Tensor], held: Sequence[Tensor], read_ahead_bytes: int) -> int:
    """Bytes of the file that reading ``read`` keeps in memory where pages are short.

    A page that is missing is not read alone: the kernel reads a window around it, half before and half behind
    (``do_sync_mmap_readahead``, mm/filemap.c, Linux 6.18), and the engine doubles the window by announcing that it
    reads the file in order (``posix_fadvise(POSIX_FADV_SEQUENTIAL)``, src/llama-mmap.cpp @ 0c1e57098; mm/fadvise.c).
    So ``read_ahead_bytes`` on both sides of what is read come with it, and push out what was read before.

    Measured with a 1.5B model whose mapped 338 MiB lie between tensors that have a copy, with 449 MiB to hold them: a
    window of 8 MiB a side reads 790 MiB again for each token, one of 128 KiB none. This is the safe side: at 8 MiB a
    side the paging ended with 200 MiB to spare, where this asks for 490.

    Args:
        read: tensors that are read for every token.
        held: all that lie in the file; no window reaches beyond them.
        read_ahead_bytes: of the disk.
    """
    ends: dict[int, int] = {}
    for tensor in held:
        ends[tensor.shard] = max(ends.get(tensor.shard, 0), tensor.offset + tensor.bytes)
    total = 0
    shard, reached = -1, 0
    for tensor in sorted(read, key=lambda tensor: (tensor.shard, tensor.offset)):
        if tensor.shard != shard:
            shard, reached = tensor.shard, 0
        first = max(tensor.offset - read_ahead_bytes, reached)
        last = min(tensor.offset + tensor.bytes + read_ahead_bytes, ends[shard])
        total += max(last - first, 0)
        reached = max(reached, last)
    return total


def _mapped_range(tensors: Sequence[Tensor]) -> int:
    """From the first to the last mapped tensor of every shard: the loader unmaps only what lies outside."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for tensor in tensors:
        first[tensor.shard] = min(first.get(tensor.shard, tensor.offset), tensor.offset)
        last[tensor.shard] = max(last.get(tensor.shard, 0), tensor.offset + tensor.bytes)
    return sum(last[shard] - first[shard] for shard in last)


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
