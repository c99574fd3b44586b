"""A MiMo of 1.5B, which lists of models for the edge name."""

from memfit.model.announced._announced import Announced

MODEL = Announced(
    name="MiMo-1.5B",
    published=False,
    why="has not been published: Xiaomi's smallest language model is MiMo-7B",
    source="README of github.com/XiaomiMiMo/MiMo, which lists the 7B alone",
)
