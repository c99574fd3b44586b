"""A model with fewer layers: the same widths and vocabulary, at a fraction of the size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from memfit.errors import UsageError
from memfit.model.metadata import Value
from memfit.model.shape import ModelShape, Tensor
from memfit.precision.formats import FORMATS

# counts of layers, kept in proportion: how many at the end read the cache of others
_SHARES = ("attention.shared_kv_layers",)
# counts of layers at the start, which stay as they are where they fit; of the second kind there is always one more
# layer, as the engine drops rows in the last (src/models/qwen3vl.cpp, llama.cpp 0c1e57098)
_AT_START = {"leading_dense_block_count": 0, "n_deepstack_layers": 1}
# an array of four that has nothing to do with layers
_NOT_BY_LAYER = ("rope.dimension_sections",)
# tensors outside the layers with one share for each of them, side by side in this dimension
_BY_LAYER = {"per_layer_token_embd.weight": 0, "per_layer_model_proj.weight": 1}
_BLOCK = re.compile(r"(.*?\bblk\.)(\d+)(\..*)")


def fewest_layers(shape: ModelShape) -> int:
    """How many of the first layers there must be for the engine to run the model.

    One made of layers with a state and layers with attention needs one of each: the engine makes a cache for both, and
    aborts where one of them is empty.
    """
    if shape.memory != "hybrid":
        return 1
    trunk = shape.trunk
    attention = next((index for index, layer in enumerate(trunk) if layer.cache_of is not None), 0)
    state = next((index for index, layer in enumerate(trunk) if layer.state_elements or layer.convolution_elements), 0)
    return max(attention, state) + 1


class Shortening:
    """What becomes of metadata and tensors when only the first ``layers`` of the trunk stay.

    Layers that predict further tokens (``nextn``), which come after the trunk, stay too and move up behind it.

    Args:
        values: whole GGUF keys with their values; arrays with one entry a layer among them.
        architecture: the prefix of its keys.
        layers: how many of the trunk stay.

    Raises:
        UsageError: there are not so many, or the header does not say how many there are.
    """

    def __init__(self, values: Mapping[str, Value], architecture: str, layers: int) -> None:
        self._prefix = f"{architecture}."
        self._values = values
        count = self._count("block_count")
        self.next_token_layers = self._count("nextn_predict_layers")
        self.trunk = count - self.next_token_layers
        if count == 0:
            raise UsageError("the header does not say how many layers the model has", hint="leave out --layers")
        if not 1 <= layers <= self.trunk:
            raise UsageError(f"--layers {layers}: the model has {self.trunk}", hint=f"1 to {self.trunk}")
        self.layers = layers

    def metadata(self) -> dict[str, Value]:
        """The keys whose values change."""
        whole = self.trunk + self.next_token_layers
        changed: dict[str, Value] = {f"{self._prefix}block_count": self.layers + self.next_token_layers}
        for key, value in self._values.items():
            name = key.removeprefix(self._prefix)
            if name == key or name in _NOT_BY_LAYER:
                continue
            if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == whole:
                changed[key] = [*value[: self.layers], *value[self.trunk :]]
            elif name in _SHARES and isinstance(value, int):
                changed[key] = value * self.layers // self.trunk
            elif name in _AT_START and isinstance(value, int):
                changed[key] = min(value, self.layers - _AT_START[name])
        return changed

    def tensors(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """The tensors that stay, those of moved layers under their new names."""
        kept = []
        for tensor in tensors:
            match = _BLOCK.fullmatch(tensor.name)
            index = int(match.group(2)) if match else -1
            if tensor.name in _BY_LAYER:
                kept.append(self._narrowed(tensor))
            elif match is None or index < self.layers:
                kept.append(tensor)
            elif index >= self.trunk:
                name = f"{match.group(1)}{index - self.trunk + self.layers}{match.group(3)}"
                kept.append(Tensor(name, tensor.dims, tensor.format, tensor.bytes))
        return kept

    def _narrowed(self, tensor: Tensor) -> Tensor:
        sizes = list(tensor.dims)
        at = _BY_LAYER[tensor.name]
        sizes[at] = sizes[at] * (self.layers + self.next_token_layers) // (self.trunk + self.next_token_layers)
        dims = tuple(sizes)
        return Tensor(tensor.name, dims, tensor.format, FORMATS.get(tensor.format).tensor_bytes(dims))

    def _count(self, name: str) -> int:
        value = self._values.get(f"{self._prefix}{name}", 0)
        return value if isinstance(value, int) else 0
