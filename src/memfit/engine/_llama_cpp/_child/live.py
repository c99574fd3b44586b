"""A model run for real: loaded, filled and made to generate, standing still at every phase to be looked at.

It speaks JSON lines and never about memory that only the kernel knows: who the engine is, how far the load is, what
its buffers are and where they lie. After every ``phase`` it waits for a line on its input, so that whoever watches can
read ``/proc`` meanwhile; when the input ends, so does it.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from memfit.engine._llama_cpp._child.breakdown import Breakdown, Unreadable
from memfit.engine._llama_cpp._child.library import Library, Log, pointer
from memfit.engine._llama_cpp._child.live_buffers import Allocations
from memfit.engine._llama_cpp._child.live_media import Projector
from memfit.engine._llama_cpp._child.live_work import Refused, Work

# llama_load_mode, include/llama.h (0c1e57098)
_LOAD_MODES = {"auto": -1, "none": 0, "mmap": 1, "mlock": 2, "mmap+mlock": 3}
_LEAST_STEP = 0.02  # of the load, between two words about it
_LEAST_PAUSE_S = 0.2  # between two signs of life


def live(job: dict[str, Any], answer_fd: int) -> None:
    """Run one job; see ``Live``. The library is loaded as its users do, by importing its whole package."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path.extend(job["search"])
    try:
        importlib.import_module("llama_cpp")
    except Exception as error:  # anything may be wrong with the packages it imports
        sys.modules.pop("llama_cpp", None)
        os.write(2, f"memfit: the package llama_cpp was not imported: {error}\n".encode())
    Live(Library(job["library"], []), job, answer_fd).run()


class _LoudLog(Log):
    """Passes every message on at once: when the kernel kills this process, what it said has been heard."""

    def __init__(self) -> None:
        super().__init__()
        self.allocations: Allocations | None = None

    def add(self, level: int, text: str) -> None:
        """See ``Log.add``."""
        super().add(level, text)
        os.write(2, text.encode())
        if self.allocations is not None:
            self.allocations.hear(text)


class _Failed(Exception):
    """The engine said no."""


