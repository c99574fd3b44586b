"""Time hf-mem's parser on a file as its command would fetch it; prints import and reading in ms.

The command fetches the first megabyte and doubles that until the header is whole; so does this, from disk.
"""

import importlib
import sys
import time
from pathlib import Path

start = time.perf_counter()
fetch = importlib.import_module("hf_mem.gguf.fetch")
metadata = importlib.import_module("hf_mem.gguf.metadata")
imported = time.perf_counter()
size = fetch._INITIAL_FETCH_SIZE
with Path(sys.argv[1]).open("rb") as file:
    while True:
        file.seek(0)
        try:
            metadata.parse_gguf_metadata(raw_metadata=file.read(size + 1), experimental=True, max_model_len=8192)
            break
        except (fetch.struct.error, UnicodeDecodeError):
            size *= 2
end = time.perf_counter()
print((imported - start) * 1e3, (end - imported) * 1e3)
