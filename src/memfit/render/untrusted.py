"""Text that others wrote (model names, paths, engine messages), made safe to show.

A GGUF file may name itself anything: an escape sequence that repaints the terminal, a tag, ten thousand letters.
Outputs pass every piece of text through ``clean`` before they lay it out, so that no view has to remember to.
"""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

LONGEST_TEXT = 600
"""Characters shown of one piece of text; a sentence of ours is far shorter."""

LONGEST_NAME = 60
"""Characters shown of a name that stands in a title or a table's first column."""

_WHITE = re.compile(r"[\t\n\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]+")
# C0 and C1 controls, invisible and direction-changing characters (they can make one name look like another), lone
# surrogates (undecodable bytes of a path), characters that XML 1.0 has no place for, and the invisible tag block
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

_ASCII = str.maketrans(
    {
        "—": "-",
        "–": "-",
        "−": "-",
        "‑": "-",
        "×": "x",
        "·": "-",
        "•": "*",
        "…": "~",
        "≤": "<=",
        "≥": ">=",
        "→": "->",
        "≈": "~",
        "²": "2",
        "’": "'",
        "“": '"',
        "”": '"',
        "\N{NO-BREAK SPACE}": " ",
        REPLACEMENT: "?",
    }
)


def clean(text: str, *, longest: int = LONGEST_TEXT) -> str:
    """One line of visible text: white space becomes a space, what must not be shown becomes U+FFFD, the rest stays.

    Text over ``longest`` characters loses its middle: a file's name carries its format at the end.
    """
    # cut before looking at every character: ten megabytes of name cost as little as ten letters
    return clip(_UNSAFE.sub(REPLACEMENT, _WHITE.sub(" ", clip(text, 4 * longest))), longest)


def clip(text: str, longest: int, *, mark: str = "…") -> str:
    """The text in at most ``longest`` characters, its middle replaced by ``mark``."""
    if len(text) <= longest:
        return text
    if longest <= 2 * len(mark):
        return text[: max(longest, 0)]
    tail = (longest - len(mark)) * 2 // 5
    head = longest - len(mark) - tail
    return text[:head] + mark + text[len(text) - tail :]


def whole(text: str) -> str:
    """As ``clean`` but never shortened, for commands: half a command is worse than a long line."""
    return _UNSAFE.sub(REPLACEMENT, _WHITE.sub(" ", text))


def to_ascii(text: str) -> str:
    """The signs memfit itself writes, spelled in ASCII; other letters stay and are the encoder's business."""
    return text.translate(_ASCII)


_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def escape(text: str) -> str:
    """Text for HTML and SVG, in content and in attributes alike."""
    return text.translate(_MARKUP)
