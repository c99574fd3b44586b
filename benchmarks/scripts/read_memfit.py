"""Time ``read_shards`` (cold) or ``read_shape`` (argument ``shape``) on a file; prints import and reading in ms."""

import sys
import time

path, what = sys.argv[1:]
start = time.perf_counter()
if what == "shape":
    from memfit.model import read_shape as read
else:
    from memfit.model.gguf import read_shards as read  # type: ignore[assignment]
imported = time.perf_counter()
read(path)
end = time.perf_counter()
print((imported - start) * 1e3, (end - imported) * 1e3)
