"""PyTorch."""

from memfit.device.compatibility.engines._support import CONTAINERS, Rule, Support

_FILE = f"{CONTAINERS} packages/pytorch/config.py (0b3d071b)"
_FORUM = "NVIDIA developer forum, 'PyTorch for Jetson' and 'JetPack 6.1: install PyTorch 2.5.1'"

SUPPORT = Support(
    engine="PyTorch",
    rules=(
        Rule(
            since="39.2",
            capability="8.7",
            runs=True,
            minimum_version="2.12",
            reason="a wheel for Python 3.12 and CUDA 13",
            source="Shattered217/Jetson-Orin-Wheels, verified on an Orin NX with R39.2.0",
        ),
        Rule(
            since="36.4",
            before="38.0",
            runs=True,
            minimum_version="2.4",
            reason="wheels for CUDA 12.6 (pypi.jetson-ai-lab); those of JetPack 6.0 ask for cuDNN 8",
            source=_FORUM,
        ),
        Rule(
            since="36.0",
            before="36.4",
            runs=True,
            minimum_version="2.1",
            reason="wheels for CUDA 12.2",
            source=f"{_FILE}; {_FORUM}",
        ),
        Rule(
            since="35.0",
            before="36.0",
            runs=True,
            minimum_version="1.11",
            reason="wheels for Python 3.8, up to 2.1",
            source=f"{_FILE}; {_FORUM}",
        ),
        Rule(
            since="32.0",
            before="33.0",
            runs=True,
            minimum_version="1.9",
            reason="wheels for Python 3.6, up to 1.10",
            source=_FILE,
        ),
    ),
)
