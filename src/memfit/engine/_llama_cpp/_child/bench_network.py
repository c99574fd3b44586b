"""A layer of a llama-like network forward and backward: that of llama.cpp's ``src/models/llama.cpp``, ``qwen2.cpp`` and
``qwen3.cpp`` (0c1e57098), a window at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Network(NamedTuple):
    """What of a network is not in its weights; see ``memfit.search.network``."""

    layers: int
    heads: int
    kv_heads: int
    rope_channels: int
    rope_base: float
    neox: bool
    epsilon: float


class Seen(NamedTuple):
    """What some matrices were multiplied with, (tokens, columns), and gradients at what each gave."""

    rows: Any
    slopes: dict[str, Any]


class _Step(NamedTuple):
    """One layer's forward pass of one window, with what going back needs."""

    y: Any
    y_kept: Any
    q: Any
    k: Any
    v: Any
    q_kept: Any
    k_kept: Any
    p: Any
    o: Any
    z: Any
    z_kept: Any
    gate: Any
    up: Any
    out: Any


class Block:
    def __init__(self, net: Network, weights: dict[str, Any]) -> None:
        self._net, self._w = net, weights

    def forward(self, x: Any, turn: Any) -> _Step:
        """One window, (tokens, width)."""
        net, w = self._net, self._w
        y, y_kept = normed(x, w["attn_norm.weight"], net.epsilon)
        q, q_kept = self._heads("attn_q", y, net.heads)
        k, k_kept = self._heads("attn_k", y, net.kv_heads)
        v = _split(self._linear("attn_v", y), net.kv_heads)
        q, k = _turned(q, turn, net.neox), _turned(k, turn, net.neox)
        tokens = len(x)
        stacked = q.reshape(net.kv_heads, -1, q.shape[-1])  # (kv heads, heads of each * tokens, channels)
        scores = (stacked @ k.transpose(0, 2, 1)).reshape(net.heads, tokens, tokens) * np.float32(q.shape[-1] ** -0.5)
        scores += np.triu(np.full((tokens, tokens), -np.inf, scores.dtype), 1)
        scores -= scores.max(axis=2, keepdims=True)
        p = np.exp(scores, out=scores)
        p /= p.sum(axis=2, keepdims=True)
        o = _joined((p.reshape(net.kv_heads, -1, tokens) @ v).reshape(net.heads, tokens, -1))
        middle = x + self._linear("attn_output", o)
        z, z_kept = normed(middle, w["ffn_norm.weight"], net.epsilon)
        gate, up = self._linear("ffn_gate", z), self._linear("ffn_up", z)
        out = middle + self._linear("ffn_down", gate * _sigmoid(gate) * up)
        return _Step(y, y_kept, q, k, v, q_kept, k_kept, p, o, z, z_kept, gate, up, out)

    def backward(self, x: Any, slope: Any, turn: Any) -> tuple[Any, list[Seen]]:
        """The gradient at ``x`` from that at what the layer makes of it, and what was seen at its matrices."""
        net, w, step = self._net, self._w, self.forward(x, turn)
        sigmoid = _sigmoid(step.gate)
        inner = step.gate * sigmoid
        found = [Seen(inner * step.up, {"ffn_down": slope})]
        across = slope @ w["ffn_down.weight"]
        at_up, at_gate = across * inner, across * step.up * (sigmoid + inner * (1 - sigmoid))
        found.append(Seen(step.z, {"ffn_gate": at_gate, "ffn_up": at_up}))
        across = at_gate @ w["ffn_gate.weight"] + at_up @ w["ffn_up.weight"]
        slope = slope + unnormed(across, w["ffn_norm.weight"], step.z_kept)
        found.append(Seen(step.o, {"attn_output": slope}))
        across = _split(slope @ w["attn_output.weight"], net.heads)
        tokens = len(x)
        grouped = (net.kv_heads, -1, tokens)
        at_v = step.p.reshape(grouped).transpose(0, 2, 1) @ across.reshape(net.kv_heads, -1, across.shape[-1])
        at_p = (across.reshape(net.kv_heads, -1, across.shape[-1]) @ step.v.transpose(0, 2, 1)).reshape(step.p.shape)
        at_p -= np.einsum("hij,hij->hi", at_p, step.p)[:, :, None]
        at_p *= step.p * np.float32(step.q.shape[-1] ** -0.5)
        at_q = (at_p.reshape(grouped) @ step.k).reshape(step.q.shape)
        at_k = at_p.reshape(grouped).transpose(0, 2, 1) @ step.q.reshape(net.kv_heads, -1, step.q.shape[-1])
        back = np.stack([turn[0], -turn[1]])
        slopes = {
            "attn_q": self._unheaded("attn_q", _turned(at_q, back, net.neox), step.q_kept),
            "attn_k": self._unheaded("attn_k", _turned(at_k, back, net.neox), step.k_kept),
            "attn_v": _joined(at_v),
        }
        found.append(Seen(step.y, slopes))
        across = sum(rows @ w[f"{name}.weight"] for name, rows in slopes.items())
        return slope + unnormed(across, w["attn_norm.weight"], step.y_kept), found

    def _linear(self, name: str, x: Any) -> Any:
        y = x @ self._w[f"{name}.weight"].T
        return y + self._w[f"{name}.bias"] if f"{name}.bias" in self._w else y

    def _heads(self, name: str, y: Any, count: int) -> tuple[Any, Any]:
        """(heads, tokens, channels), normed where the architecture does so."""
        split = _split(self._linear(name, y), count)
        scale = self._w.get(f"{name}_norm.weight")
        return (split, None) if scale is None else normed(split, scale, self._net.epsilon)

    def _unheaded(self, name: str, slope: Any, kept: Any) -> Any:
        return _joined(slope if kept is None else unnormed(slope, self._w[f"{name}_norm.weight"], kept))


