"""A folder of Hugging Face: its config, how it is quantized, and what the headers of its weights say.

``read_folder`` takes the JSON files alone. ``folder_shape`` adds the weights where they are there: tensors are then
exactly those of the files. Where they are not there, the config says all that memory depends on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from memfit.errors import Malformed, ModelError, NotAModel, UnknownArchitecture, UnknownName, UsageError
from memfit.model._build import card_shape, inactive_elements
from memfit.model._cache import cached
from memfit.model._folder import contradictions, weights
from memfit.model._folder.scheme import scheme_of
from memfit.model._folder.tokenizer import NAME as TOKENIZER
from memfit.model._folder.tokenizer import read_tokenizer
from memfit.model.configs import CONFIGS, Checkpoint
from memfit.model.configs._section import Section
from memfit.model.gguf._refusals import exists, refuse_unreadable, regular_size
from memfit.model.quantizations import METHODS, Quantization
from memfit.model.safetensors import BITS, SafetensorsHeader
from memfit.model.safetensors._json import decode
from memfit.model.schemes import in_scheme
from memfit.model.shape import ModelShape, Tensor

CONFIG, QUANTIZATION = "config.json", "hf_quant_config.json"
MOST_CONFIG_BYTES = 8 << 20  # memfit's own bound; configs of thousands of quantized modules have a megabyte
USUAL_DTYPE = "BF16"  # where the config has no dtype: what most checkpoints of the last years have


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """What the JSON files of a folder say.

    Attributes:
        path: the folder, as it was given.
        checkpoint: the model, by its config.
        quantization: how its weights are stored, None where they are not quantized.
    """

    path: str
    checkpoint: Checkpoint
    quantization: Quantization | None


def read_folder(path: str | os.PathLike[str]) -> Folder:
    """The config and the quantization of a folder, or of its ``config.json``.

    Raises:
        UnknownArchitecture: no reader for the model type; the hint names the nearest.
        Malformed: a field is missing, of the wrong kind, or contradicts another.
        ModelError: not there, or not readable.
    """
    folder = _folder(path)
    config = read_config(folder / CONFIG)
    checkpoint = read_checkpoint(config)
    quantization = _quantization(config, folder)
    if quantization is not None:
        contradictions.check_groups(checkpoint, quantization, file=str(folder / CONFIG))
    return Folder(
        path=str(folder),
        checkpoint=msgspec.structs.replace(checkpoint, name=_name(folder, checkpoint)),
        quantization=quantization,
    )


def folder_shape(path: str | os.PathLike[str], *, format: str | None = None) -> ModelShape:
    """The shape of a folder's model.

    Without weights the tensors are those of the config, in the scheme that its quantization means, or else in its
    ``dtype``.

    Args:
        path: the folder, or its ``config.json``.
        format: a preset: the text half as llama.cpp converts it and quantizes it, whatever weights are there.

    Raises:
        UnknownArchitecture: no reader for the model type, or with ``format`` none in llama.cpp.
        Malformed: a file contradicts itself or another: the config against the headers, the index against its shards.
        UnknownName, UsageError: with ``format``, as ``card_shape``.
        ModelError: not there, not readable, or a shard is missing.
    """
    folder = _folder(path)
    if format is not None:
        converted = read_folder(folder)
        _stored(converted)  # what is not whole cannot be converted
        return _converted(converted, format)
    files = [folder / name for name in (CONFIG, QUANTIZATION, TOKENIZER) if exists(folder / name)]
    return cached([*files, *weights.files(folder)], "folder", lambda: _shape(read_folder(folder)), ModelShape)


def read_config(path: Path) -> Section:
    """A ``config.json`` as it stands.

    Raises:
        Malformed: not a JSON object, or larger than any config.
        ModelError: not there, or not readable.
    """
    size = regular_size(path)
    if size > MOST_CONFIG_BYTES:
        raise Malformed(f"has {size} bytes, a config has at most {MOST_CONFIG_BYTES}", file=str(path))
    try:
        raw = path.read_bytes()
    except OSError as failure:
        raise refuse_unreadable(path, failure) from failure
    return parse_config(raw, file=str(path))


def parse_config(raw: bytes, *, file: str) -> Section:
    """A config by its text alone, however that was fetched.

    Raises:
        Malformed: not a JSON object.
    """
    values = decode(raw, file=file)
    if not isinstance(values, dict):
        raise Malformed("is not a JSON object", file=file)
    return Section(values, file=file)


def read_checkpoint(config: Section) -> Checkpoint:
    """The checkpoint by the reader of its ``model_type``.

    Raises:
        UnknownArchitecture: no reader; the hint names the nearest.
        Malformed: a field is missing, of the wrong kind, or contradicts another.
    """
    model_type = config.model_type
    if not model_type:
        hint = "give the folder of a language, vision or speech model as transformers saves it"
        raise config.malformed("model_type", "is missing", hint=hint)
    try:
        reader = CONFIGS.get(model_type)
    except UnknownName as unknown:
        near = f"nearest known: {', '.join(unknown.nearest)}" if unknown.nearest else "none that it knows is near"
        near += "; where llama.cpp has converted the model, give its GGUF file"
        raise UnknownArchitecture(
            f"memfit does not know the model_type {model_type[:80]!r}", file=config.file, hint=near
        ) from None
    contradictions.check_layer_types(config)
    return reader.read(config)


def checkpoint_shape(checkpoint: Checkpoint, tensors: tuple[Tensor, ...] | None = None) -> ModelShape:
    """The shape of a checkpoint with these tensors, or with its own in its dtype."""
    if tensors is None:
        tensors = _own_tensors(checkpoint)
    parameters = checkpoint.parameters
    inactive = sum(inactive_elements(tensor, checkpoint.layers) for tensor in checkpoint.tensors if tensor.parameter)
    card = checkpoint.card
    return ModelShape(
        architecture=card.architecture if card is not None else checkpoint.model_type,
        name=checkpoint.name,
        kind="speech" if checkpoint.speech else "embedding" if checkpoint.memory == "none" else "text",
        parameters=parameters,
        parameters_active=parameters - inactive,
        embedding_length=checkpoint.embedding_length,
        vocabulary_tokens=checkpoint.vocabulary_tokens,
        context_trained_tokens=checkpoint.context_trained_tokens,
        memory=checkpoint.memory,
        window_tokens=checkpoint.window_tokens,
        causal=checkpoint.causal,
        tied_embeddings=checkpoint.tied and checkpoint.memory != "none",
        layers=checkpoint.layers,
        towers=checkpoint.towers,
        dimensions={} if card is None else _dimensions(card.metadata),
        tensors=tensors,
    )


def _shape(folder: Folder) -> ModelShape:
    path = Path(folder.path)
    checkpoint = folder.checkpoint
    found = _stored(folder)
    tokenizer = read_tokenizer(path)
    if not found:
        shape = _as_quantized(checkpoint_shape(checkpoint), folder)
        return msgspec.structs.replace(shape, tokenizer=tokenizer)
    shape = checkpoint_shape(checkpoint, weights.tensors(found))
    return msgspec.structs.replace(shape, tokenizer=tokenizer, shards=weights.shards(found))


def _stored(folder: Folder) -> tuple[SafetensorsHeader, ...]:
    """The headers of the folder's weights, which are those of its config; none where it has no weights."""
    path = Path(folder.path)
    found = weights.read(path)
    if found:
        weights.check(folder.checkpoint, found, quantized=folder.quantization is not None, config=str(path / CONFIG))
    return found


