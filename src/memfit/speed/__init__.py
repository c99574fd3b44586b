"""How fast a deployment runs: one roofline for every engine, anchored on published measurements of boards.

``predict`` is the way in. ``anchors`` holds what was published, ``efficiency`` what a fit makes of it, ``touched``
counts a step's bytes, ``machine`` knows a board's clocks, ``roofline`` puts them together; ``traffic`` counts what
fusing spares and ``speculative`` what a draft model brings.
"""

from memfit.speed.machine import machine_of
from memfit.speed.predict import predict
from memfit.speed.records import Machine, Measured, Speed, SpeedRange, Touched
from memfit.speed.touched import touched

__all__ = ["Machine", "Measured", "Speed", "SpeedRange", "Touched", "machine_of", "predict", "touched"]
