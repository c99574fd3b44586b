"""The encoders in a projector file (``mmproj``), read from its header.

Keys and bounds as in ``clip_model_loader::load_hparams`` of tools/mtmd/clip.cpp (llama.cpp 0c1e57098).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from memfit.errors import Malformed
from memfit.model.metadata import MOST_LAYERS, Metadata, Value
from memfit.model.shape import Tower

MOST_IMAGE_SIDE = 8192
MOST_PATCH_SIDE = 65535
MOST_MEL_BINS = 640  # 256 for spectra; encoders of raw sound keep the length of their frame there

# one file with both encoders, written before each had a key of its own
JOINT = {"qwen2.5o": {"vision": "qwen2.5vl_merger", "audio": "qwen2a"}}


def read_towers(values: Mapping[str, Value], *, file: str | None = None) -> tuple[Tower, ...]:
    """The encoders for pictures and for sound that a file holds.

    Args:
        values: the header's scalars by key.
        file: for messages.

    Raises:
        Malformed: no encoder, or one without a projector type, or a size that is missing or out of bounds.
    """
    meta = Metadata("clip", values, file=file)
    towers = tuple(_towers(meta))
    if not towers:
        raise Malformed(
            "no encoder for pictures or sound", file=file, hint="this is not a projector that llama.cpp loads"
        )
    return towers


def _towers(meta: Metadata) -> Iterator[Tower]:
    if meta.flag("has_vision_encoder", False):
        yield _tower(meta, "vision")
    if meta.flag("has_audio_encoder", False):
        yield _tower(meta, "audio")


def _tower(meta: Metadata, kind: Literal["vision", "audio"]) -> Tower:
    heads = meta.integer(f"{kind}.attention.head_count")
    return Tower(
        kind=kind,
        projector=_projector(meta, kind),
        layers=meta.integer(f"{kind}.block_count", most=MOST_LAYERS),
        embedding_length=meta.integer(f"{kind}.embedding_length", least=1),
        feed_forward_length=meta.integer(f"{kind}.feed_forward_length"),
        heads=heads,
        kv_heads=meta.integer(f"{kind}.attention.head_count_kv", heads),
        **(_vision(meta) if kind == "vision" else _audio(meta)),
    )


def _projector(meta: Metadata, kind: str) -> str:
    name = meta.text("clip.projector_type") or meta.text(f"clip.{kind}.projector_type")
    if not name:
        raise Malformed("clip.projector_type is missing", file=meta.file, hint="convert the projector again")
    return JOINT[name][kind] if name in JOINT else name


def _vision(meta: Metadata) -> dict[str, int]:
    return {
        "image_size": meta.integer("vision.image_size", most=MOST_IMAGE_SIDE),
        "patch_size": meta.integer("vision.patch_size", least=1, most=MOST_PATCH_SIDE),
        "merge_size": meta.integer(
            "vision.spatial_merge_size", meta.integer("vision.projector.scale_factor", 0), most=MOST_PATCH_SIDE
        ),
        "most_pixels": meta.integer("vision.image_max_pixels", 0),
        "window_period": meta.integer("vision.n_wa_pattern", 0),
    }


def _audio(meta: Metadata) -> dict[str, int]:
    return {
        "merge_size": meta.integer("audio.projector.stack_factor", 0, most=MOST_PATCH_SIDE),
        "mel_bins": meta.integer("audio.num_mel_bins", least=1, most=MOST_MEL_BINS),
    }
