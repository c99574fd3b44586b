"""Jetson Linux, JetPack, CUDA, TensorRT and cuDNN."""

from __future__ import annotations

from memfit.device.facts._fact import Fact
from memfit.device.release import PATHS, read_release

FACT = Fact(paths=PATHS, read=read_release, provides="releases of Jetson Linux, JetPack and its libraries")
