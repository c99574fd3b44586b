"""Projector files: compute buffers to the byte as the engine plans them, and bounds around what it may grow to."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_child import HAS_ENGINE, ask
from memfit.engine._llama_cpp.encoders import PROJECTORS
from memfit.engine._llama_cpp.projector import GRAPH_BYTES, SLACK_BYTES, ProjectorBytes, projector_bytes
from memfit.errors import Malformed
from memfit.model.shape import Tensor
from memfit.model.towers import read_towers
from memfit.units import MIB
from projector_stub import Encoder, header, tensors
from stub_file import TYPE_BYTES, write_stub

SO400M = Encoder("gemma3", layers=27, width=1152, feed_forward=4304, heads=16)
# encoders of known models at their real sizes, weights in F16
MODELS = {
    "Gemma 3 4B": replace(SO400M, image=896, patch=14, merge=4, text=2560),
    "Gemma 4 E2B": Encoder(
        "gemma4v", layers=16, width=768, feed_forward=3072, heads=12, image=768, patch=16, merge=3, text=1536, gate=True
    ),
    "SmolVLM2 500M": Encoder(
        "idefics3", layers=12, width=768, feed_forward=3072, heads=12, image=512, patch=16, merge=4, text=960
    ),
    "LFM2.5-VL 1.6B": replace(SO400M, projector="lfm2", image=256, patch=16, merge=2, text=2048),
    "LLaVA 1.5 7B": Encoder(
        "mlp", layers=23, width=1024, feed_forward=4096, heads=16, image=336, patch=14, merge=1, text=4096
    ),
    "InternVL3 2B": Encoder(
        "internvl", layers=24, width=1024, feed_forward=4096, heads=16, image=448, patch=14, merge=2, text=1536
    ),
    "MiniCPM-V 2.6": replace(SO400M, projector="resampler", image=448, patch=14, merge=1, text=3584),
    "Pixtral 12B": Encoder(
        "pixtral", layers=24, width=1024, feed_forward=4096, heads=16, image=1024, patch=16, merge=1, text=5120
    ),
    "Qwen2-VL 2B": Encoder(
        "qwen2vl_merger", layers=32, width=1280, feed_forward=5120, heads=16, image=560, patch=14, text=1536
    ),
    "Qwen2.5-VL 7B": Encoder(
        "qwen2.5vl_merger",
        layers=32,
        width=1280,
        feed_forward=3420,
        heads=16,
        image=560,
        patch=14,
        text=3584,
        gate=True,
    ),
    "Qwen3-VL 4B": Encoder(
        "qwen3vl_merger",
        layers=24,
        width=1024,
        feed_forward=4096,
        heads=16,
        image=768,
        patch=16,
        text=2560,
        deepstack=(5, 11, 17),
    ),
    "Qwen3.5 9B": replace(SO400M, projector="qwen3vl_merger", image=768, patch=16, text=4096),
    "Ultravox 1B": Encoder("ultravox", layers=32, width=1280, feed_forward=5120, heads=20, mel_bins=128, text=2048),
    "Voxtral Mini 3B": Encoder(
        "voxtral", layers=32, width=1280, feed_forward=5120, heads=20, mel_bins=128, stack=4, text=3072
    ),
    "Qwen2-Audio 7B": Encoder("qwen2a", layers=32, width=1280, feed_forward=5120, heads=20, mel_bins=128, text=4096),
}
DRAWN_EACH = 8


def drawn() -> list[Encoder]:
    """Encoders of every kind with sizes that no model has."""
    dice = random.Random(20260101)
    found = []
    for base in {encoder.projector: encoder for encoder in MODELS.values()}.values():
        for _ in range(DRAWN_EACH):
            head, heads, patch = dice.choice((32, 40, 64)), dice.choice((2, 4, 6, 8)), dice.choice((8, 14, 16))
            merge = dice.choice((2, 4)) if base.projector in ("gemma3", "idefics3", "lfm2", "internvl") else base.merge
            found.append(
                replace(
                    base,
                    layers=dice.choice((1, 2, 3)),
                    width=head * heads,
                    heads=heads,
                    feed_forward=32 * dice.randint(2, 80),
                    text=128 * dice.randint(1, 16),
                    patch=patch,
                    merge=merge,
                    image=4 * patch * dice.randint(1, 8),
                    deepstack=() if not base.deepstack else tuple(range(dice.randint(0, 1))),
                    mel_bins=dice.choice((80, 128)),
                    gate=dice.choice((True, False)) and base.projector not in ("pixtral",),
                )
            )
    return found


def tensors_of(encoder: Encoder) -> tuple[Tensor, ...]:
    found = []
    for name, dims, kind in tensors(encoder):
        size = TYPE_BYTES[kind][1]
        for dim in dims:
            size *= dim
        found.append(Tensor(name=name, dims=dims, format=kind, bytes=size))
    return tuple(found)


def predicted(encoder: Encoder, backend: Any = "cpu") -> ProjectorBytes:
    return projector_bytes(read_towers(header(encoder)), tensors_of(encoder), backend)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the engine counts for every encoder, weights and compute buffers, from one child."""
    folder: Path = tmp_path_factory.mktemp("projectors")
    jobs = []
    for index, encoder in enumerate([*MODELS.values(), *drawn()]):
        path = folder / f"{index}.gguf"
        write_stub(path, header(encoder), tensors(encoder))
        jobs.append({"path": str(path), "projector": {}})
    return ask(jobs)


