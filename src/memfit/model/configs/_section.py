"""A strict, typed view of a ``config.json``: what is of the wrong kind is an error with file and field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memfit.errors import Malformed

MOST = 2**31 - 1
# more than any model has, and few enough that a hostile file costs no time: LLAMA_MAX_LAYERS (llama.cpp
# src/llama-hparams.h @ 0c1e57098) is the same
MOST_LAYERS = 512
MOST_EXPERTS = 1024  # LLAMA_MAX_EXPERTS, same file
_MOST_SHOWN = 40


class Section:
    """A config, or a section nested in it.

    Fields have the defaults of transformers' config classes, which each reader states. A field may have several names
    (``attribute_map`` of those classes), the first that is there counts.

    Args:
        values: the JSON object.
        file: for messages.
        path: where in the file it stands, ``text_config.``, for messages.
        model_type: what the section is, where it does not say so itself.
        parent: the section around it.
    """

    def __init__(
        self,
        values: Mapping[str, object],
        *,
        file: str | None = None,
        path: str = "",
        model_type: str = "",
        parent: Section | None = None,
    ) -> None:
        self.values = values
        self.file = file
        self.path = path
        self.parent = parent
        self._model_type = model_type

    @property
    def model_type(self) -> str:
        """The ``model_type``, or the one that the surrounding model implies; empty where nobody says."""
        return self.text("model_type") or self._model_type

    def has(self, *names: str) -> bool:
        """Whether the field is there under one of its names and is not null."""
        return any(self.values.get(name) is not None for name in names)

    def integer(self, *names: str, default: int | None = None, least: int = 1, most: int = MOST) -> int:
        """A whole number; absent or null it is ``default``.

        Raises:
            Malformed: absent without default, not a whole number, or out of bounds.
        """
        name, value = self._find(names)
        if value is None:
            if default is None:
                raise self.malformed(names[0], "is missing", hint="the config is not complete: download it again")
            return default
        return self._whole(name, value, least, most)

    def maybe(self, *names: str, default: int | None = None, least: int = 1, most: int = MOST) -> int | None:
        """A whole number for which null has a meaning of its own: absent it is ``default``, null is None.

        Raises:
            Malformed: not a whole number, or out of bounds.
        """
        name, value = self._find(names)
        if name in self.values:
            return None if value is None else self._whole(name, value, least, most)
        return default

    def number(self, name: str, default: float, *, least: float = 0.0, most: float = float(MOST)) -> float:
        """A number.

        Raises:
            Malformed: not a number, or out of bounds.
        """
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise self.malformed(name, f"is {_shown(value)}, expected a number from {least:g} to {most:g}")
        return float(value)

    def flag(self, *names: str, default: bool = False) -> bool:
        """A truth value; null is false.

        Raises:
            Malformed: neither true nor false.
        """
        name, value = self._find(names)
        if value is None:
            return default if name not in self.values else False
        if not isinstance(value, bool):
            raise self.malformed(name, f"is {_shown(value)}, not true or false")
        return value

    def text(self, name: str, default: str = "") -> str:
        """A string.

        Raises:
            Malformed: something else.
        """
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.malformed(name, f"is {_shown(value)}, not a string")
        return value

    def strings(self, *names: str, count: int | None = None) -> tuple[str, ...] | None:
        """A list of strings, of ``count`` where given; None where it is absent.

        Raises:
            Malformed: something else, or of another length.
        """
        name, value = self._find(names)
        if value is None:
            return None
        if (
            not isinstance(value, Sequence)
            or isinstance(value, str)
            or not all(isinstance(item, str) for item in value)
        ):
            raise self.malformed(name, f"is {_shown(value)}, not a list of strings")
        if count is not None and len(value) != count:
            raise self.malformed(name, f"has {len(value)} entries for {count} layers")
        return tuple(value)

    def integers(
        self, *names: str, count: int | None = None, least: int = 0, most: int = MOST
    ) -> tuple[int, ...] | None:
        """A list of whole numbers, of ``count`` where given; None where it is absent.

        Raises:
            Malformed: something else, or of another length.
        """
        name, value = self._find(names)
        if value is None:
            return None
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self.malformed(name, f"is {_shown(value)}, not a list of whole numbers")
        if count is not None and len(value) != count:
            raise self.malformed(name, f"has {len(value)} entries for {count} layers")
        return tuple(self._whole(name, item, least, most) for item in value)

    def is_list(self, name: str) -> bool:
        """Whether the field holds a list."""
        return isinstance(self.values.get(name), Sequence) and not isinstance(self.values.get(name), str)

    def section(self, name: str, model_type: str = "") -> Section | None:
        """The nested section, None where it is absent.

        Raises:
            Malformed: not an object.
        """
        value = self.values.get(name)
        if value is None:
            return None
        return self._nested(name, value, model_type)

    def inner(self, name: str, model_type: str = "") -> Section:
        """The nested section; one with nothing in it, and so with all defaults, where it is absent.

        Raises:
            Malformed: not an object.
        """
        value = self.values.get(name)
        return self._nested(name, {} if value is None else value, model_type)

    def malformed(self, name: str, complaint: str, *, hint: str | None = None) -> Malformed:
        """The error for a field that contradicts others: ``raise config.malformed("head_dim", "is 0")``."""
        return Malformed(f"{self.path}{name} {complaint}", file=self.file, hint=hint)

    def _nested(self, name: str, value: object, model_type: str) -> Section:
        if not isinstance(value, Mapping):
            raise self.malformed(name, f"is {_shown(value)}, not an object")
        return Section(value, file=self.file, path=f"{self.path}{name}.", model_type=model_type, parent=self)

    def _find(self, names: Sequence[str]) -> tuple[str, object]:
        for name in names:
            if self.values.get(name) is not None:
                return name, self.values[name]
        present = next((name for name in names if name in self.values), names[0])
        return present, None

    def _whole(self, name: str, value: object, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.malformed(name, f"is {_shown(value)}, expected a whole number from {least} to {most}")
        return value


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 128:
        return "a whole number of more than 128 bits"  # Python refuses to write out the largest
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
