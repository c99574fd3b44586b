"""Try the installed llama.cpp once: does a model compute on this machine?

    python tools/try_engine.py

Exit code 0: it does. 1: the engine's process was ended by a signal. A build made for this processor uses AMX where the
processor shows it, and on some virtual machines those instructions fault: the Makefile then builds it again without.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from memfit.engine import Deployment, Options
from memfit.engine.records import Workload
from memfit.engine.runtimes import ENGINES
from memfit.model.fabricate import fabricate

MODEL = Path(__file__).resolve().parents[1] / "models/memfit-tiny/memfit-tiny-F16.gguf"
FORMAT = "Q4_0"  # F16 weights are multiplied without the instructions that fault
_PHASES = 100  # each waits for a line of input


def main() -> int:
    """Load a quantized model of the shipped one's shape, compute a prompt and two tokens."""
    with tempfile.TemporaryDirectory(prefix="memfit-") as folder:
        model = Path(folder) / "model.gguf"
        fabricate(str(MODEL), model, format=FORMAT, vocabulary="none")
        done = _run(model)
    if done.returncode >= 0:
        return 0
    print(f"the engine's process was ended by signal {-done.returncode}", file=sys.stderr)
    return 1


def _run(model: Path) -> subprocess.CompletedProcess[bytes]:
    options = Options(context_tokens=256, batch_tokens=64, ubatch_tokens=64)
    start = ENGINES.get("llama_cpp").start(
        Deployment(model=str(model), options=options), "library", Workload(prompt_tokens=64, generate_tokens=2)
    )
    return subprocess.run(
        start.words,
        input=start.job + b"\n" * _PHASES,
        env={**os.environ, **start.environment},
        capture_output=True,
        timeout=120,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
