"""Headers and tensors of projector files, as llama.cpp's converter names them, for any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Tensors = list[tuple[str, tuple[int, ...], str]]
MEAN = [0.5, 0.5, 0.5]


@dataclass(frozen=True)
class Encoder:
    """Sizes of one encoder and its projector; ``text`` is the width of the language model."""

    projector: str
    layers: int = 2
    width: int = 64
    feed_forward: int = 128
    heads: int = 4
    text: int = 96
    image: int = 64
    patch: int = 8
    merge: int = 2
    deepstack: tuple[int, ...] = ()
    mel_bins: int = 80
    stack: int = 8
    kind: str = "F16"
    minimum: int = 0
    maximum: int = 0
    gate: bool = False

    @property
    def audio(self) -> bool:
        return self.projector in ("ultravox", "voxtral", "qwen2a", "glma", "qwen3a")


def header(encoder: Encoder) -> dict[str, Any]:
    """The keys of a file with this encoder."""
    kind = "audio" if encoder.audio else "vision"
    values: dict[str, Any] = {
        "general.architecture": "clip",
        "general.type": "mmproj",
        f"clip.has_{kind}_encoder": True,
        "clip.projector_type": encoder.projector,
        "clip.use_gelu": True,
        f"clip.{kind}.embedding_length": encoder.width,
        f"clip.{kind}.feed_forward_length": encoder.feed_forward,
        f"clip.{kind}.block_count": encoder.layers,
        f"clip.{kind}.attention.head_count": encoder.heads,
        f"clip.{kind}.attention.layer_norm_epsilon": 1e-6,
        f"clip.{kind}.projection_dim": encoder.text,
    }
    if encoder.audio:
        return {
            **values,
            "clip.audio.num_mel_bins": encoder.mel_bins,
            "clip.audio.projector.stack_factor": encoder.stack,
        }
    values.update(
        {
            "clip.vision.image_size": encoder.image,
            "clip.vision.patch_size": encoder.patch,
            "clip.vision.image_mean": MEAN,
            "clip.vision.image_std": MEAN,
        }
    )
    if encoder.projector in ("gemma3", "idefics3", "lfm2", "internvl", "gemma4v"):
        values["clip.vision.projector.scale_factor"] = encoder.merge
    if encoder.projector in ("qwen2vl_merger", "qwen2.5vl_merger", "qwen3vl_merger", "pixtral"):
        values["clip.vision.spatial_merge_size"] = encoder.merge
    if encoder.projector == "qwen2.5vl_merger":
        values["clip.vision.n_wa_pattern"] = 8
    if encoder.projector == "resampler":
        values["clip.minicpmv_query_num"] = 64
    if encoder.projector == "internvl":
        values["clip.vision.preproc_max_tiles"] = 12
    if encoder.maximum:
        values.update(
            {"clip.vision.image_min_pixels": encoder.minimum, "clip.vision.image_max_pixels": encoder.maximum}
        )
    return values


def tensors(encoder: Encoder) -> Tensors:
    """Every tensor of a file with this encoder."""
    return [*_embedding(encoder), *_layers(encoder), *_PROJECTORS[encoder.projector](encoder)]


def _matrix(encoder: Encoder, name: str, *dims: int) -> tuple[str, tuple[int, ...], str]:
    return name, dims, encoder.kind


def _linear(encoder: Encoder, name: str, inputs: int, outputs: int) -> Tensors:
    return [_matrix(encoder, f"{name}.weight", inputs, outputs), (f"{name}.bias", (outputs,), "F32")]


def _norm(name: str, width: int) -> Tensors:
    return [(f"{name}.weight", (width,), "F32"), (f"{name}.bias", (width,), "F32")]


def _embedding(encoder: Encoder) -> Tensors:
    width = encoder.width
    if encoder.audio:
        return [
            ("a.conv1d.1.weight", (3, encoder.mel_bins, width), "F16"),
            ("a.conv1d.1.bias", (1, width), "F32"),
            ("a.conv1d.2.weight", (3, width, width), "F16"),
            ("a.conv1d.2.bias", (1, width), "F32"),
            ("a.position_embd.weight", (width, 1500), "F32"),
            *_norm("a.post_ln", width),
        ]
    patches = (encoder.image // encoder.patch) ** 2
    found: Tensors = [("v.patch_embd.weight", (encoder.patch, encoder.patch, 3, width), "F16")]
    if encoder.projector.startswith("qwen"):
        found.append(("v.patch_embd.weight.1", (encoder.patch, encoder.patch, 3, width), "F16"))
    else:
        classes = encoder.projector in ("mlp", "internvl")
        found.append(("v.position_embd.weight", (width, patches + classes), "F32"))
        if classes:
            found.append(("v.class_embd", (width,), "F32"))
    if encoder.projector == "gemma4v":
        return [found[0], ("v.position_embd.weight", (width, 1024, 2), "F32")]
    if encoder.projector == "qwen3vl_merger":
        found.append(("v.position_embd.weight", (width, patches), "F32"))
    if not encoder.projector.startswith("qwen2") and encoder.projector not in ("mlp", "pixtral"):
        found.append(("v.patch_embd.bias", (width,), "F32"))
    if encoder.projector == "mlp":
        found += _norm("v.pre_ln", width)
    elif encoder.projector == "pixtral":
        found = [entry for entry in found if "position" not in entry[0]]
        found.append(("v.pre_ln.weight", (width,), "F32"))
    elif encoder.projector == "qwen2.5vl_merger":
        found.append(("v.post_ln.weight", (width,), "F32"))
    elif encoder.projector != "internvl":
        found += _norm("v.post_ln", width)
    return found


def _layers(encoder: Encoder) -> Tensors:
    found: Tensors = []
    width = encoder.width
    for index in range(encoder.layers):
        block = f"{'a' if encoder.audio else 'v'}.blk.{index}."
        bare = encoder.projector == "pixtral"
        root = bare or encoder.projector == "qwen2.5vl_merger"
        for name in ("ln1", "ln2"):
            found += _norm(block + name, width)[: 1 if root else 2]
        if encoder.projector == "gemma4v":
            found = [entry for entry in found if not entry[0].endswith(".bias")]
            found += [(f"{block}{name}.weight", (width,), "F32") for name in ("attn_post_norm", "ffn_post_norm")]
            head = width // encoder.heads
            found += [(f"{block}{name}.weight", (head,), "F32") for name in ("attn_q_norm", "attn_k_norm")]
        if encoder.projector == "qwen3vl_merger":
            found += _linear(encoder, block + "attn_qkv", width, 3 * width)
        else:
            for name in ("attn_q", "attn_k", "attn_v"):
                found += _linear(encoder, block + name, width, width)
                if bare or (encoder.audio and name == "attn_k"):
                    found.pop()
        found += _linear(encoder, block + "attn_out", width, width)[: 1 if bare else 2]
        gated = ("ffn_gate",) if bare or encoder.gate else ()
        for name in ("ffn_up", *gated):
            found += _linear(encoder, block + name, width, encoder.feed_forward)[: 1 if bare else 2]
        found += _linear(encoder, block + "ffn_down", encoder.feed_forward, width)[: 1 if bare else 2]
    return found


def _gemma3(encoder: Encoder) -> Tensors:
    return [
        ("mm.input_projection.weight", (encoder.text, encoder.width), "F16"),
        ("mm.soft_emb_norm.weight", (encoder.width,), "F32"),
    ]


def _merger(encoder: Encoder) -> Tensors:
    inner = 4 * encoder.width
    found = [*_linear(encoder, "mm.0", inner, inner), *_linear(encoder, "mm.2", inner, encoder.text)]
    for index in encoder.deepstack:
        found += _norm(f"v.deepstack.{index}.norm", inner)
        found += _linear(encoder, f"v.deepstack.{index}.fc1", inner, inner)
        found += _linear(encoder, f"v.deepstack.{index}.fc2", inner, encoder.text)
    return found


def _idefics3(encoder: Encoder) -> Tensors:
    return [_matrix(encoder, "mm.model.fc.weight", encoder.merge**2 * encoder.width, encoder.text)]


def _lfm2(encoder: Encoder) -> Tensors:
    inner = encoder.merge**2 * encoder.width
    return [*_linear(encoder, "mm.1", inner, encoder.text), *_linear(encoder, "mm.2", encoder.text, encoder.text)]


def _mlp(encoder: Encoder) -> Tensors:
    return [
        *_linear(encoder, "mm.0", encoder.width, encoder.text),
        *_linear(encoder, "mm.2", encoder.text, encoder.text),
    ]


def _internvl(encoder: Encoder) -> Tensors:
    inner = encoder.merge**2 * encoder.width
    return [
        *_norm("mm.model.mlp.0", inner),
        *_linear(encoder, "mm.model.mlp.1", inner, encoder.text),
        *_linear(encoder, "mm.model.mlp.3", encoder.text, encoder.text),
    ]


def _pixtral(encoder: Encoder) -> Tensors:
    found = [
        *_linear(encoder, "mm.1", encoder.width, encoder.text),
        *_linear(encoder, "mm.2", encoder.text, encoder.text),
    ]
    if encoder.merge > 1:
        found.append(("mm.input_norm.weight", (encoder.width,), "F32"))
        found.append(_matrix(encoder, "mm.patch_merger.weight", encoder.merge**2 * encoder.width, encoder.width))
    return [*found, ("v.token_embd.img_break", (encoder.text,), "F32")]


def _ultravox(encoder: Encoder) -> Tensors:
    return [
        _matrix(encoder, "mm.a.mlp.1.weight", encoder.stack * encoder.width, 2 * encoder.text),
        _matrix(encoder, "mm.a.mlp.2.weight", encoder.text, encoder.text),
        ("mm.a.norm_pre.weight", (encoder.stack * encoder.width,), "F32"),
        ("mm.a.norm_mid.weight", (encoder.text,), "F32"),
    ]


def _voxtral(encoder: Encoder) -> Tensors:
    return [
        _matrix(encoder, "mm.a.mlp.1.weight", encoder.stack * encoder.width, encoder.text),
        _matrix(encoder, "mm.a.mlp.2.weight", encoder.text, encoder.text),
    ]


def _qwen2a(encoder: Encoder) -> Tensors:
    return _linear(encoder, "mm.a.fc", encoder.width, encoder.text)


def _gemma4v(encoder: Encoder) -> Tensors:
    return [_matrix(encoder, "mm.input_projection.weight", encoder.width, encoder.text)]


def _resampler(encoder: Encoder) -> Tensors:
    text = encoder.text
    found = [
        ("resampler.pos_embed_k", (text, 4900), "F32"),
        ("resampler.query", (text, 64), "F32"),
        _matrix(encoder, "resampler.proj.weight", text, text),
        _matrix(encoder, "resampler.kv.weight", encoder.width, text),
    ]
    for name in ("q", "k", "v", "out"):
        found += _linear(encoder, f"resampler.attn.{name}", text, text)
    for name in ("q", "kv", "post"):
        found += _norm(f"resampler.ln_{name}", text)
    return found


_PROJECTORS = {
    "resampler": _resampler,
    "gemma3": _gemma3,
    "gemma4v": _gemma4v,
    "qwen2vl_merger": _merger,
    "qwen2.5vl_merger": _merger,
    "qwen3vl_merger": _merger,
    "idefics3": _idefics3,
    "lfm2": _lfm2,
    "mlp": _mlp,
    "internvl": _internvl,
    "pixtral": _pixtral,
    "ultravox": _ultravox,
    "voxtral": _voxtral,
    "qwen2a": _qwen2a,
}