needs_engine = pytest.mark.skipif(not HAS_ENGINE, reason="llama-cpp-python is not installed")


@pytest.mark.engine
@needs_engine
@pytest.mark.parametrize("name", MODELS)
def test_known_models_reserve_what_the_engine_reserves(name: str, counted: list[dict[str, Any]]) -> None:
    answer = counted[list(MODELS).index(name)]
    assert answer["loaded"], answer["log"]
    weights = sum(tensor.bytes for tensor in tensors_of(MODELS[name]))
    assert predicted(MODELS[name]).reserved_bytes == answer["bytes"] - weights


@pytest.mark.engine
@needs_engine
@pytest.mark.parametrize("index", range(DRAWN_EACH * len(PROJECTORS.keys())))
def test_sizes_that_no_model_has_reserve_the_same_too(index: int, counted: list[dict[str, Any]]) -> None:
    encoder, answer = drawn()[index], counted[len(MODELS) + index]
    assert answer["loaded"], (encoder, answer["log"])
    weights = sum(tensor.bytes for tensor in tensors_of(encoder))
    assert predicted(encoder).reserved_bytes == answer["bytes"] - weights, encoder


def test_every_kind_of_projector_is_asked_about() -> None:
    kinds = {PROJECTORS.get(encoder.projector).name for encoder in MODELS.values()}
    assert kinds == {kind.name for kind in PROJECTORS}


# peaks of resident memory over the start of the process, in MiB: llama-cpp-python 0.3.36 on x86-64, three layers of
# the encoder (one for the last), mtmd_debug_encode_image of a square picture with this many pixels a side
MEASURED = [
    ("Gemma 3 4B", 3, 896, 311),
    ("LFM2.5-VL 1.6B", 3, 512, 174),
    ("Qwen3-VL 4B", 3, 1472, 551),
    ("Qwen3-VL 4B", 1, 2048, 894),
]


@pytest.mark.parametrize(("name", "layers", "pixels", "peak_mib"), MEASURED)
def test_measured_peaks_lie_within_the_bounds(name: str, layers: int, pixels: int, peak_mib: int) -> None:
    encoder = MODELS[name]
    kept = tuple(index for index in encoder.deepstack if index < layers)
    size = predicted(replace(encoder, layers=layers, deepstack=kept))
    largest = pixels == 2048 or size.compute_high_bytes - size.compute_likely_bytes <= SLACK_BYTES
    expected = size.weights_bytes + (size.compute_high_bytes if largest else size.compute_likely_bytes)
    assert 0.98 * expected <= peak_mib * MIB <= size.weights_bytes + size.compute_high_bytes


