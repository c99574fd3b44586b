"""How llama.cpp is started, and the embedded engine running for real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine_child import HAS_ENGINE
from memfit.device.pages import mapped, mapped_bytes, touched_bytes
from memfit.engine import Options, Start
from memfit.engine._llama_cpp import live
from memfit.engine._llama_cpp.oracle import reserve_one
from memfit.engine.records import Deployment, Workload
from memfit.engine.runtimes import ENGINES
from memfit.errors import ModelError, UsageError
from memfit.model.file import read_shape
from memfit.model.gguf.writer import TensorSpec, write_model

TINY = str(Path(__file__).parents[3] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf")
LLAMA = ENGINES.get("llama_cpp")
needs_engine = pytest.mark.skipif(not HAS_ENGINE, reason="llama-cpp-python is not installed")


@pytest.fixture(autouse=True)
def _some_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How it would be started can be told without it."""
    if not HAS_ENGINE and "engine" not in request.keywords:
        monkeypatch.setattr(live, "package_folder", lambda: Path("/nowhere/llama_cpp"))


def started(options: Options | None = None, workload: Workload | None = None, **named: Any) -> tuple[Start, Any]:
    deployment = Deployment(model=TINY, options=options or Options(), **named)
    start = LLAMA.start(deployment, "library", workload or Workload())
    return start, json.loads(start.job)


