"""Transfers for the tests of their views: made up, with sizes as real files have them."""

from memfit.host.send import Push, Sent, link_times
from memfit.remote.download import Pull, Pulled

_BYTES = 2_019_377_696
_SHA256 = "6c1a2b41" * 8

PULLED = Pull(
    name="hf://bartowski/Llama-3.2-3B-Instruct-GGUF/Llama-3.2-3B-Instruct-Q4_K_M.gguf",
    files=(
        Pulled(
            path="Llama-3.2-3B-Instruct-Q4_K_M.gguf",
            bytes=_BYTES,
            sha256=_SHA256,
            checked=True,
            fetched_bytes=1_500_000_000,
        ),
    ),
    bytes=_BYTES,
    fetched_bytes=1_500_000_000,
    seconds=30.5,
)

PUSHED = Push(
    model="Llama-3.2-3B-Instruct-Q4_K_M.gguf",
    place="ssh://user@192.168.55.1/opt/models",
    files=(
        Sent(
            path="user@192.168.55.1:/opt/models/Llama-3.2-3B-Instruct-Q4_K_M.gguf",
            bytes=_BYTES,
            sha256=_SHA256,
            sent_bytes=_BYTES,
            seconds=66.9,
        ),
    ),
    bytes=_BYTES,
    links=link_times(_BYTES),
    imported="llama3.2:mine",
)

TO_BE_PUSHED = Push(model=PUSHED.model, place=PUSHED.place, files=(), bytes=_BYTES, links=link_times(_BYTES))

TRANSFERS = {"pulled": PULLED, "pushed": PUSHED, "push_planned": TO_BE_PUSHED}
