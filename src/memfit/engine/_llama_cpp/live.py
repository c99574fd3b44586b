"""How llama.cpp is started: embedded in a child process of memfit's own, or as the server that a command names."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from memfit.engine._llama_cpp.child import package_folder, package_version
from memfit.engine._llama_cpp.command import server_of
from memfit.engine._llama_cpp.oracle import context_fields
from memfit.engine._llama_cpp.settings import resolve
from memfit.engine._start import Start
from memfit.engine.records import Deployment, Options, Profile, Workload
from memfit.errors import UsageError
from memfit.model.cards import CARDS
from memfit.model.file import read_shape
from memfit.model.shape import ModelShape

_CHILD = Path(__file__).parent / "_child" / "run.py"
_PORT = 8080  # common_params::port, common/common.h (0c1e57098)
# where a server that listens everywhere is reached from here
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def start(deployment: Deployment, profile: Profile, workload: Workload) -> Start:
    """The embedded engine with everything the deployment names, and the workload in tokens.

    ``profile`` does not change it: both run in a Python that has imported llama-cpp-python.

    Raises:
        EngineMissing: llama-cpp-python is not installed.
        ModelError: a file that cannot be used.
        UsageError: a model that is only a name, or a workload that the context does not hold.
    """
    _refuse_names(deployment)
    shape = read_shape(deployment.model, known_only=False)
    draft = read_shape(deployment.draft, known_only=False) if deployment.draft else None
    options = deployment.options
    work = _work(shape, options, workload)
    job = {
        "kind": "live",
        "library": str(package_folder()),
        "package": f"llama-cpp-python {package_version() or ''}".strip(),
        "search": [path for path in sys.path if path],
        "model": shape.shards[0].path,
        "draft": draft.shards[0].path if draft else None,
        "files": {
            "model": [shard.path for shard in shape.shards],
            "draft": [shard.path for shard in draft.shards] if draft else [],
        },
        "projector": deployment.projector,
        "adapters": deployment.adapters,
        "load": {
            "mode": _load_mode(options),
            "repack": options.repack,
            "gpu_layers": options.gpu_layers,
            "gpu": options.backend != "cpu",
        },
        "context": context_fields(options, options.embeddings),
        "draft_context": context_fields(_draft_options(options), False),
        "work": work,
    }
    environment = {"GGML_NO_BACKTRACE": "1"}  # else an abort starts a debugger
    if options.backend == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""  # a CUDA build would take GPU memory that nobody asked for
    return Start(
        words=(sys.executable, "-I", "-S", str(_CHILD)),
        environment=environment,
        # a file's name may be no UTF-8, which msgspec does not write
        job=json.dumps(msgspec.to_builtins(job)).encode() + b"\n",
        files=_all_files([shape, draft] if draft else [shape], deployment),
        prompt_tokens=work["prompt_tokens"],
        generate_tokens=work["generate_tokens"],
        vocabulary_tokens=shape.vocabulary_tokens,
    )


def serve(words: Sequence[str], deployment: Deployment, workload: Workload) -> Start:
    """A server as a command starts it; where it listens is read from its words and variables.

    Args:
        words: the command; none for a server that runs already, whose address is then for the caller to know.
        deployment: what the command deploys.
        workload: what it is made to do.

    Raises:
        UsageError: a program of llama.cpp that serves nothing, a socket that is no port, or a workload that the
            context does not hold.
        ModelError: a file that cannot be used.
    """
    shapes = [read_shape(path, known_only=False) for path in (deployment.model, deployment.draft) if path]
    work = _work(shapes[0], deployment.options, workload)
    start = Start(
        words=(),
        protocol="openai",
        files=_all_files(shapes, deployment),
        prompt_tokens=work["prompt_tokens"],
        generate_tokens=work["generate_tokens"],
        vocabulary_tokens=shapes[0].vocabulary_tokens,
    )
    return _commanded(start, words) if words else start


def _commanded(start: Start, words: Sequence[str]) -> Start:
    words = shlex.split(words[0]) + list(words[1:]) if " -" in words[0] else list(words)
    found = server_of(words)
    if found is None:
        raise UsageError(
            f"{' '.join(words[:2])!r} serves no requests, so memfit cannot make it work",
            hint="give a llama-server command, or the model itself to run it embedded",
        )
    command, variables = found
    stated = {word.partition("=")[0] for word in itertools.takewhile(_is_variable, words)}
    environment = {**os.environ, **variables}
    return msgspec.structs.replace(
        start,
        words=tuple(itertools.dropwhile(_is_variable, words)),
        environment={name: value for name, value in variables.items() if name in stated},
        url=_address(command, environment),
        key=_stated(command, "--api-key", environment, "LLAMA_API_KEY").split(",")[0],
    )


def _address(command: Sequence[str], variables: Mapping[str, str]) -> str:
    host = _stated(command, "--host", variables, "LLAMA_ARG_HOST") or "127.0.0.1"
    port = _stated(command, "--port", variables, "LLAMA_ARG_PORT") or str(_PORT)
    prefix = _stated(command, "--api-prefix", variables, "LLAMA_ARG_API_PREFIX").rstrip("/")
    if host.endswith(".sock") or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise UsageError(f"the server listens on {host}, port {port}", hint="give it a port between 1 and 65535")
    host = _EVERYWHERE.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{prefix}"


def _stated(command: Sequence[str], flag: str, variables: Mapping[str, str], variable: str) -> str:
    """What the last of such a flag says, else the variable; empty where neither is there."""
    values = [value for word, value in itertools.pairwise(command) if word.replace("_", "-") == flag]
    return values[-1] if values else variables.get(variable, "")


def _is_variable(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _refuse_names(deployment: Deployment) -> None:
    if deployment.format is not None:
        raise UsageError(
            f"{deployment.model} in {deployment.format} is no file yet, and only a file can be run",
            hint="quantize it first, or run the file as it is",
        )
    for name in (deployment.model, deployment.draft):
        if name is not None and name in CARDS and not Path(name).exists():
            raise UsageError(
                f"{name} is the name of a model, and only a file can be run",
                hint=f"download it, or make one of its size without its weights: memfit fabricate {name}",
            )


def _all_files(shapes: Iterable[ModelShape], deployment: Deployment) -> tuple[str, ...]:
    """Whatever weights are read from, every shard."""
    beside = [path for path in (deployment.projector, *deployment.adapters) if path]
    return tuple(dict.fromkeys([*(shard.path for shape in shapes for shard in shape.shards), *beside]))


def _load_mode(options: Options) -> str:
    """A name of the child's ``_LOAD_MODES``; an integrated GPU turns ``mmap`` off by itself where it is automatic."""
    if options.load_mode == "none":
        return "mlock" if options.locked else "none"
    return "mmap+mlock" if options.locked else "mmap" if options.backend == "cpu" else "auto"