class TestStart:
    def test_one_line_of_job_for_a_child_that_imports_nothing_of_memfits_own(self) -> None:
        start, job = started()
        assert start.protocol == "events"
        assert start.words[:3] == (sys.executable, "-I", "-S")
        assert start.job.count(b"\n") == 1
        assert start.job.endswith(b"\n")
        assert start.files == (TINY,)
        assert start.environment["CUDA_VISIBLE_DEVICES"] == ""
        assert (job["kind"], job["model"]) == ("live", TINY)
        assert job["files"] == {"model": [TINY], "draft": []}

    def test_options_become_fields_of_the_engines_structures(self) -> None:
        options = Options(
            context_tokens=1024,
            slots=3,
            unified_kv=True,
            kv_type_k="Q8_0",
            flash_attention=False,
            kv_type_v="F16",
            load_mode="none",
            repack=False,
            threads=5,
            full_window_cache=False,
            output_rows=3,
        )
        _, job = started(options)
        assert job["load"] == {"mode": "none", "repack": False, "gpu_layers": -1, "gpu": False}
        context = job["context"]
        assert (context["n_ctx"], context["n_seq_max"], context["kv_unified"]) == (1024, 3, True)
        assert (context["type_k"], context["type_v"]) == (8, 1)
        assert (context["flash_attn_type"], context["swa_full"], context["n_outputs_max"]) == (0, False, 3)
        assert (context["n_threads"], context["n_threads_batch"]) == (5, 5)
        # a draft's cache stays F16
        assert job["draft_context"]["type_k"] == 1

    @pytest.mark.parametrize(
        ("options", "mode"),
        [
            (Options(), "mmap"),
            (Options(locked=True), "mmap+mlock"),
            (Options(load_mode="none"), "none"),
            (Options(load_mode="none", locked=True), "mlock"),
            (Options(backend="cuda"), "auto"),
        ],
    )
    def test_load_modes(self, options: Options, mode: str) -> None:
        start, job = started(options)
        assert job["load"]["mode"] == mode
        assert ("CUDA_VISIBLE_DEVICES" in start.environment) == (options.backend == "cpu")

    def test_everything_that_is_read_is_dropped_from_the_cache(self, tmp_path: Path) -> None:
        adapter, projector = str(tmp_path / "a.gguf"), str(tmp_path / "p.gguf")
        start, job = started(draft=TINY, adapters=(adapter,), projector=projector)
        assert start.files == (TINY, projector, adapter)
        assert (job["draft"], job["adapters"], job["projector"]) == (TINY, [adapter], projector)

    @pytest.mark.parametrize(
        ("options", "workload", "prompt"),
        [
            # a whole ubatch, or what is left of a small context
            (Options(context_tokens=4096), Workload(), 512),
            (Options(context_tokens=4096, ubatch_tokens=128), Workload(), 128),
            (Options(context_tokens=256), Workload(), 224),
            (Options(context_tokens=4096), Workload(prompt_tokens=100), 100),
            # a slot has its part of the context, or of the buffer that all share
            (Options(context_tokens=4096), Workload(fill_context=True), 4064),
            (Options(context_tokens=4096, slots=4), Workload(fill_context=True, generate_tokens=24), 1000),
            (Options(context_tokens=4096, slots=4, unified_kv=True), Workload(fill_context=True, users=2), 2016),
            (Options(context_tokens=4096, slots=4, unified_kv=True), Workload(fill_context=True), 4064),
        ],
    )
    def test_prompts(self, options: Options, workload: Workload, prompt: int) -> None:
        start, job = started(options, workload)
        assert job["work"]["prompt_tokens"] == prompt
        assert (start.prompt_tokens, start.generate_tokens) == (prompt, workload.generate_tokens)
        assert job["work"]["users"] == workload.users

    @pytest.mark.parametrize(
        ("options", "workload", "message"),
        [
            (Options(), Workload(users=2), "2 users at once need a slot each"),
            (Options(), Workload(users=0), "0 users"),
            (Options(context_tokens=1024), Workload(prompt_tokens=1000), "do not fit the 1024 tokens"),
            (Options(context_tokens=1024), Workload(generate_tokens=1024, fill_context=True), "do not fit"),
            (Options(), Workload(generate_tokens=-1), "do not fit"),
        ],
    )
    def test_what_the_context_does_not_hold(self, options: Options, workload: Workload, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            started(options, workload)

    def test_only_files_can_be_run(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"Llama-3\.2-1B is the name of a model") as raised:
            LLAMA.start(Deployment(model="Llama-3.2-1B"), "library", Workload())
        assert "memfit fabricate Llama-3.2-1B" in str(raised.value.hint)
        with pytest.raises(UsageError, match="in Q8_0 is no file yet"):
            started(format="Q8_0")
        with pytest.raises(ModelError, match=r"absent\.gguf"):
            LLAMA.start(Deployment(model=str(tmp_path / "absent.gguf")), "library", Workload())


class TestServe:
    def serve(self, *words: str, **fields: Any) -> Start:
        return LLAMA.serve(words, Deployment(model=TINY, **fields), Workload())

    def test_where_it_listens(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("LLAMA_ARG_PORT", "LLAMA_ARG_HOST", "LLAMA_API_KEY"):
            monkeypatch.delenv(name, raising=False)
        start = self.serve("llama-server", "-m", TINY)
        assert (start.protocol, start.url, start.key, start.files) == ("openai", "http://127.0.0.1:8080", "", (TINY,))
        assert start.words == ("llama-server", "-m", TINY)
        assert (start.prompt_tokens, start.generate_tokens) == (512, 32)
        assert start.vocabulary_tokens == read_shape(TINY).vocabulary_tokens
        assert self.serve("llama-server", "--port", "1", "--port", "9000").url == "http://127.0.0.1:9000"
        assert self.serve("sudo", "llama-server", "--host", "0.0.0.0").url == "http://127.0.0.1:8080"
        assert self.serve("llama-server", "--host", "::1", "--api-prefix", "/a/").url == "http://[::1]:8080/a"
        assert self.serve("llama-server", "--api-key", "one,two").key == "one"

    def test_variables_before_it_go_into_its_environment(self) -> None:
        start = self.serve("LLAMA_ARG_PORT=9001", "LLAMA_API_KEY=k", "llama-server", "-m", TINY)
        assert start.words == ("llama-server", "-m", TINY)
        assert start.environment == {"LLAMA_ARG_PORT": "9001", "LLAMA_API_KEY": "k"}
        assert (start.url, start.key) == ("http://127.0.0.1:9001", "k")
        quoted = self.serve(f"LLAMA_ARG_PORT=9002 llama-server -m {TINY}")
        assert (quoted.words[0], quoted.url) == ("llama-server", "http://127.0.0.1:9002")

    def test_programs_that_serve_nothing(self) -> None:
        for words in (("llama-cli", "-m", TINY), ("python3", "app.py"), (f"llama-bench -m {TINY}",)):
            with pytest.raises(UsageError, match="serves no requests"):
                self.serve(*words)

    @pytest.mark.parametrize("words", [("--port", "0"), ("--port", "x"), ("--host", "/run/llama.sock")])
    def test_no_port_to_ask_at(self, words: tuple[str, ...]) -> None:
        with pytest.raises(UsageError, match="the server listens on"):
            self.serve("llama-server", *words)

    def test_one_that_runs_already_has_no_words(self) -> None:
        start = LLAMA.serve((), Deployment(model=TINY), Workload())
        assert (start.words, start.url, start.prompt_tokens) == ((), "", 512)


class Child:
    """An embedded engine, followed by hand."""

    def __init__(self, start: Start, errors: Path) -> None:
        self._errors = errors.open("wb")
        self.program = subprocess.Popen(
            start.words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **start.environment},
        )
        self.tell(start.job)
        self.events: list[dict[str, Any]] = []

    def tell(self, line: bytes) -> None:
        assert self.program.stdin is not None
        self.program.stdin.write(line)
        self.program.stdin.flush()

    def until(self, name: str) -> dict[str, Any]:
        """The next phase of this name, all before it passed."""
        assert self.program.stdout is not None
        for line in self.program.stdout:
            event: dict[str, Any] = json.loads(line)
            self.events.append(event)
            if event["event"] in ("done", "failed"):
                return event
            if event["event"] == "phase":
                if event["name"] == name:
                    return event
                self.tell(b"go\n")
        raise AssertionError(f"it ended: {Path(self._errors.name).read_text()[-2000:]}")

    def close(self) -> None:
        self.program.kill()
        self.program.communicate()
        self._errors.close()


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Any]:
    made: list[Child] = []

    def run(start: Start) -> Child:
        made.append(Child(start, tmp_path / f"{len(made)}.log"))
        return made[-1]

    yield run
    for child in made:
        child.close()


