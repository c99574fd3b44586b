"""TinyChat (AWQ) on an AGX Orin, with Hugging Face's FP16 beside it."""

from __future__ import annotations

from memfit.speed.records import Anchor, AnchorSource

# the table "Orin Results": ms a token in FP16 and in INT4
_ROWS: tuple[tuple[str, float, float, str], ...] = (
    ("llama_3_8b", 96.24, 32.55, ""),
    ("llama_2_7b", 86.80, 32.14, "more than 500 tokens of prompt"),
    ("llama_2_7b", 84.77, 30.73, "Vicuna-7B, which has the shape of Llama-2-7B"),
    ("llama_2_7b", 86.95, 28.09, "VILA-7B, whose language model has the shape of Llama-2-7B"),
)


def _rows(engine: str, format: str, column: int) -> tuple[Anchor, ...]:
    return tuple(
        Anchor(
            board="agx_orin_64gb",
            engine=engine,
            model=row[0],
            format=format,
            prompt_tokens=512 if row[3].startswith("more") else None,
            decode_tokens_per_s=round(1000 / (row[1], row[2])[column], 2),
            note=row[3],
        )
        for row in _ROWS
    )


SOURCE = AnchorSource(
    title="TinyChat: Efficient and Lightweight Chatbot with AWQ, Orin results",
    address="mit-han-lab/llm-awq tinychat/README.md @ 048e19e1e",
    method="latency a token of the generation stage; the power mode is not told. Falcon-7B (147.84 and 45.10 ms) is "
    "left "
    "out: its group size is another. FP16 is Hugging Face's own implementation",
    anchors=(*_rows("pytorch", "FP16", 0), *_rows("tinychat", "AWQ-TinyChat", 1)),
)
