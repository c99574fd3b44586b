"""Run hf-mem's own command on a file of this disk: its requests to the Hub are answered here, without a network.

Arguments: the file, then the command's own. hf-mem reads models on the Hub only; this lets its own work be measured.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

path = Path(sys.argv[1])
httpx2: Any = importlib.import_module("httpx2")


class Hub(httpx2.AsyncBaseTransport):  # type: ignore[misc]
    """A Hub with one repository that holds one file."""

    async def handle_async_request(self, request: Any) -> Any:
        """The list of files, or a range of the file."""
        if "/api/models/" in str(request.url):
            return httpx2.Response(200, json=[{"type": "file", "path": path.name}], request=request)
        last = int(request.headers["range"].split("-")[1])
        with path.open("rb") as file:
            return httpx2.Response(206, content=file.read(last + 1), request=request)


class Client(httpx2.AsyncClient):  # type: ignore[misc]
    """A client that knows no other Hub."""

    def __init__(self, **_: Any) -> None:
        super().__init__(transport=Hub())


httpx2.AsyncClient = Client
sys.argv = ["hf-mem", "--model-id", "local/model", "--gguf-file", path.name, *sys.argv[2:]]
importlib.import_module("hf_mem.cli").main()
