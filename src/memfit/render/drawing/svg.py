"""Any picture as vectors, and the style sheet that colours it."""

from __future__ import annotations

from memfit.render.document import HeatMap, MemoryMap, Picture, Scatter, Timeline, Waterfall
from memfit.render.drawing.curve_plot import draw_curve_plot
from memfit.render.drawing.heat import draw_heat_map
from memfit.render.drawing.memory_map import draw_memory_map
from memfit.render.drawing.scatter import draw_scatter
from memfit.render.drawing.timeline import draw_timeline
from memfit.render.drawing.vector import Drawing
from memfit.render.drawing.waterfall import draw_waterfall


def draw_vector(picture: Picture, width: float, key: str) -> Drawing:
    """The elements of a picture ``width`` units wide (300 or more); ``key`` is unique in its file."""
    if isinstance(picture, Waterfall):
        return draw_waterfall(picture, width, key)
    if isinstance(picture, MemoryMap):
        return draw_memory_map(picture, width, key)
    if isinstance(picture, Timeline):
        return draw_timeline(picture, width, key)
    if isinstance(picture, Scatter):
        return draw_scatter(picture, width, key)
    if isinstance(picture, HeatMap):
        return draw_heat_map(picture, width, key)
    return draw_curve_plot(picture, width, key)
