"""How long a file takes over the links that boards have: the transfer speeds of 'LLM Optimization on Jetson' §2.6."""

from __future__ import annotations

import msgspec

SOURCE = "'LLM Optimization on Jetson' §2.6, not measured here"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A way to a board; the speed as published, in bytes a second."""

    name: str
    bytes_per_s: int

    def seconds(self, size_bytes: int) -> float:
        """How long so many bytes take."""
        return size_bytes / self.bytes_per_s


LINKS = (
    Link(name="USB 2.0 device mode (192.168.55.1)", bytes_per_s=30_000_000),
    Link(name="WiFi (802.11ac)", bytes_per_s=40_000_000),
    Link(name="USB 3.0 flash drive", bytes_per_s=100_000_000),
    Link(name="Gigabit Ethernet", bytes_per_s=110_000_000),
)
USB_ADDRESS = "192.168.55.1"
"""Of a Jetson in USB device mode, where ``l4tbr0`` answers (§2.6)."""
