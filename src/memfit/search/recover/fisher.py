"""What each format is expected to cost on each tensor, from gradients instead of probes.

For small changes KL(base || changed) = 1/2 sum over weights of F (change)^2, with F the diagonal of the Fisher
information (Kullback, Information Theory and Statistics, 1959, section 2.6). F is the mean square of the gradient of
log p(token) over tokens that the model itself would draw; over a window the gradients of its tokens are added before
they are squared, as those of different tokens do not correlate. One backward pass a window serves all formats, where a
probe serves one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  (torch's own spelling)

from memfit.engine.ggml import Codec
from memfit.search.recover.network import Network, Weights
from memfit.search.recover.quantizer import quantizers


def information(network: Network, weights: Weights, windows: torch.Tensor, *, seed: int = 0) -> dict[str, torch.Tensor]:
    """The diagonal of the Fisher information a token, by matrix, in the shape of its weights.

    Args:
        network: of the model.
        weights: of the model.
        windows: ids, (windows, tokens).
        seed: of the tokens that are drawn.
    """
    own = {name: weight.detach().requires_grad_(weight.ndim > 1) for name, weight in weights.items()}
    matrices = [name for name, weight in own.items() if weight.requires_grad]
    sums = {name: torch.zeros_like(own[name]) for name in matrices}
    generator = torch.Generator(device=windows.device).manual_seed(seed)
    for window in windows:
        logits = network.logits(own, network.hidden(own, window[None]))[0]
        drawn = torch.multinomial(logits.detach().softmax(-1), 1, generator=generator)[:, 0]
        loss = F.cross_entropy(logits, drawn, reduction="sum")
        for name, gradient in zip(matrices, torch.autograd.grad(loss, [own[name] for name in matrices]), strict=True):
            sums[name] += gradient.square() / windows.numel()
    return sums


def expected(
    found: Mapping[str, torch.Tensor],
    weights: Weights,
    codec: Codec,
    formats: Sequence[str],
    importances: Mapping[str, Any],
) -> Iterator[tuple[str, str, float]]:
    """Tensor, format, and the nats a token that it is expected to cost there.

    Args:
        found: ``information``.
        weights: of the model.
        codec: ggml's formats.
        formats: whose blocks divide the rows of every tensor.
        importances: of columns, by tensor.
    """
    for name, diagonal in found.items():
        for format in formats:
            changed = quantizers(codec, {name: format}, importances)[name].refresh(weights[name])
            yield name, format, 0.5 * float((diagonal * (changed - weights[name]).square()).sum())
