import msgspec
import pytest
from shapes import dense

from memfit.engine._llama_cpp.settings import pad, resolve
from memfit.engine.records import Options
from memfit.errors import UsageError


def test_a_context_is_padded_to_256_cells() -> None:
    assert resolve(dense(), Options(context_tokens=1000)).context_tokens == 1024


def test_no_context_means_the_trained_one() -> None:
    assert resolve(dense(), Options(context_tokens=0)).context_tokens == 8192


def test_slots_divide_the_context_and_each_share_is_padded() -> None:
    # llama.cpp prints "n_ctx is not divisible by n_seq_max - rounding down to 10752"
    settings = resolve(dense(), Options(context_tokens=10000, slots=3))
    assert (settings.slot_tokens, settings.context_tokens, settings.streams) == (3584, 10752, 3)


def test_one_unified_buffer_is_not_divided() -> None:
    settings = resolve(dense(), Options(context_tokens=10000, slots=3, unified_kv=True))
    assert (settings.slot_tokens, settings.context_tokens, settings.streams) == (10240, 10240, 1)


def test_the_batch_is_clamped_to_the_context_before_it_is_padded() -> None:
    settings = resolve(dense(), Options(context_tokens=300, batch_tokens=2048, ubatch_tokens=512))
    assert (settings.batch_tokens, settings.ubatch_tokens, settings.context_tokens) == (300, 300, 512)


def test_an_encoder_keeps_its_batch() -> None:
    encoder = msgspec.structs.replace(dense(), causal=False)
    assert resolve(encoder, Options(context_tokens=300, batch_tokens=2048)).batch_tokens == 2048


def test_the_server_reserves_a_row_a_slot_and_the_library_a_row_a_token() -> None:
    assert resolve(dense(), Options(output_rows=4)).output_rows == 4
    assert resolve(dense(), Options(output_rows=0)).output_rows == 512


def test_window_cells_follow_the_slots_only_where_they_share_a_buffer() -> None:
    window = msgspec.structs.replace(dense(), window_tokens=1024)
    options = Options(context_tokens=32768, slots=4, full_window_cache=False)
    assert resolve(window, options).window_cells == pad(1024 + 512)
    unified = msgspec.structs.replace(options, unified_kv=True)
    assert resolve(window, unified).window_cells == pad(4 * 1024 + 512)
    assert resolve(window, msgspec.structs.replace(options, full_window_cache=True)).window_cells == 8192


def test_snapshots_are_dropped_where_the_architecture_cannot_roll_back() -> None:
    assert resolve(dense(), Options(rollback_tokens=3)).rollback_tokens == 0
    state = msgspec.structs.replace(dense(), architecture="qwen35")
    assert resolve(state, Options(rollback_tokens=3)).rollback_tokens == 3


@pytest.mark.parametrize(
    "options",
    [
        Options(slots=257),
        Options(slots=0),
        Options(slots=-3),
        Options(ubatch_tokens=-5),
        Options(cache_ram_bytes=-1),
        Options(threads=-1),
        Options(slots=4, output_rows=1),
        Options(slots=4, batch_tokens=3),
        Options(slots=4, context_tokens=2),
        Options(batch_tokens=0),
        Options(context_tokens=2**31),
        Options(flash_attention=False, kv_type_v="Q8_0"),
    ],
)
def test_what_the_engine_refuses_is_refused_with_a_hint(options: Options) -> None:
    with pytest.raises(UsageError) as refused:
        resolve(dense(), options)
    assert refused.value.hint