class Live:
    """One run.

    Args:
        answer_fd: where the events go.
        job: model, draft, projector and adapters by path; ``load``, ``context`` and ``draft_context`` as fields of the
            engine's structures; ``work``.
    """

    def __init__(self, library: Library, job: dict[str, Any], answer_fd: int) -> None:
        self._library = library
        self._api = library.api
        self._job = job
        self._fd = answer_fd
        self._contexts: dict[str, Any] = {}
        self._progress = 0.0
        self._spoke_s = 0.0
        self._keep: list[Any] = []
        log = _LoudLog()
        library.log = log
        self._allocations = Allocations(library, job["files"])
        log.allocations = self._allocations
        self._breakdown: Breakdown | None = None
        self._projector: Projector | None = None

    def run(self) -> None:
        """The whole of it; ends with an event ``done`` or ``failed``."""
        try:
            self._introduce()
            self._phase("started")
            self._load()
            self._phase("loaded")
            self._work()
            self._say("done")
        except (_Failed, Refused) as failure:
            self._say("failed", what=str(failure), why=self._library.log.reasons)

    def _introduce(self) -> None:
        identity = self._library.identity()
        version = identity["commit"] or identity["llama_version"] or "unknown version"
        self._say(
            "engine",
            version=f"{version} ({self._job['package']})",
            instructions=identity["system_info"] or "",
            devices=[device["name"] for device in identity["devices"]],
        )
        if self._job["load"]["gpu"] and not any(device["gpu"] for device in identity["devices"]):
            raise _Failed("find a GPU: this build of llama.cpp has no backend for one, or there is none")

    def _load(self) -> None:
        job = self._job
        models = {"model": self._model(job["model"])}
        if job["draft"]:
            self._allocations.stage = "draft"
            models["draft"] = self._model(job["draft"])
        self._allocations.stage = "model"
        adapters = [self._adapter(models["model"], path) for path in job["adapters"]]
        for stage, model in models.items():
            self._allocations.stage = stage
            self._contexts[stage] = self._context(model, job["context" if stage == "model" else "draft_context"])
        self._allocations.stage = "model"
        if adapters:
            handles = (type(adapters[0]) * len(adapters))(*adapters)
            scales = (ctypes.c_float * len(adapters))(*[1.0] * len(adapters))
            if self._api.llama_set_adapters_lora(self._contexts["model"], handles, len(adapters), scales) != 0:
                raise _Failed("put the LoRA adapters on the model")
        if job["projector"]:
            self._allocations.stage = "projector"
            self._library.log.begin()
            gpu, threads = job["load"]["gpu"], job["context"]["n_threads"]
            try:
                self._projector = Projector(models["model"], job["projector"], gpu=gpu, threads=threads)
            except OSError as error:
                raise _Failed(f"load the projector {Path(str(error)).name}") from None
        self._allocations.stage = "decode"
        try:
            self._breakdown = Breakdown(self._library)
        except Unreadable as error:
            os.write(2, f"memfit: no exact sizes: {error}\n".encode())

    def _model(self, path: str) -> Any:
        load = self._job["load"]
        params = self._api.llama_model_default_params()
        params.load_mode = _LOAD_MODES[load["mode"]]
        params.use_extra_bufts = load["repack"]
        params.n_gpu_layers = load["gpu_layers"]
        nothing = (ctypes.c_void_p * 1)(None)
        if not load["gpu"]:  # an empty list of devices, where NULL would mean all of them
            params.devices = ctypes.cast(nothing, dict(params._fields_)["devices"])
        params.progress_callback = on_progress = self._api.llama_progress_callback(self._on_progress)
        self._keep += [on_progress, nothing]
        self._progress = 0.0
        self._library.log.begin()
        model = self._api.llama_model_load_from_file(os.fsencode(path), params)
        if not model:
            raise _Failed(f"load {Path(path).name}")
        return model

    def _on_progress(self, share: float, _data: object) -> bool:
        if share - self._progress >= _LEAST_STEP or share >= 1.0:
            self._progress = share
            self._say("loading", share=round(share, 3))
        return True

    def _adapter(self, model: Any, path: str) -> Any:
        self._library.log.begin()
        adapter = self._api.llama_adapter_lora_init(model, os.fsencode(path))
        if not adapter:
            raise _Failed(f"load the adapter {Path(path).name}")
        return adapter

    def _context(self, model: Any, settings: dict[str, Any]) -> Any:
        params = self._api.llama_context_default_params()
        for name, value in settings.items():
            setattr(params, name, value)
        self._library.log.begin()
        context = self._api.llama_init_from_model(model, params)
        if not context:
            raise _Failed("make a context with these options")
        return context

    def _work(self) -> None:
        settings = self._job["work"]
        self._library.log.begin()
        work = Work(self._library, list(self._contexts.values()), settings, self._alive)
        began = time.monotonic()
        done = 0
        rounds, soak_s = settings["rounds"], settings["soak_s"]
        while not done or (time.monotonic() - began < soak_s if soak_s else done < rounds):
            if done:
                work.forget()
            if self._projector is not None:
                self._allocations.stage = "projector"
                self._projector.encode()
                self._allocations.stage = "decode"
            prompt = work.prompt()
            if not done:
                self._phase("prompt", **prompt)
            answer = work.generate()
            if not done:
                self._phase("decode", **answer)
            done += 1
            if rounds > 1 or soak_s:
                self._phase(f"round {done}", prompt=prompt, decode=answer)

    def _alive(self) -> None:
        now = time.monotonic()
        if now - self._spoke_s >= _LEAST_PAUSE_S:
            self._say("alive")

    def _phase(self, name: str, **figures: Any) -> None:
        """Say what there is now, and stand still until told to go on."""
        contexts = {stage: pointer(context) for stage, context in self._contexts.items()}
        try:
            buffers = self._allocations.buffers(self._breakdown, contexts)
        except Unreadable as error:
            os.write(2, f"memfit: no exact sizes: {error}\n".encode())
            self._breakdown = None
            buffers = self._allocations.buffers(None, contexts)
        self._say("phase", name=name, buffers=buffers, **figures)
        if not sys.stdin.readline():
            os._exit(1)  # nobody watches any more

    def _say(self, event: str, **content: Any) -> None:
        self._spoke_s = time.monotonic()
        line = (json.dumps({"event": event, **content}) + "\n").encode()
        while line:
            line = line[os.write(self._fd, line) :]