def _draft_options(options: Options) -> Options:
    """A draft's cache stays F16, whatever the model's is (``--spec-draft-type-k``, common/arg.cpp)."""
    return msgspec.structs.replace(options, kv_type_k="F16", kv_type_v="F16", rollback_tokens=0, embeddings=False)


def _work(shape: ModelShape, options: Options, workload: Workload) -> dict[str, Any]:
    """The workload in tokens of each user.

    Raises:
        UsageError: the context does not hold it.
    """
    settings = resolve(shape, options)
    users, generate = workload.users, workload.generate_tokens if shape.memory != "none" else 0
    if not 1 <= users <= settings.slots:
        raise UsageError(
            f"{users} users at once need a slot each, and the deployment has {settings.slots}",
            hint=f"raise --slots to {users}, or ask for fewer users",
        )
    room = settings.context_tokens // users if options.unified_kv else settings.slot_tokens
    if shape.memory == "none":
        room = min(room, settings.ubatch_tokens // users)  # an encoder takes its texts whole, in one ubatch
    most = room - generate
    prompt = workload.prompt_tokens
    if workload.fill_context:
        prompt = most
    elif not prompt:
        prompt = min(settings.ubatch_tokens, most)
    if generate < 0 or not 1 <= prompt <= most:
        raise UsageError(
            f"a prompt of {max(prompt, 1)} tokens and {generate} generated ones do not fit the {room} tokens that"
            " each user has",
            hint="raise --context, or ask for a shorter prompt and answer",
        )
    return {
        "users": users,
        "prompt_tokens": prompt,
        "generate_tokens": generate,
        "rounds": max(1, workload.rounds),
        "soak_s": workload.soak_s,
        "seed": workload.seed,
    }
