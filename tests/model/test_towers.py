"""Encoders read from the headers of projector files."""

from __future__ import annotations

from typing import Any

import pytest

from memfit.errors import Malformed
from memfit.model.towers import read_towers
from projector_stub import Encoder, header


def without(values: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}


def test_a_vision_encoder_is_read() -> None:
    (tower,) = read_towers(
        header(Encoder("gemma3", layers=27, width=1152, feed_forward=4304, heads=16, image=896, patch=14))
    )
    assert (tower.kind, tower.projector, tower.layers) == ("vision", "gemma3", 27)
    assert (tower.embedding_length, tower.feed_forward_length, tower.heads, tower.kv_heads) == (1152, 4304, 16, 16)
    assert (tower.image_size, tower.patch_size, tower.merge_size, tower.most_pixels) == (896, 14, 2, 0)


def test_the_merge_of_qwen_has_a_key_of_its_own() -> None:
    (tower,) = read_towers(header(Encoder("qwen2.5vl_merger", merge=3, minimum=100, maximum=1_000_000)))
    assert (tower.merge_size, tower.window_period, tower.most_pixels) == (3, 8, 1_000_000)


def test_a_merge_that_the_header_does_not_say_is_0() -> None:
    (tower,) = read_towers(without(header(Encoder("gemma3")), "clip.vision.projector.scale_factor"))
    assert tower.merge_size == 0


def test_a_sound_encoder_is_read() -> None:
    (tower,) = read_towers(header(Encoder("ultravox", mel_bins=128, stack=8)))
    assert (tower.kind, tower.projector, tower.mel_bins, tower.merge_size) == ("audio", "ultravox", 128, 8)
    assert (tower.image_size, tower.patch_size) == (0, 0)


def test_both_encoders_of_one_file_are_read() -> None:
    sound = {key: value for key, value in header(Encoder("qwen2a")).items() if "projector_type" not in key}
    both = {**sound, **header(Encoder("qwen2.5o"))}
    assert [(tower.kind, tower.projector) for tower in read_towers(both)] == [
        ("vision", "qwen2.5vl_merger"),
        ("audio", "qwen2a"),
    ]


def test_each_encoder_may_name_its_own_projector() -> None:
    values = without(header(Encoder("gemma3")), "clip.projector_type")
    (tower,) = read_towers({**values, "clip.vision.projector_type": "gemma4v"})
    assert tower.projector == "gemma4v"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no encoder": ({"clip.has_vision_encoder": False}, "no encoder"),
    "no projector type": ({"clip.projector_type": ""}, "clip.projector_type is missing"),
    "no width": ({"clip.vision.embedding_length": 0}, "clip.vision.embedding_length is 0"),
    "patch of 0": ({"clip.vision.patch_size": 0}, "clip.vision.patch_size is 0"),
    "image too large": ({"clip.vision.image_size": 8193}, "clip.vision.image_size is 8193"),
    "layers without end": ({"clip.vision.block_count": 10**6}, "clip.vision.block_count is 1000000"),
    "text for a number": ({"clip.vision.attention.head_count": "16"}, "clip.vision.attention.head_count is '16'"),
    "flag as text": ({"clip.has_vision_encoder": "yes"}, "clip.has_vision_encoder is 'yes'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_headers_are_refused_by_key_and_file(case: str) -> None:
    changes, message = BAD[case]
    with pytest.raises(Malformed, match=r"mmproj\.gguf") as raised:
        read_towers({**header(Encoder("gemma3")), **changes}, file="mmproj.gguf")
    assert message in raised.value.message


def test_a_missing_size_is_refused() -> None:
    with pytest.raises(Malformed, match="block_count is missing"):
        read_towers(without(header(Encoder("gemma3")), "clip.vision.block_count"))