def _split(x: Any, count: int) -> Any:
    return np.ascontiguousarray(x.reshape(len(x), count, -1).transpose(1, 0, 2))


def _joined(x: Any) -> Any:
    return np.ascontiguousarray(x.transpose(1, 0, 2)).reshape(x.shape[1], -1)


def _sigmoid(x: Any) -> Any:
    found = np.maximum(np.minimum(-x, 80), -80)
    np.exp(found, out=found)
    found += 1
    return np.divide(1, found, out=found)


def normed(x: Any, scale: Any, epsilon: float) -> tuple[Any, Any]:
    """A root-mean-square norm, and what its gradient needs."""
    inverse = 1 / np.sqrt(np.einsum("...i,...i->...", x, x)[..., None] / x.shape[-1] + np.float32(epsilon))
    unit = x * inverse
    return unit * scale, (unit, inverse)


def unnormed(slope: Any, scale: Any, kept: Any) -> Any:
    unit, inverse = kept
    scaled = slope * scale
    return (scaled - unit * (scaled * unit).mean(axis=-1, keepdims=True)) * inverse


def rotation(net: Network, factors: Any, tokens: int) -> Any:
    """Cosines and sines, (2, tokens, rope_channels / 2)."""
    pairs = np.arange(0, net.rope_channels, 2)
    frequency = net.rope_base ** (-pairs / net.rope_channels)
    angle = np.outer(np.arange(tokens), frequency if factors is None else frequency / factors)
    return np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def _turned(x: Any, turn: Any, neox: bool) -> Any:
    """Channels of (heads, tokens, channels) by the angle of their position; those beyond stay."""
    half = turn.shape[-1]
    spans = (slice(half), slice(half, 2 * half)) if neox else (slice(0, 2 * half, 2), slice(1, 2 * half, 2))
    one, other = (x[..., span] for span in spans)
    turned = x.copy()
    turned[..., spans[0]] = one * turn[0] - other * turn[1]
    turned[..., spans[1]] = one * turn[1] + other * turn[0]
    return turned
