import msgspec
import pytest
from shapes import dense

from memfit.engine._llama_cpp.repack import copies_bytes, repacked, row_multiples
from memfit.engine._llama_cpp.weights import cuda_bytes, place, read_with_ahead
from memfit.engine.records import Options
from memfit.model import find_model
from memfit.model.shape import Layer, Tensor

AVX2 = ("avx", "avx2")
TILES = (*AVX2, "avx512", "avx512_vnni", "amx_int8")
NEON = ("neon", "dotprod")


def test_each_cpu_rearranges_its_own_formats() -> None:
    assert "Q6_K" not in row_multiples(AVX2)
    assert "Q2_K" not in row_multiples(AVX2)
    assert row_multiples((*AVX2, "avx512"))["Q2_K"] == 8
    assert {"Q5_K", "Q6_K", "Q8_0"} <= row_multiples(NEON).keys()
    assert row_multiples(("neon",)) == {}


@pytest.mark.parametrize(
    ("preset", "total_bytes"),  # without mmap, as llama.cpp 0c1e57098 counted them on a Xeon with AMX
    [
        ("Q4_K_M", 1_028_309_120),
        ("F16", 2_997_100_672),
        ("Q8_0", 1_746_804_864),
        ("Q4_0", 978_567_296),
        ("IQ4_XS", 964_018_304),
    ],
)
def test_tiles_hold_more_than_the_file(preset: str, total_bytes: int) -> None:
    shape = find_model("Llama-3.2-1B", format=preset)
    assert place(shape, Options(load_mode="none"), TILES).unevictable_bytes == total_bytes


