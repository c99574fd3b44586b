"""Decode token after token until standard input closes, then print when each one was ready (monotonic clock).

python decode_tokens.py MODEL THREADS
"""

from __future__ import annotations

import os
import sys
import threading
import time
from array import array

from llama_cpp import Llama

CONTEXT = 256


def main() -> None:
    """Load, say so, decode; nothing is written meanwhile."""
    path, threads = sys.argv[1], int(sys.argv[2])
    model = Llama(path, n_ctx=CONTEXT, n_batch=32, n_threads=threads, n_threads_batch=threads, verbose=False)
    model.eval([1] * 8)
    print("ready", flush=True)
    ended = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    ready_s = array("d")
    while not ended.is_set():
        if model.n_tokens >= CONTEXT - 1:
            model.n_tokens = 0  # as its `reset`
            model.eval([1] * 8)
        model.eval([2])
        ready_s.append(time.monotonic())
    sys.stdout.buffer.write(ready_s.tobytes())
    sys.stdout.flush()
    os._exit(0)  # the engine's own end has nothing to do with decoding


if __name__ == "__main__":
    main()
