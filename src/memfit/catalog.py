"""The law of variants: in a catalog folder one public file is one variant and exports one constant.

The file's name is the key; files that begin with ``_`` are machinery. Nothing is registered by hand, and listing the
keys imports nothing.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from memfit.errors import UnknownName

T = TypeVar("T")


class Catalog(Generic[T]):
    """The variants of one folder, each imported when it is first asked for.

    Args:
        package: dotted name of the folder, ``"memfit.precision.formats"``.
        folder: where it lies, ``Path(__file__).parent`` of the package.
        constant: the name every variant exports, ``"FORMAT"``.
        kind: what a variant is called in messages, ``"format"``.
        type: the class of the constant, checked on load.
    """

    def __init__(self, package: str, folder: Path, *, constant: str, kind: str, type: type[T]) -> None:
        self._package = package
        self._folder = folder
        self._constant = constant
        self._kind = kind
        self._type = type
        self._loaded: dict[str, T] = {}
        self._asked: dict[
            str, T
        ] = {}  # by the name as written: one footprint asks for the same format a thousand times
        self._keys: tuple[str, ...] | None = None
        self._aliases: dict[str, str] | None = None

    def keys(self) -> tuple[str, ...]:
        """The file names, sorted; imports none of them."""
        if self._keys is None:
            self._keys = tuple(sorted(path.stem for path in self._folder.glob("*.py") if not path.name.startswith("_")))
        return self._keys

    def get(self, name: str) -> T:
        """The variant of this key or alias, whatever its case and punctuation.

        Raises:
            UnknownName: no file and no alias of that name; the hint names the nearest.
        """
        if (known := self._asked.get(name)) is not None:
            return known
        return self._asked.setdefault(name, self._load(self.key(name)))

    def key(self, name: str) -> str:
        """The key that this key or alias stands for.

        Raises:
            UnknownName: as ``get``.
        """
        key = fold(name)
        if key not in self.keys():
            aliases = self._alias_table()
            if key not in aliases:
                raise UnknownName(self._kind, name, self.keys())
            key = aliases[key]
        return key

    def __contains__(self, name: str) -> bool:
        key = fold(name)
        return key in self.keys() or key in self._alias_table()

    def __iter__(self) -> Iterator[T]:
        return (self._load(key) for key in self.keys())

    def items(self) -> Iterator[tuple[str, T]]:
        """Every key with its variant."""
        return ((key, self._load(key)) for key in self.keys())

    def _load(self, key: str) -> T:
        if key not in self._loaded:
            module = importlib.import_module(f"{self._package}.{key}")
            variant = getattr(module, self._constant)
            if not isinstance(variant, self._type):
                raise TypeError(f"{self._package}.{key}.{self._constant} is not a {self._type.__name__}")
            self._loaded[key] = variant
        return self._loaded[key]

    def _alias_table(self) -> dict[str, str]:
        # aliases live in the variants, so the first unknown name pays for importing them all
        if self._aliases is None:
            self._aliases = {
                fold(alias): key for key, variant in self.items() for alias in getattr(variant, "aliases", ())
            }
        return self._aliases


def fold(name: str) -> str:
    """A name as a file may be called: lower case, every run of other characters one underscore."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