def _as_quantized(shape: ModelShape, folder: Folder) -> ModelShape:
    """Sized as its quantizer would store it, where memfit knows how."""
    if folder.quantization is None:
        return shape
    scheme = scheme_of(folder.quantization)
    if scheme is None:  # sized in 16 bits it would be a guess that looks like knowledge
        raise ModelError(
            f"is quantized by {folder.quantization.method!r} in a way that memfit knows no layout of, and without its"
            " weights nothing tells their size",
            file=str(Path(folder.path) / CONFIG),
            hint="download the weights too, whose headers tell it, or size another --format",
        )
    try:
        return in_scheme(shape, scheme)
    except UsageError as refused:  # such a checkpoint cannot be
        raise Malformed(
            f"is quantized as {scheme.name}, which its sizes do not allow: {refused.message}",
            file=str(Path(folder.path) / CONFIG),
        ) from refused


def _converted(folder: Folder, preset: str) -> ModelShape:
    card = folder.checkpoint.card
    if card is None:
        model_type = folder.checkpoint.model_type
        raise UnknownArchitecture(
            f"llama.cpp runs no model_type {model_type!r} with these sizes, so there is no {preset} of it",
            file=str(Path(folder.path) / CONFIG),
            hint="without --format the folder is sized as it is",
        )
    shape = card_shape(replace(card, name=folder.checkpoint.name), preset)
    return msgspec.structs.replace(shape, tokenizer=read_tokenizer(Path(folder.path)))


