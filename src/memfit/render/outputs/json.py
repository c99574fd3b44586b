"""The record itself as JSON, two spaces deep, fields in the order of its definition."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from memfit.render.outputs._output import Output, Request


def write(request: Request) -> str:
    """The record, exactly: what is read back from it is equal to it.

    Text that UTF-8 cannot hold (a path with undecodable bytes) is the exception: its lone surrogates become U+FFFD,
    because a file that no other tool can read helps nobody.
    """
    try:
        text = msgspec.json.encode(request.record).decode()
    except UnicodeEncodeError:
        text = json.dumps(_encodable(msgspec.to_builtins(request.record)), ensure_ascii=False)
    return msgspec.json.format(text, indent=2) + "\n"


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, (list, tuple)):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


OUTPUT = Output(suffix=".json", write=write)
