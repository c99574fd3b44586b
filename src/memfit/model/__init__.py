"""A model's shape: read from headers and configs only, or from the card of a well-known model."""

from memfit.model.find import find_card, find_model
from memfit.model.read import in_preset, read_shape
from memfit.model.shape import Layer, ModelShape, Tensor, Tokenizer

__all__ = ["Layer", "ModelShape", "Tensor", "Tokenizer", "find_card", "find_model", "in_preset", "read_shape"]
