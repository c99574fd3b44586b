"""The record of a quantization method, and fields that several of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memfit.model.configs._section import Section
from memfit.model.quantizations._quantization import Quantization, Strategy

MOST_GROUP = 1 << 20


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        name: the ``quant_method``.
        summary: what it does to weights, in one line.
        source: where its fields and their defaults were read.
        read: the section to the record.
        aliases: other names that mean the same.
    """

    name: str
    summary: str
    source: str
    read: Callable[[Section], Quantization]
    aliases: tuple[str, ...] = ()


def whole_bits(config: Section, *names: str, default: int | None = None, among: tuple[int, ...]) -> int:
    """Bits of one weight, one of those that the method has.

    Raises:
        Malformed: another number, or none without a default.
    """
    bits = config.integer(*names, default=default)
    if bits not in among:
        allowed = ", ".join(str(each) for each in among)
        raise config.malformed(names[0], f"is {bits}, expected one of {allowed}")
    return bits


def grouping(config: Section, *names: str, default: int = 128) -> tuple[Strategy, int | None]:
    """The strategy and the group's size; -1 is one group a row.

    Raises:
        Malformed: 0, or a size that no group has.
    """
    size = config.integer(*names, default=default, least=-1, most=MOST_GROUP)
    if size == 0:
        raise config.malformed(names[0], "is 0, expected -1 for whole rows, or a size")
    return ("channel", None) if size < 0 else ("group", size)


def kept(config: Section, *names: str) -> tuple[str, ...]:
    """The modules that are left as they were.

    Raises:
        Malformed: not a list of strings.
    """
    return config.strings(*names) or ()


def kv_cache(config: Section) -> str | None:
    """The cache's number format by ``kv_cache_scheme``, as compressed-tensors and ModelOpt write it.

    Raises:
        Malformed: a field is of the wrong kind.
    """
    scheme = config.section("kv_cache_scheme")
    if scheme is None:
        return None
    bits = whole_bits(scheme, "num_bits", default=8, among=(4, 8))
    return f"{'FP' if scheme.text('type', 'float') == 'float' else 'INT'}{bits}"
