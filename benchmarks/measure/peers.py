"""The tools that are measured beside memfit: where they are, which version, and why one does not start.

``benchmarks/install_peers.sh DIR`` puts them into one folder outside of the project's environment.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from measure.processes import Program, ProgramFailed, output_of

SCRIPTS = Path(__file__).parent.parent / "scripts"


@dataclass(frozen=True)
class Peer:
    """A tool: its name, version, and why it cannot run here where it cannot."""

    name: str
    version: str
    failure: str = ""
    note: str = ""

    @property
    def runs(self) -> bool:
        """Whether it starts."""
        return not self.failure


@dataclass(frozen=True)
class Peers:
    """All tools, and the commands that start them."""

    folder: Path

    @property
    def python(self) -> str:
        """The interpreter of the Python peers."""
        return str(self.folder / "venv/bin/python")

    @property
    def node_module(self) -> Path:
        """The package node-llama-cpp."""
        return self.folder / "npm/node_modules/node-llama-cpp"

    @property
    def fit_params(self) -> str:
        """llama.cpp's own tool, built from the same source as the engine that memfit asks."""
        return str(self.folder / "llama.cpp/bin/llama-fit-params")

    @property
    def llmfit(self) -> str:
        """The binary that the Python package of llmfit installs."""
        return str(self.folder / "venv/bin/llmfit")

    def node_script(self, *words: str) -> Program:
        """node-llama-cpp by its API."""
        return Program(
            (shutil.which("node") or "node", str(SCRIPTS / "node_llama_cpp.mjs"), *words),
            {"NODE_LLAMA_CPP": str(self.node_module / "dist/index.js")},
        )

    def node_command(self, file: Path, context: int) -> Program:
        """``node-llama-cpp inspect estimate``."""
        words = ("inspect", "estimate", str(file), "--gpu", "false", "-c", str(context), "--fa", "--no-mmap")
        return Program((shutil.which("node") or "node", str(self.node_module / "dist/cli/cli.js"), *words))

    def fit_command(self, file: Path, context: int, *, full_window: bool) -> Program:
        """``llama-fit-params -fitp on``: what would be allocated, as it sees it."""
        words = ["-m", str(file), "-c", str(context), "-np", "1", "-fa", "on", "-ub", "512"]
        words += ["-dev", "none", "-lm", "none", "-fitp", "on"]
        return Program((self.fit_params, *words, *(["--swa-full"] if full_window else [])))

    def hf_mem_command(self, file: Path, context: int) -> Program:
        """hf-mem's command with its requests to the Hub answered from disk."""
        words = ("--experimental", "--max-model-len", str(context), "--json-output")
        return Program((self.python, "-W", "ignore", str(SCRIPTS / "estimate_hf_mem.py"), str(file), *words))

    def llmfit_command(self, model: str, context: int) -> Program:
        """``llmfit plan``: a model of its own database by name; it reads no file."""
        return Program((self.llmfit, "--json", "plan", model, "--context", str(context), "--quant", "Q4_K_M"))

    def all(self) -> tuple[Peer, ...]:
        """Every tool with its version, tried once."""
        packages = (self._package("gguf", "gguf-py"), self._package("hf-mem", "hf-mem"))
        return (self._node(), *packages, self._llmfit(), self._fit_params())

    def _node(self) -> Peer:
        about = self.node_module / "package.json"
        if not about.exists():
            return Peer("node-llama-cpp", "", "not installed")
        version = json.loads(about.read_text())["version"]
        program = Program((shutil.which("node") or "node", str(self.node_module / "dist/cli/cli.js"), "--version"))
        built = self.node_module / "llama/binariesGithubRelease.json"
        release = json.loads(built.read_text())["release"] if built.exists() else "unknown"
        return _tried("node-llama-cpp", version, program, note=f"prebuilt with llama.cpp {release}")

    def _package(self, package: str, name: str) -> Peer:
        code = f"from importlib import metadata; print(metadata.version({package!r}))"
        try:
            return Peer(name, output_of(Program((self.python, "-c", code))).strip())
        except ProgramFailed as failure:
            return Peer(name, "", str(failure))

    def _llmfit(self) -> Peer:
        package = self._package("llmfit", "llmfit")
        return _tried("llmfit", package.version, Program((self.llmfit, "--version"))) if package.runs else package

    def _fit_params(self) -> Peer:
        return _tried("llama-fit-params", "0c1e57098", Program((self.fit_params, "--version")))


def memfit_command(file: Path | str, context: int, source: str, *more: str) -> Program:
    """``memfit estimate`` of this environment."""
    words = ("estimate", str(file), "-c", str(context), "--source", source, *more)
    return Program((memfit_program(), *words))


def memfit_program() -> str:
    """The installed ``memfit`` beside this interpreter."""
    return str(Path(sys.executable).parent / "memfit")


def memfit_versions() -> str:
    """memfit, and the engine that it asks."""
    try:
        engine = f"llama-cpp-python {metadata.version('llama-cpp-python')}"
    except metadata.PackageNotFoundError:
        engine = "no engine"
    return f"memfit {metadata.version('memfit')} with {engine}"


def _tried(name: str, version: str, program: Program, note: str = "") -> Peer:
    if os.sep in program.command[0] and not Path(program.command[0]).exists():
        return Peer(name, version, "not installed")
    try:
        output_of(program)
    except ProgramFailed as failure:
        return Peer(name, version, str(failure))
    return Peer(name, version, note=note)
