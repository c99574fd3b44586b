"""A model's shape from its GGUF file."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from memfit.catalog import fold
from memfit.errors import Malformed, ModelError, UsageError
from memfit.model._build import quantized, shape_of
from memfit.model._cache import cached
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS
from memfit.model.gguf import Header, read_shards, shard_paths
from memfit.model.gguf._refusals import exists
from memfit.model.metadata import Metadata
from memfit.model.shape import ModelShape, Tokenizer
from memfit.model.unknown import unknown_architecture


def read_shape(path: str | os.PathLike[str], *, known_only: bool = True) -> ModelShape:
    """The shape of a GGUF file from its header only; any shard of a split model names the whole.

    The result is cached by the file's path, size and time of change (``MEMFIT_CACHE=off`` turns that off).

    Args:
        path: a model, a projector (``mmproj``) or a LoRA adapter.
        known_only: False gives a shape without layers for an architecture that memfit does not know, enough for the
            engine to be asked.

    Raises:
        UnknownArchitecture: no architecture file describes it; the hint names the nearest.
        ModelError: a file that cannot be used, or one that is not on this machine.
        UsageError: an empty name.
    """
    name = os.fspath(path)
    if not name:
        raise UsageError("a file without a name", hint="give the path of a .gguf file")
    _refuse_remote(name)
    shape = cached(shard_paths(path), "shape", lambda: _read(read_shards(path)), ModelShape)
    if known_only and shape.kind in ("text", "embedding") and not shape.layers:
        hint = (
            "llama.cpp can be asked for one footprint: --source engine (needs memfit[llama]); not for --max or --sweep"
        )
        raise unknown_architecture(shape.architecture, file=str(path), hint=hint)
    return shape


def in_preset(shape: ModelShape, preset: str) -> ModelShape:
    """The same model quantized to ``preset``, before anyone has made that file; no shards, no offsets.

    Raises:
        UnknownName: no such preset.
        UsageError: the engine cannot quantize this model to that preset.
    """
    return msgspec.structs.replace(shape, tensors=quantized(shape, preset), shards=(), file_type=None)


def _read(header: Header) -> ModelShape:
    if not header.architecture:
        raise Malformed("general.architecture is missing", file=header.path, hint="convert the model again")
    if header.architecture == "clip":
        return _projector(header)
    if header.metadata.get("general.type") == "adapter":
        return _adapter(header)
    names = frozenset(tensor.name for tensor in header.tensors)
    tokens = header.vocabulary_tokens
    values = dict(header.metadata)
    if tokens is not None:
        values[f"{header.architecture}.vocab_size"] = tokens
    meta = Metadata(header.architecture, values, file=header.path, optional=names)
    if header.architecture in ARCHITECTURES:
        shape = shape_of(meta, header.tensors, vocabulary_tokens=tokens)
    else:
        shape = _without_layers(header, meta)
    return msgspec.structs.replace(shape, tokenizer=_tokenizer(header), shards=header.shards)


def _without_layers(header: Header, meta: Metadata) -> ModelShape:
    """Enough of an unknown architecture for the engine to be asked about it."""
    names = {tensor.name for tensor in header.tensors}
    parameters = sum(tensor.elements for tensor in header.tensors)
    return ModelShape(
        architecture=header.architecture,
        name=meta.text("general.name", "unnamed"),
        parameters=parameters,
        parameters_active=parameters,
        embedding_length=meta.integer("embedding_length", 0),
        vocabulary_tokens=meta.integer("vocab_size", 0),
        context_trained_tokens=meta.integer("context_length", 0),
        tied_embeddings="token_embd.weight" in names and "output.weight" not in names,
        tensors=header.tensors,
    )


def _projector(header: Header) -> ModelShape:
    from memfit.model.towers import read_towers  # only projector files need it

    parameters = sum(tensor.elements for tensor in header.tensors)
    return ModelShape(
        architecture="clip",
        name=_text(header, "general.name"),
        kind="projector",
        parameters=parameters,
        parameters_active=parameters,
        embedding_length=0,
        vocabulary_tokens=0,
        context_trained_tokens=0,
        memory="none",
        towers=read_towers(header.metadata, file=header.path),
        tensors=header.tensors,
        shards=header.shards,
    )


def _adapter(header: Header) -> ModelShape:
    parameters = sum(tensor.elements for tensor in header.tensors)
    return ModelShape(
        architecture=header.architecture,
        name=_text(header, "general.name"),
        kind="adapter",
        parameters=parameters,
        parameters_active=parameters,
        embedding_length=0,
        vocabulary_tokens=0,
        context_trained_tokens=0,
        memory="none",
        tensors=header.tensors,
        shards=header.shards,
    )


def _text(header: Header, key: str) -> str:
    value = header.metadata.get(key)
    return value if isinstance(value, str) else Path(header.path).name


_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(:[\w.-]+)?")


def _refuse_remote(name: str) -> None:
    """Refuses what other programs would download: an address, or a repository of Hugging Face.

    Raises:
        ModelError: with the well-known model that it may be.
    """
    # a repository is written as a file in a folder is
    repository = _REPOSITORY.fullmatch(name) and not name.lower().endswith(".gguf") and not exists(Path(name).parent)
    if not repository and not _ADDRESS.match(name):
        return
    hint = "download it first (hf download), and give the file"
    near = _card_in(name)
    raise ModelError(
        "no such file: memfit reads files of this machine and downloads none",
        file=name,
        hint=f"{hint}; or take the well-known model: memfit estimate {near}" if near else hint,
    )


def _card_in(name: str) -> str | None:
    """The card whose name stands at the start of an address' last parts: Qwen3-8B of Qwen/Qwen3-8B-GGUF."""
    parts = [fold(part) for part in re.split(r"[/:]", name) if part]
    cards = sorted((card.name for card in CARDS), key=len, reverse=True)
    return next((card for card in cards for part in parts if f"{part}_".startswith(f"{fold(card)}_")), None)


def _tokenizer(header: Header) -> Tokenizer | None:
    tokens = header.arrays.get("tokenizer.ggml.tokens")
    if tokens is None:
        return None
    merges = header.arrays.get("tokenizer.ggml.merges")
    kind = header.metadata.get("tokenizer.ggml.model")
    return Tokenizer(
        kind=kind if isinstance(kind, str) else "unknown",
        tokens=tokens.count,
        token_bytes=tokens.payload_bytes,
        merges=merges.count if merges else 0,
        merge_bytes=merges.payload_bytes if merges else 0,
    )
