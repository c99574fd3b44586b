"""A Mixtral of 8x0.5B, which lists of models for the edge name as a wish."""

from memfit.model.announced._announced import Announced

MODEL = Announced(
    name="Mixtral-8x0.5B",
    published=False,
    why="is a wish and no model: Mistral AI has published Mixtral 8x7B and 8x22B",
    source="announcements of Mixtral 8x7B (December 2023) and 8x22B (April 2024)",
    aliases=("Mixtral 8x0.5B (hypothetical)",),
)
