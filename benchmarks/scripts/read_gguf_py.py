"""Time gguf-py's ``GGUFReader`` on a file; prints import and reading in ms."""

import importlib
import sys
import time

start = time.perf_counter()
gguf = importlib.import_module("gguf")
imported = time.perf_counter()
gguf.GGUFReader(sys.argv[1])
end = time.perf_counter()
print((imported - start) * 1e3, (end - imported) * 1e3)
