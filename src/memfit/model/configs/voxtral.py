"""Voxtral: Whisper's encoder before the text half."""

from __future__ import annotations

from memfit.model.configs._audio import audio_tower, whisper_encoder
from memfit.model.configs._checkpoint import Checkpoint
from memfit.model.configs._config import Config, transformers
from memfit.model.configs._nested import read_text
from memfit.model.configs._section import Section
from memfit.model.configs._tower import Encoder, Tensors, join, linear, read_encoder

# sub_configs_defaults of VoxtralConfig; they stand for every field that the section does not have
DEFAULT = {
    "vocab_size": 131072,
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_hidden_layers": 30,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131072,
    "head_dim": 128,
}


def read(config: Section) -> Checkpoint:
    """The text half, the audio encoder, and the projector, which joins four frames.

    Raises:
        Malformed: a field is of the wrong kind or contradicts another.
    """
    given = config.section("text_config")
    values = {**DEFAULT, **(given.values if given is not None else {})}
    merged = Section(
        {**config.values, "text_config": values},
        file=config.file,
        path=config.path,
        model_type="voxtral",
        parent=config.parent,
    )
    half = read_text(merged, "llama", tied=config.flag("tie_word_embeddings"))
    audio = config.inner("audio_config", "voxtral_encoder")
    sizes = read_encoder(
        audio,
        layers=32,
        width=1280,
        feed_forward=5120,
        heads=20,
        layers_name=("num_hidden_layers", "encoder_layers"),
        width_name=("hidden_size", "d_model"),
        heads_name=("num_attention_heads", "encoder_attention_heads"),
    )
    length = audio.integer("intermediate_size", "encoder_ffn_dim", default=5120)
    sizes = Encoder(sizes.layers, sizes.width, length, sizes.heads)
    bands, positions = audio.integer("num_mel_bins", default=128), audio.integer("max_source_positions", default=1500)
    if length % sizes.width:
        raise audio.malformed("intermediate_size", f"is {length}, no multiple of hidden_size {sizes.width}")

    def projector() -> Tensors:
        # as many frames are joined as intermediate_size holds hidden states
        yield from linear("mm.1", length, half.embedding_length, bias=False)
        yield from linear("mm.2", half.embedding_length, half.embedding_length, bias=False)

    tower = audio_tower(sizes, "voxtral", bands=bands, merge=length // sizes.width)
    return join(config, half, (tower,), whisper_encoder(sizes, bands, positions), projector())


CONFIG = Config(
    model_type="voxtral",
    summary="Voxtral Mini 3B, Voxtral Small 24B",
    source=transformers("voxtral"),
    read=read,
)
