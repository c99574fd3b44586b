"""How fast a deployment runs: one roofline for every engine, anchored on published measurements of boards.

``predict`` is the way in; for many models and contexts ``profile`` a model and find a ``setting_of`` once, and ask
``predict_on``, or ``decode_over_depths``. ``anchors`` holds what was published, ``efficiency`` what a fit makes of it,
``touched`` counts a step's bytes, ``machine`` knows a board's clocks, ``roofline`` puts them together; ``traffic``
counts what fusing spares, ``vocabulary`` tells who drafts for whom and ``speculative`` what that brings.
"""

from memfit.speed.machine import machine_of
from memfit.speed.predict import Setting, decode_over_depths, predict, predict_on, setting_of
from memfit.speed.records import Machine, Measured, Speed, SpeedRange, Touched
from memfit.speed.touched import Profile, profile, touched

__all__ = [
    "Machine",
    "Measured",
    "Profile",
    "Setting",
    "Speed",
    "SpeedRange",
    "Touched",
    "decode_over_depths",
    "machine_of",
    "predict",
    "predict_on",
    "profile",
    "setting_of",
    "touched",
]
