"""A server that answers like an OpenAI-compatible one, or badly, as its second argument says.

Run as a script: PORT BEHAVIOUR, where a behaviour is one or several words:
``ok``, ``loading`` (503 at first), ``unready`` (503 for ever), ``sick`` (500 to /health), ``500``, ``garbage`` (no
HTTP), ``nonsense`` (a stream of no JSON), ``cut`` (ends in the middle), ``dies`` (with its process), ``hangs`` (in the
answer), ``plain`` (takes no token ids and no fields of llama.cpp), ``picky`` (takes nothing), ``fails`` (an error
event), ``keyed`` (wants a key), ``nohealth`` (knows no /health).
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BEHAVIOUR = set(sys.argv[2].split())
BEGAN = time.monotonic()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if "keyed" in BEHAVIOUR and self.path != "/health" and self.headers.get("Authorization") != "Bearer secret":
            return self.answer(401, {"error": {"message": "Invalid API Key"}})
        if self.path == "/health":
            if "nohealth" in BEHAVIOUR:
                return self.answer(404, {"error": {"message": "File Not Found"}})
            if "sick" in BEHAVIOUR:
                return self.answer(500, {"error": {"message": "no slot left"}})
            if "unready" in BEHAVIOUR or ("loading" in BEHAVIOUR and time.monotonic() < BEGAN + 0.5):
                return self.answer(503, {"error": {"message": "Loading model"}})
            return self.answer(200, {"status": "ok"})
        return self.answer(200, {"data": [{"id": "the-model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        os.write(1, f"asked {json.dumps(body)}\n".encode())  # in one piece, whoever else writes
        if "500" in BEHAVIOUR:
            return self.answer(500, {"error": {"message": "compute error"}})
        if "picky" in BEHAVIOUR or (
            "plain" in BEHAVIOUR and (isinstance(body["prompt"], list) or "ignore_eos" in body)
        ):
            return self.answer(400, {"error": {"message": "unknown field"}})
        if "keyed" in BEHAVIOUR and self.headers.get("Authorization") != "Bearer secret":
            return self.answer(401, {"error": {"message": "Invalid API Key"}})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for number in range(body["max_tokens"]):
            if number == 2 and self.misbehaves():
                return None
            self.event({"choices": [{"text": " a", "finish_reason": None}], "system_fingerprint": "b1-abcdef0"})
            time.sleep(0.02)
        usage = {"prompt_tokens": 6, "completion_tokens": body["max_tokens"]}
        self.event({"choices": [{"text": "", "finish_reason": "length"}], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")
        return None

    def misbehaves(self) -> bool:
        if "nonsense" in BEHAVIOUR:
            self.wfile.write(b"data: {not json\n\n")
        if "fails" in BEHAVIOUR:
            self.event({"error": {"message": "context is full"}})
        if "hangs" in BEHAVIOUR:
            time.sleep(600)
        if "dies" in BEHAVIOUR:
            sys.stderr.write("ggml_abort: it is over\n")
            os._exit(3)
        if "cut" in BEHAVIOUR:
            self.connection.shutdown(socket.SHUT_RDWR)
        return "cut" in BEHAVIOUR

    def event(self, content: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(content).encode() + b"\n\n")

    def answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Garbage(BaseHTTPRequestHandler):
    def handle(self) -> None:
        self.connection.recv(4096)
        self.connection.sendall(b"\x00\x01\x02 SSH-2.0-what\r\n\r\n")


def main() -> None:
    print("load_tensors:   CPU_Mapped model buffer size =    11.01 MiB", flush=True)
    handler = Garbage if "garbage" in BEHAVIOUR else Handler
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()


if __name__ == "__main__":
    main()