def _own_tensors(checkpoint: Checkpoint) -> tuple[Tensor, ...]:
    dtype = checkpoint.dtype or USUAL_DTYPE
    result, offset = [], 0
    for tensor in checkpoint.tensors:
        size = tensor.elements * BITS[dtype] // 8
        result.append(Tensor(tensor.name, tensor.dims, dtype, size, offset))
        offset += size
    return tuple(result)


def _quantization(config: Section, folder: Path) -> Quantization | None:
    section = config.section("quantization_config") or config.section("compression_config")
    if section is None and exists(folder / QUANTIZATION):
        section = read_config(folder / QUANTIZATION)
        return METHODS.get("modelopt").read(section)
    if section is None:
        text = config.section("text_config")
        section = text.section("quantization_config") if text is not None else None
    return None if section is None else read_quantization(section)


def read_quantization(section: Section) -> Quantization:
    """A ``quantization_config`` by its method; of one that memfit does not know, the name alone.

    Raises:
        Malformed: a field is missing, of the wrong kind, or contradicts another.
    """
    name = section.text("quant_method")
    if not name:
        # bitsandbytes' first configs have no name
        known = "bitsandbytes" if section.has("load_in_4bit", "load_in_8bit", "bnb_4bit_quant_type") else ""
        name = known or ("modelopt" if section.has("quant_algo") else "")
    if not name:
        raise section.malformed("quant_method", "is missing")
    try:
        method = METHODS.get(name)
    except UnknownName:
        return Quantization(method=name)
    return method.read(section)


def _folder(path: str | os.PathLike[str]) -> Path:
    if not os.fspath(path):
        raise UsageError("a folder without a name", hint="give the path of a folder with a config.json")
    folder = Path(path)
    if folder.name == CONFIG and exists(folder) and not folder.is_dir():
        return folder.parent
    if not exists(folder):
        raise ModelError("no such folder", file=str(folder), hint="check the path")
    if not exists(folder / CONFIG):
        raise NotAModel(
            "is no folder of a model: it has no config.json",
            file=str(folder),
            hint="download the model's config.json too",
        )
    return folder


def _name(folder: Path, checkpoint: Checkpoint) -> str:
    """The folder's own name, unless that is what every cache calls it."""
    name = folder.resolve().name
    plain = name.lower() in ("", "model", "main", "checkpoint") or all(
        each in "0123456789abcdef" for each in name.lower()
    )
    return checkpoint.name if plain else name


def _dimensions(metadata: Mapping[str, object]) -> dict[str, int]:
    return {key: value for key, value in metadata.items() if isinstance(value, int) and not isinstance(value, bool)}
