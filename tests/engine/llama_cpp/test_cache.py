import msgspec
import pytest
from shapes import dense

from memfit.engine._llama_cpp.cache import cuda_scratch_bytes, kv_bytes, layer_caches, state_bytes
from memfit.engine.records import Options
from memfit.errors import UsageError
from memfit.model.shape import Layer
from memfit.units import MIB


def test_llama_3_8b_at_4096_tokens_holds_512_mib() -> None:
    # 2 × 32 layers × 8 heads × 128 × 4096 tokens × 2 bytes, the worked example of 'The Memory Budget' §4
    assert kv_bytes(dense(), Options(context_tokens=4096)) == 536_870_912


def test_four_slots_of_one_context_share_it() -> None:
    assert kv_bytes(dense(), Options(context_tokens=4096, slots=4)) == 512 * MIB
    assert kv_bytes(dense(), Options(context_tokens=16384, slots=4)) == 2048 * MIB


def test_q8_0_takes_34_bytes_for_32_numbers() -> None:
    half = kv_bytes(dense(), Options(context_tokens=4096, kv_type_k="Q8_0", kv_type_v="Q8_0"))
    assert half == 536_870_912 * 34 // 64


def test_k_and_v_may_differ() -> None:
    mixed = kv_bytes(dense(), Options(context_tokens=4096, kv_type_k="Q8_0", kv_type_v="F16"))
    assert mixed == 536_870_912 // 2 + 536_870_912 // 2 * 34 // 64


def test_without_flash_attention_v_is_padded_to_the_widest_layer() -> None:
    layers = (
        Layer(heads=8, kv_heads=4, key_length=128, value_length=128, cache_of=0),
        Layer(heads=8, kv_heads=1, key_length=128, value_length=128, cache_of=1),
    )
    shape = msgspec.structs.replace(dense(), layers=layers)
    on = kv_bytes(shape, Options(context_tokens=1024))
    off = kv_bytes(shape, Options(context_tokens=1024, flash_attention=False))
    assert on == 1024 * 2 * (512 + 512 + 128 + 128)
    assert off == 1024 * 2 * (512 + 512 + 128 + 512)


def test_latent_attention_caches_k_alone() -> None:
    layers = (Layer(heads=16, kv_heads=1, key_length=576, value_length=512, latent_kv=True, cache_of=0),)
    assert kv_bytes(msgspec.structs.replace(dense(), layers=layers), Options(context_tokens=1024)) == 1024 * 2 * 576


def test_shared_and_next_token_layers_cache_nothing() -> None:
    own = Layer(heads=8, kv_heads=2, key_length=64, value_length=64, cache_of=0)
    shared = msgspec.structs.replace(own, cache_of=0)
    ahead = msgspec.structs.replace(own, cache_of=2, next_token=True)
    shape = msgspec.structs.replace(dense(), layers=(own, shared, ahead))
    assert [cache.index for cache in layer_caches(shape, Options())] == [0]


def test_state_is_f32_for_every_slot_and_snapshot() -> None:
    layer = Layer(attention="none", convolution_elements=100, state_elements=1000)
    shape = msgspec.structs.replace(dense(), architecture="qwen35", memory="hybrid", layers=(layer, layer))
    assert state_bytes(shape, Options(slots=3)) == 2 * 4 * 1100 * 3
    assert state_bytes(shape, Options(slots=3, rollback_tokens=1)) == 2 * 4 * 1100 * 3 * 2
    assert kv_bytes(shape, Options(slots=3)) == 0


def test_an_encoder_keeps_nothing() -> None:
    assert kv_bytes(msgspec.structs.replace(dense(), memory="none"), Options()) == 0


def test_a_format_whose_blocks_do_not_divide_the_row_is_refused() -> None:
    with pytest.raises(UsageError, match="do not divide"):
        kv_bytes(dense(kv_heads=1, key_length=80), Options(kv_type_k="Q8_0"))


def test_cuda_copies_one_layer_of_a_quantized_cache() -> None:
    quantized = Options(context_tokens=4096, kv_type_k="Q8_0", kv_type_v="Q8_0")
    assert cuda_scratch_bytes(dense(), quantized) == 2 * 4096 * 2 * 8 * 128
    assert cuda_scratch_bytes(dense(), Options(context_tokens=4096)) == 0
    assert cuda_scratch_bytes(dense(), msgspec.structs.replace(quantized, flash_attention=False, kv_type_v="F16")) == 0
