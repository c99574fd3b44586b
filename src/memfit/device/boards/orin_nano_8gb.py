"""Jetson Orin Nano 8GB (p3767-0003, developer kit p3767-0005), also as Super."""

from memfit.device.boards._board import Board
from memfit.units import GIB, KIB

BOARD = Board(
    name="Orin Nano 8GB",
    physical_bytes=8 * GIB,
    total_bytes=7_802_736 * KIB,
    os_bytes=(7_802_736 - 6_245_596) * KIB,
    instructions=("neon", "dotprod"),
    threads=6,
    gpu="Ampere 8.7",
    grade="measured",
    source="meminfo of a developer kit with desktop, JetPack 6.1 (R36.4); headless the system takes about 1 GiB less",
    aliases=(
        "orin nano",
        "jetson orin nano",
        "jetson orin nano 8gb",
        "orin nano super",
        "orin nano super 8gb",
        "p3767 0003",
    ),
)