def test_the_bounds_hold_the_start_and_grow_with_the_picture() -> None:
    for name, encoder in MODELS.items():
        size = predicted(encoder)
        assert 0 == size.compute_low_bytes < size.reserved_bytes < size.compute_likely_bytes, name
        assert size.compute_likely_bytes <= size.compute_high_bytes, name
    # 4096 tokens instead of 46 * 46, linear without windows, quadratic with them
    plain, windowed = predicted(MODELS["Qwen2-VL 2B"]), predicted(MODELS["Qwen2.5-VL 7B"])
    assert 1.9 < plain.compute_high_bytes / plain.compute_likely_bytes < 2.0
    assert windowed.compute_high_bytes > 2100 * MIB


def test_a_picture_cut_in_tiles_needs_no_more_than_one_tile() -> None:
    size = predicted(MODELS["SmolVLM2 500M"])
    assert size.compute_high_bytes == size.compute_likely_bytes + SLACK_BYTES


def test_tiles_encoded_together_add_up() -> None:
    size = predicted(MODELS["InternVL3 2B"])
    one, all_at_once = size.compute_likely_bytes - GRAPH_BYTES, size.compute_high_bytes - GRAPH_BYTES - SLACK_BYTES
    assert all_at_once == 4 * one  # 1024 tokens at once, 256 a tile


def test_a_gpu_takes_its_buffers_at_start() -> None:
    size = predicted(MODELS["Gemma 3 4B"], "cuda")
    assert size.compute_low_bytes == size.reserved_bytes > 100 * MIB


def test_weights_are_padded_one_by_one() -> None:
    odd = Tensor(name="v.class_embd", dims=(33,), format="F32", bytes=132)
    (tower,) = read_towers(header(MODELS["Gemma 3 4B"]))
    before = predicted(MODELS["Gemma 3 4B"]).weights_bytes
    after = projector_bytes([tower], [*tensors_of(MODELS["Gemma 3 4B"]), odd]).weights_bytes
    assert after - before == 160


def test_an_unknown_projector_has_wide_bounds_and_says_so() -> None:
    encoder = replace(MODELS["Gemma 3 4B"], projector="gemma3")
    (tower,) = read_towers({**header(encoder), "clip.projector_type": "hydra"})
    known, unknown = predicted(encoder), projector_bytes([tower], tensors_of(encoder))
    assert unknown.compute_low_bytes == 0
    assert unknown.compute_likely_bytes < known.compute_high_bytes * 2 < unknown.compute_high_bytes
    assert "hydra" in unknown.error


def test_a_projector_without_its_tensors_is_refused() -> None:
    encoder = MODELS["Gemma 3 4B"]
    kept = [tensor for tensor in tensors_of(encoder) if not tensor.name.startswith("mm.")]
    with pytest.raises(Malformed, match=r"gemma3 projector without .*mm\.input_projection"):
        projector_bytes(read_towers(header(encoder)), kept)


@given(
    st.sampled_from(list(MODELS.values())),
    st.dictionaries(
        st.sampled_from(
            ["layers", "embedding_length", "feed_forward_length", "heads", "image_size", "patch_size", "merge_size"]
        ),
        st.integers(0, 9000),
    ),
    st.integers(0, 400),
)
@settings(max_examples=60, deadline=None)
def test_any_header_gives_bounds_in_order_or_is_malformed(encoder: Encoder, changes: dict[str, int], lost: int) -> None:
    (tower,) = read_towers(header(encoder))
    changes = {**changes, "layers": changes.get("layers", 2) % 40, "patch_size": changes.get("patch_size", 14) or 1}
    kept = list(tensors_of(encoder))
    del kept[lost % (2 * len(kept)) : lost % (2 * len(kept)) + 1]
    try:
        size = projector_bytes([msgspec.structs.replace(tower, **changes)], kept)
    except Malformed:
        return
    assert 0 <= size.compute_low_bytes <= size.compute_likely_bytes <= size.compute_high_bytes