SHORT = Workload(prompt_tokens=64, generate_tokens=2)
SETTINGS = {
    "mapped": Options(threads=1, context_tokens=512),
    "read": Options(threads=1, context_tokens=512, load_mode="none"),
    "not rearranged": Options(threads=1, context_tokens=512, load_mode="none", repack=False),
    "slots of their own": Options(threads=1, context_tokens=1024, slots=4, output_rows=4),
    "one cache for all": Options(threads=1, context_tokens=1024, slots=4, unified_kv=True),
    "a quantized cache": Options(threads=1, context_tokens=1024, kv_type_k="Q8_0", kv_type_v="Q4_0", ubatch_tokens=128),
    "without flash attention": Options(threads=1, context_tokens=512, flash_attention=False),
}


@needs_engine
@pytest.mark.engine
class TestRunning:
    @pytest.mark.parametrize("name", SETTINGS)
    def test_it_allocates_what_it_was_said_to_reserve(self, children: Any, name: str) -> None:
        options = SETTINGS[name]
        start, _ = started(options, SHORT)
        child = children(start)
        event = child.until("decode")
        sizes: dict[str, int] = {}
        for buffer in event["buffers"]:
            sizes[buffer["term"]] = sizes.get(buffer["term"], 0) + buffer["bytes"]
        _, reserved = reserve_one(Path(TINY), options)
        assert sizes["kv_cache"] == reserved.kv_bytes
        assert sizes["compute_buffers"] == sum(buffer.compute_bytes for buffer in reserved.buffers)
        assert sizes["output_buffer"] == reserved.output_bytes
        assert reserved.work is not None
        # the reservation is for a whole ubatch
        assert 0 < sizes["work_buffer"] <= reserved.work.prefill_bytes
        if options.load_mode == "none":
            assert sizes["weights"] == sum(buffer.model_bytes for buffer in reserved.buffers)
        self.check_pages(child, event, options)
        child.tell(b"go\n")
        assert child.until("nothing more")["event"] == "done"
        assert child.program.wait(10) == 0

    def check_pages(self, child: Child, event: dict[str, Any], options: Options) -> None:
        """Caches and weights are touched as a whole, graphs as far as they were computed."""
        pid = child.program.pid
        if touched_bytes(pid, event["buffers"][0]["address"] or 4096, 4096) is None:
            pytest.skip("/proc/PID/pagemap may not be read here")
        for buffer in event["buffers"]:
            if buffer["files"]:
                assert (options.load_mode, buffer["term"]) == ("mmap", "weights")
                inside = mapped(pid)
                assert inside is not None
                assert mapped_bytes(inside, buffer["files"]) >= 0.9 * buffer["bytes"]
                continue
            touched = touched_bytes(pid, buffer["address"], buffer["bytes"])
            assert touched is not None
            if buffer["term"] in ("kv_cache", "weights", "output_buffer"):
                assert touched == buffer["bytes"], buffer
            else:
                assert 0 < touched <= buffer["bytes"], buffer

    def test_what_was_computed_is_told(self, children: Any) -> None:
        start, _ = started(
            Options(threads=1, context_tokens=1024, slots=2),
            Workload(prompt_tokens=20, generate_tokens=3, users=2, rounds=2),
        )
        child = children(start)
        child.until("nothing more")
        engine, *others = child.events
        assert engine["event"] == "engine"
        assert "llama-cpp-python" in engine["version"]
        phases = {event["name"]: event for event in others if event["event"] == "phase"}
        assert list(phases) == ["started", "loaded", "prompt", "decode", "round 1", "round 2"]
        assert (phases["prompt"]["tokens"], phases["decode"]["tokens"]) == (40, 6)
        assert (phases["round 2"]["prompt"]["tokens"], phases["round 2"]["decode"]["tokens"]) == (40, 6)
        assert phases["decode"]["seconds"] > 0
        assert any(event["event"] == "loading" and event["share"] == 1.0 for event in others)
        assert phases["started"]["buffers"] == []

    def test_draft_and_adapter_are_told_apart(self, children: Any, tmp_path: Path) -> None:
        adapter = tmp_path / "adapter.gguf"
        rank = 4
        target = next(each for each in read_shape(TINY).tensors if each.name == "blk.0.attn_q.weight")
        pair: list[TensorSpec] = [
            (f"{target.name}.lora_a", (target.dims[0], rank), "F32"),
            (f"{target.name}.lora_b", (rank, target.dims[1]), "F32"),
        ]
        keys = {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"}
        write_model(adapter, {**keys, "adapter.lora.alpha": 8.0}, pair)
        start, _ = started(Options(threads=1, context_tokens=512), SHORT, draft=TINY, adapters=(str(adapter),))
        event = children(start).until("decode")
        drafts = [buffer for buffer in event["buffers"] if buffer["term"] == "draft"]
        own = [buffer for buffer in event["buffers"] if buffer["term"] != "draft" and "LoRA" not in buffer["name"]]
        assert sorted(buffer["name"] for buffer in drafts) == sorted(buffer["name"] for buffer in own)
        (lora,) = [buffer for buffer in event["buffers"] if "LoRA" in buffer["name"]]
        assert lora["term"] == "weights"
        assert lora["bytes"] == 4 * rank * (target.dims[0] + target.dims[1])

    def test_who_is_no_longer_watched_ends(self, children: Any) -> None:
        child = children(started(Options(threads=1, context_tokens=512), SHORT)[0])
        child.until("loaded")
        child.program.stdin.close()
        child.program.stdin = None
        assert child.program.wait(10) == 1

    def test_a_file_that_is_no_longer_a_model(self, children: Any, tmp_path: Path) -> None:
        broken = tmp_path / "broken.gguf"
        content = Path(TINY).read_bytes()
        broken.write_bytes(content)
        start = LLAMA.start(Deployment(model=str(broken)), "library", SHORT)
        broken.write_bytes(content[: len(content) // 2])
        event = children(start).until("loaded")
        assert (event["event"], event["what"]) == ("failed", "load broken.gguf")
        assert event["why"]

    def test_options_that_the_engine_refuses(self, children: Any) -> None:
        start, _ = started(Options(threads=1, context_tokens=512), SHORT)
        job = json.loads(start.job)
        job["context"]["n_seq_max"] = 100000
        child = children(Start(words=start.words, job=json.dumps(job).encode() + b"\n"))
        event = child.until("loaded")
        assert (event["event"], event["what"]) == ("failed", "make a context with these options")

    def test_a_gpu_that_is_not_there(self, children: Any) -> None:
        start, _ = started(Options(threads=1, context_tokens=512, backend="cuda"), SHORT)
        child = children(start)
        event = child.until("loaded")
        names = child.events[0]["devices"]
        if any(name.startswith("CUDA") for name in names):
            pytest.skip("there is one here")
        assert (event["event"], "find a GPU" in event["what"]) == ("failed", True)
