"""What the readers of recurrent and hybrid models share."""

from __future__ import annotations

from memfit.model.configs._section import Section
from memfit.model.metadata import Value

# models without positions run at any length; conversions write this (set_gguf_parameters of MambaModel, llama.cpp
# conversion/mamba.py @ 0c1e57098)
ANY_CONTEXT_TOKENS = 2**20


def inner_size(config: Section, name: str, width: int) -> int:
    """Width of the mixer: ``expand`` times the hidden state, which may be a fraction.

    Raises:
        Malformed: no number, or nothing is left.
    """
    inner = int(config.number(name, 2.0, most=1024.0) * width)
    if inner < 1:
        raise config.malformed(name, "leaves the mixer no width")
    return inner


def time_step_rank(config: Section, name: str, width: int) -> int:
    """Rank of Mamba 1's time step; ``auto`` is a sixteenth of the width.

    Raises:
        Malformed: neither ``auto`` nor a whole number.
    """
    if config.values.get(name) == "auto":
        return -(-width // 16)
    return config.integer(name, default=-(-width // 16))


def mamba2_fields(
    config: Section,
    *,
    inner: int,
    heads: tuple[str, int],
    head: tuple[str, int | None],
    groups: tuple[str, int],
    state: tuple[str, int],
    taps: tuple[str, int],
) -> dict[str, Value]:
    """A Mamba 2 mixer's sizes with ``__`` for the dot of their GGUF keys.

    Args:
        config: the section.
        inner: width of the mixer.
        heads: name and default of the field.
        head: the same; a default of None, absent or ``auto`` is what the heads leave.
        groups: the same.
        state: the same.
        taps: the same.

    Raises:
        Malformed: a field is of the wrong kind, or heads times their length are not the width.
    """
    count = config.integer(heads[0], default=heads[1])
    if inner % count:
        raise config.malformed(heads[0], f"is {count}, which does not divide the mixer's width {inner}")
    stated = None if config.values.get(head[0]) in ("auto", None) else config.integer(head[0])
    length = stated or head[1]
    if length is not None and length * count != inner:
        raise config.malformed(head[0], f"is {length}: {count} heads of it are not the mixer's width {inner}")
    group = config.integer(groups[0], default=groups[1])
    if inner % group:
        raise config.malformed(groups[0], f"is {group}, which does not divide the mixer's width {inner}")
    return {
        "ssm__conv_kernel": config.integer(taps[0], default=taps[1]),
        "ssm__inner_size": inner,
        "ssm__state_size": config.integer(state[0], default=state[1]),
        "ssm__time_step_rank": count,
        "ssm__group_count": group,
    }


def state_biases(config: Section, name: str) -> tuple[str, ...]:
    """The mixer's matrices that a flag gives a bias.

    Raises:
        Malformed: not a truth value.
    """
    return ("ssm_in", "ssm_out") if config.flag(name) else ()


def no_convolution_bias(config: Section, name: str) -> tuple[str, ...]:
    """What is absent where a flag takes the convolution its bias.

    Raises:
        Malformed: not a truth value.
    """
    return () if config.flag(name, default=True) else ("ssm_conv1d.bias",)