def test_tiles_take_stacked_matrices_but_no_experts_and_leave_what_does_not_fit_to_others() -> None:
    latent = Tensor("blk.0.attn_k_b.weight", (128, 512, 16), "Q8_0", 128 * 512 * 16 // 32 * 34, 0)
    experts = Tensor("blk.0.ffn_up_exps.weight", (4096, 1024, 8), "Q6_K", 1, 0)
    narrow = Tensor("blk.0.attn_k.weight", (4096, 40), "Q4_K", 92160, 0)
    assert list(repacked([latent, experts, narrow], TILES, tied=False)) == [latent, narrow]
    # one matrix of sixteen: what the engine allocates
    assert copies_bytes([latent], TILES, alignment=32) == 512 * 4 * (34 + 4)
    # forty rows are no multiple of 32: rearranged as without tiles
    assert copies_bytes([narrow], TILES, alignment=32) == narrow.bytes
    assert copies_bytes([latent], AVX2, alignment=32) == latent.bytes


def test_only_multiplied_matrices_are_rearranged() -> None:
    names = {tensor.name for tensor in repacked(dense().tensors, NEON, tied=False)}
    assert names == {"blk.0.attn_q.weight", "output.weight"}


def test_a_tied_embedding_is_rearranged_as_the_output_and_looked_up_in_the_original() -> None:
    shape = msgspec.structs.replace(dense(), tied_embeddings=True, tensors=dense().tensors[:3])
    plan = place(shape, Options(load_mode="none"), AVX2)
    embedding, query, norm = (tensor.bytes for tensor in shape.tensors)
    assert plan.repacked_bytes == embedding + query
    assert plan.host_bytes == embedding + norm


def test_experts_are_rearranged_as_a_stack_and_biases_are_not() -> None:
    stack = Tensor("blk.0.ffn_up_exps.weight", (4096, 1024, 8), "Q4_K", 1, 0)
    bias = Tensor("blk.0.ffn_up_exps.bias", (1024, 8), "F32", 1, 0)
    latent = Tensor("blk.0.attn_k_b.weight", (128, 512, 16), "Q8_0", 1, 0)
    assert list(repacked([stack, bias, latent], NEON, tied=False)) == [stack]


def test_rows_that_are_no_multiple_stay() -> None:
    odd = Tensor("blk.0.attn_k.weight", (4096, 1028), "Q4_K", 1, 0)
    assert list(repacked([odd], AVX2, tied=False)) == []
    assert list(repacked([msgspec.structs.replace(odd, format="Q4_0")], NEON, tied=False)) != []


def test_mapping_keeps_the_range_and_the_rearranged_copy_beside_it() -> None:
    shape = dense()
    plan = place(shape, Options(load_mode="mmap"), AVX2)
    last = shape.tensors[-1]
    assert plan.mapped_bytes == last.offset + last.bytes
    assert plan.repacked_bytes == shape.tensors[1].bytes
    # the embedding is looked up row by row and the query lives in its copy: only norm and output are read again
    assert plan.read_again_bytes == shape.tensors[2].bytes + last.bytes
    assert plan.host_bytes == 0


def held(*sizes: int, shard: int = 0) -> list[Tensor]:
    """Tensors one behind the other."""
    return [
        Tensor(f"blk.{index}.attn_q.weight", (size,), "I8", size, sum(sizes[:index]), shard)
        for index, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("ahead", "kept"),
    [
        (0, 200),
        (50, 350),  # fifty behind the first, fifty on both sides of the third
        (500, 1200),  # the windows meet between them: all but what lies beyond the last one
        (5000, 1800),  # and no further than the file
    ],
)
def test_what_is_read_around_a_missing_page_stays_in_memory_too(ahead: int, kept: int) -> None:
    first, gap, third, rest = held(100, 500, 100, 1100)
    assert read_with_ahead([third, first], [first, gap, third, rest], ahead) == kept


def test_reading_ahead_ends_with_the_shard() -> None:
    files = [*held(100, 100), *held(100, 100, shard=1)]
    assert read_with_ahead([files[0], files[2]], files, 1000) == 400


def test_a_disk_that_reads_far_ahead_makes_the_working_set_larger_and_never_larger_than_the_file() -> None:
    shape = find_model("Qwen2.5-1.5B", format="Q4_K_M")
    near, far = (
        place(shape, Options(), AVX2, read_ahead_bytes=ahead).read_again_bytes for ahead in (128 << 10, 8 << 20)
    )
    assert place(shape, Options(), AVX2).read_again_bytes < near < far
    assert far <= place(shape, Options(), AVX2).mapped_bytes


def test_without_repack_everything_but_the_embedding_is_read_again() -> None:
    shape = dense()
    plan = place(shape, Options(repack=False), AVX2)
    assert plan.repacked_bytes == 0
    assert plan.read_again_bytes == sum(tensor.bytes for tensor in shape.tensors[1:])


def test_reading_into_memory_holds_one_copy() -> None:
    plan = place(dense(), Options(load_mode="none"), AVX2)
    assert plan.mapped_bytes == 0
    assert plan.host_bytes + plan.repacked_bytes == dense().weights_bytes


def test_next_token_layers_stay_in_the_file() -> None:
    layers = (*dense().layers[:1], msgspec.structs.replace(dense().layers[0], next_token=True))
    head = Tensor("blk.1.attn_q.weight", (4096, 4096), "F16", 4096 * 4096 * 2, 10**9)
    shape = msgspec.structs.replace(dense(), layers=layers, tensors=(*dense().tensors, head))
    assert place(shape, Options(load_mode="none"), ()).host_bytes == dense().weights_bytes


def test_offloading_takes_the_last_layers_and_the_output_first() -> None:
    layers = tuple(Layer(heads=1, kv_heads=1, key_length=64, value_length=64, cache_of=index) for index in range(2))
    tensors = (
        Tensor("token_embd.weight", (512, 10), "F16", 10240, 0),
        Tensor("blk.0.attn_q.weight", (512, 512), "F16", 524288, 10240),
        Tensor("blk.1.attn_q.weight", (512, 512), "F16", 524288, 534528),
        Tensor("output.weight", (512, 10), "F16", 10240, 1058816),
    )
    shape = msgspec.structs.replace(dense(), layers=layers, tensors=tensors)
    two = place(shape, Options(backend="cuda", gpu_layers=2), NEON)
    assert two.gpu_bytes == 524288 + 10240
    assert two.host_bytes == 10240 + 524288
    assert place(shape, Options(backend="cuda"), NEON).gpu_bytes == 2 * 524288 + 10240


def test_a_tied_embedding_is_held_by_both_sides() -> None:
    shape = msgspec.structs.replace(dense(), tied_embeddings=True, tensors=dense().tensors[:1])
    plan = place(shape, Options(backend="cuda"), NEON)
    assert plan.gpu_bytes == plan.host_bytes == shape.tensors[0].bytes


def test_cuda_pads_quantized_rows_to_512_numbers() -> None:
    row = Tensor("blk.0.x.weight", (768, 4), "Q8_0", 768 // 32 * 34 * 4, 0)
    assert cuda_bytes(row) == -(-(row.bytes + 256 // 32 * 34) // 128) * 128
    assert cuda_bytes(msgspec.structs.replace(row, format="F16", bytes=768 * 8)) == 768 * 8
