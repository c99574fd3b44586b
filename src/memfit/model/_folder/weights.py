"""The safetensors files of a folder: which they are, what is in them, and whether the config is theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from memfit.errors import Malformed
from memfit.model.configs import Checkpoint
from memfit.model.gguf._refusals import exists
from memfit.model.safetensors import SafetensorsHeader, read_header, read_index
from memfit.model.safetensors.index import NAME as INDEX
from memfit.model.shape import Shard, Tensor

WHOLE = "model.safetensors"
_SHARD = re.compile(r"(?P<stem>.+)-\d{5}-of-(?P<count>\d{5})\.safetensors")
# files beside the weights of the model itself: Mistral's own layout of the same weights, adapters
_OTHERS = ("consolidated", "adapter_model", "training_args")
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks|layer)\.(\d+)\.")
# encoders and next-token-prediction heads, whose layers are counted on their own
_LEFT_OUT = re.compile(r"(?:^|\.)(?:vision|visual|audio|image|encoder|multi_modal|mtp)")
_EMBEDDINGS = (
    "embed_tokens.weight",
    "wte.weight",
    "word_embeddings.weight",
    "backbone.embeddings.weight",
    "tok_embeddings.weight",
)
# stored by older releases, and no parameters: tables of the rotary embedding, masks, positions
_TABLES = re.compile(r"(?:rotary_emb\.inv_freq|\.attn\.(?:bias|masked_bias)|position_ids|num_batches_tracked)$")
# what only a next-token-prediction layer has, which transformers does not load (DeepSeek V3, Qwen3.5, Nemotron 3)
_NEXT_TOKEN = re.compile(r"eh_proj|(?:^|\.)mtp\.")
# how much more than the config's parameters a checkpoint may hold: heads and keys that transformers does not load
MOST_SURPLUS = 0.15


def files(folder: Path) -> list[Path]:
    """The weight files by their names alone, with the index where there is one; none where there are no weights.

    Raises:
        ModelError: a shard is missing; the message names it.
        Malformed: the index contradicts itself.
    """
    index = folder / INDEX
    if exists(index):
        return [index, *(folder / name for name in read_index(index).files)]
    if exists(folder / WHOLE):
        return [folder / WHOLE]
    names = sorted(entry.name for entry in _entries(folder) if entry.name.endswith(".safetensors"))
    own = [name for name in names if not name.startswith(_OTHERS)] or [
        name for name in names if name.startswith("consolidated")
    ]
    _check_numbers(folder, own)
    return [folder / name for name in own]


def read(folder: Path) -> tuple[SafetensorsHeader, ...]:
    """The headers of all weight files, empty where there are none.

    Raises:
        Malformed: a header contradicts itself, another, or the index.
        ModelError: a file is missing or cannot be used.
    """
    found = files(folder)
    headers = tuple(read_header(path) for path in found if path.name.endswith(".safetensors"))
    if found and found[0].name == INDEX:
        _check_index(found[0], headers)
    seen: dict[str, str] = {}
    for header in headers:
        for tensor in header.tensors:
            if tensor.name in seen:
                raise Malformed(
                    f"has the tensor {tensor.name[:80]!r}, which {seen[tensor.name]} has too", file=header.path
                )
            seen[tensor.name] = header.path
    return headers


def tensors(headers: Iterable[SafetensorsHeader]) -> tuple[Tensor, ...]:
    """All tensors, each with the number of its file."""
    return tuple(
        msgspec.structs.replace(tensor, shard=number) if number else tensor
        for number, header in enumerate(headers)
        for tensor in header.tensors
    )


def shards(headers: Iterable[SafetensorsHeader]) -> tuple[Shard, ...]:
    """The files."""
    return tuple(Shard(header.path, header.file_bytes or 0, header.data_offset) for header in headers)


def check(checkpoint: Checkpoint, headers: tuple[SafetensorsHeader, ...], *, quantized: bool, config: str) -> None:
    """Refuse a config that is not that of the weights.

    Args:
        checkpoint: what the config says.
        headers: of all weight files.
        quantized: tensors hold packed numbers, so that only rows and layers can be compared.
        config: the config's file, for messages.

    Raises:
        Malformed: rows of the embedding, layers, or parameters differ.
    """
    stored = tensors(headers)
    _check_rows(checkpoint, stored, headers, config)
    _check_layers(checkpoint, stored, headers, config)
    if not quantized:
        _check_count(checkpoint, stored, headers, config)


def _check_rows(
    checkpoint: Checkpoint, stored: tuple[Tensor, ...], headers: tuple[SafetensorsHeader, ...], config: str
) -> None:
    for tensor in stored:
        if not tensor.name.endswith(_EMBEDDINGS) or len(tensor.dims) != 2 or _LEFT_OUT.search(tensor.name):
            continue
        rows = tensor.dims[1]
        if rows != checkpoint.vocabulary_tokens:
            raise Malformed(
                f"{tensor.name[:80]!r} has {rows} rows, and {config} gives a vocabulary of"
                f" {checkpoint.vocabulary_tokens}",
                file=headers[tensor.shard].path,
                hint="the config is of another model: download both from one place",
            )


def _check_layers(
    checkpoint: Checkpoint, stored: tuple[Tensor, ...], headers: tuple[SafetensorsHeader, ...], config: str
) -> None:
    numbers = [
        int(match.group(1))
        for tensor in stored
        if not _LEFT_OUT.search(tensor.name) and (match := _LAYER.search(tensor.name)) is not None
    ]
    count = sum(not layer.next_token for layer in checkpoint.layers)
    more = set(range(count, max(numbers, default=-1) + 1))
    heads = {
        int(match.group(1)) for tensor in stored if "eh_proj" in tensor.name and (match := _LAYER.search(tensor.name))
    }
    if numbers and (max(numbers) + 1 < count or more - heads):
        raise Malformed(
            f"holds {max(numbers) + 1} layers, and {config} gives {count}",
            file=headers[0].path,
            hint="the config is of another model, or files are missing: download both from one place",
        )


def _check_count(
    checkpoint: Checkpoint, stored: tuple[Tensor, ...], headers: tuple[SafetensorsHeader, ...], config: str
) -> None:
    expected = checkpoint.parameters
    layers = sum(not layer.next_token for layer in checkpoint.layers)
    found = sum(tensor.elements for tensor in stored if not _is_surplus(tensor, layers))
    if expected <= found <= expected * (1 + MOST_SURPLUS) + _tied_elements(checkpoint):
        return
    raise Malformed(
        f"the weights hold {found} parameters, and {config} gives {expected}",
        file=headers[0].path,
        hint="the config is of another model, or files are missing: download both from one place",
    )


def _is_surplus(tensor: Tensor, layers: int) -> bool:
    """Whether transformers makes nothing of this tensor: a table, or part of a next-token-prediction head."""
    if _TABLES.search(tensor.name) or _NEXT_TOKEN.search(tensor.name):
        return True
    match = None if _LEFT_OUT.search(tensor.name) else _LAYER.search(tensor.name)
    return match is not None and int(match.group(1)) >= layers


def _tied_elements(checkpoint: Checkpoint) -> int:
    """Some writers store a tied output matrix all the same."""
    return checkpoint.embedding_length * checkpoint.vocabulary_tokens if checkpoint.tied else 0


def _check_index(index: Path, headers: tuple[SafetensorsHeader, ...]) -> None:
    placed = read_index(index)
    held = {tensor.name: number for number, header in enumerate(headers) for tensor in header.tensors}
    for name, number in placed.places.items():
        if held.get(name) != number:
            raise Malformed(
                f"places {name[:80]!r} in {placed.files[number]}, which does not hold it",
                file=str(index),
                hint="the index and the shards are of different downloads",
            )
    for name, number in held.items():
        if name not in placed.places:
            raise Malformed(
                f"does not list {name[:80]!r}, which {placed.files[number]} holds",
                file=str(index),
                hint="the index and the shards are of different downloads",
            )


def _check_numbers(folder: Path, names: list[str]) -> None:
    """Refuse a set of numbered files of which some are missing, where no index tells."""
    for stem, count in {(match["stem"], match["count"]) for name in names if (match := _SHARD.fullmatch(name))}:
        expected = [f"{stem}-{number:05d}-of-{count}.safetensors" for number in range(1, int(count) + 1)]
        missing = [name for name in expected if name not in names]
        if missing:
            shown = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
            raise Malformed(
                f"{len(missing)} shards of {int(count)} are missing: {shown}",
                file=str(folder),
                hint=f"download them into {folder.absolute()}",
            )


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return
