"""A strict, typed view of a model's metadata: what is missing or of the wrong kind is an error with file and key."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Union

from memfit.errors import Malformed

Scalar = Union[int, float, bool, str]
Value = Union[Scalar, Sequence[Scalar]]

MOST_LAYERS = 512  # LLAMA_MAX_LAYERS, llama.cpp src/llama-hparams.h (0c1e57098)
MOST_EXPERTS = 1024  # LLAMA_MAX_EXPERTS, same file


class Metadata:
    """Hyperparameters of one architecture, read by their GGUF key without its prefix (``block_count``).

    Args:
        architecture: the value of ``general.architecture``, the prefix of the keys.
        values: every key of the header with its value. Arrays that no one reads may be absent.
        file: for messages.
        optional: tensors that only some models of the architecture have and this one does, by their name without
            the block: ``rope_freqs``, ``attn_q.bias``.
    """

    def __init__(
        self,
        architecture: str,
        values: Mapping[str, Value],
        *,
        file: str | None = None,
        optional: Collection[str] = (),
    ) -> None:
        self.architecture = architecture
        self.values = values
        self.file = file
        self.optional = frozenset(optional)

    def has(self, key: str) -> bool:
        """Whether the header holds this key."""
        return self._full(key) in self.values

    def is_array(self, key: str) -> bool:
        """Whether the header holds an array under this key."""
        value = self.values.get(self._full(key))
        return value is not None and not isinstance(value, (str, int, float))

    def carries(self, tensor: str) -> bool:
        """Whether this model has an optional tensor (name without block: ``rope_freqs``)."""
        return tensor in self.optional

    def integer(self, key: str, default: int | None = None, *, least: int = 0, most: int = 2**31 - 1) -> int:
        """A whole number from ``least`` to ``most``.

        Raises:
            Malformed: absent and without default, not a whole number, or out of bounds.
        """
        value = self.values.get(self._full(key), default)
        if value is None:
            raise self._missing(key)
        number = self._whole(key, value, most)
        if number < least:
            raise self.malformed(key, f"is {number}, less than {least}")
        return number

    def per_layer(self, key: str, count: int, default: int | Sequence[int] | None = None) -> tuple[int, ...]:
        """One number for all ``count`` layers, or an array with one for each.

        Raises:
            Malformed: absent and without default, or an array of another length.
        """
        value: Value | None = self.values.get(self._full(key), default)
        if value is None:
            raise self._missing(key)
        if isinstance(value, (str, int, float)):
            return (self._whole(key, value, 2**31 - 1),) * count
        if len(value) != count:  # get_key_or_arr, llama.cpp src/llama-model-loader.cpp (0c1e57098), refuses it too
            raise Malformed(f"{self._full(key)} has {len(value)} entries for {count} layers", file=self.file)
        return tuple(self._whole(key, item, 2**31 - 1) for item in value)

    def flags(self, key: str, count: int) -> tuple[bool, ...] | None:
        """One truth value a layer from an array, None where the key is absent.

        Raises:
            Malformed: an array of another length, or not of truth values.
        """
        return tuple(bool(item) for item in self.per_layer(key, count)) if self.has(key) else None

    def flag(self, key: str, default: bool) -> bool:
        """A truth value."""
        value = self.values.get(self._full(key), default)
        if not isinstance(value, (bool, int)):
            raise Malformed(f"{self._full(key)} is {value!r}, not true or false", file=self.file)
        return bool(value)

    def text(self, key: str, default: str = "") -> str:
        """A string, by its full key (``general.name``)."""
        value = self.values.get(key, default)
        return value if isinstance(value, str) else default

    def vocabulary_tokens(self) -> int:
        """Rows of the token embedding: the tokenizer's tokens where they are listed, else ``vocab_size``.

        Raises:
            Malformed: neither is there.
        """
        tokens = self.values.get("tokenizer.ggml.tokens")
        if tokens is not None and not isinstance(tokens, (str, int, float)):
            return len(tokens)
        return self.integer("vocab_size", least=1)

    def malformed(self, key: str, complaint: str) -> Malformed:
        """The error for a value that contradicts the others: ``raise meta.malformed("block_count", "is 0")``."""
        return Malformed(f"{self._full(key)} {complaint}", file=self.file)

    def layer_count(self) -> int:
        """``block_count``, next-token-prediction layers included; from 1 to what the engine holds."""
        count = self.integer("block_count", most=MOST_LAYERS)
        if count == 0:
            raise Malformed(f"{self._full('block_count')} is 0", file=self.file)
        return count

    def _missing(self, key: str) -> Malformed:
        return Malformed(
            f"{self._full(key)} is missing", file=self.file, hint="the file was not converted for llama.cpp"
        )

    def _full(self, key: str) -> str:
        return f"{self.architecture}.{key}"

    def _whole(self, key: str, value: object, most: int) -> int:
        if isinstance(value, bool):
            return int(value)
        if not isinstance(value, int) or not 0 <= value <= most:
            raise Malformed(f"{self._full(key)} is {value!r}, expected a whole number from 0 to {most}", file=self.file)
        return value
