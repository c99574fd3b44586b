"""What a shell is offered: asked as click's completion scripts ask."""

import pytest
from click.shell_completion import ShellComplete

from memfit.cli._group import command_line


def offered(words: list[str], incomplete: str) -> list[str]:
    complete = ShellComplete(command_line, {}, "memfit", "_MEMFIT_COMPLETE")
    return [
        f"({item.type})" if item.type != "plain" else item.value for item in complete.get_completions(words, incomplete)
    ]


@pytest.mark.parametrize(
    ("words", "incomplete", "among"),
    [
        ([], "est", "estimate"),
        (["estimate"], "llama-3.2", "Llama-3.2-3B"),
        (["estimate"], "./mod", "(file)"),
        (["estimate"], "nothing-begins-so", "(file)"),
        (["estimate"], "", "(file)"),
        (["estimate", "--device"], "orin-n", "orin-nano-8gb"),
        (["estimate", "--device"], "Orin_N", "orin-nano-8gb"),
        (["estimate", "--format"], "q4", "Q4_K_M"),
        (["estimate", "--kv-type"], "q8", "q8_0"),
        (["estimate", "--kv-type"], "q8_0/q4", "q8_0/q4_0"),
        (["estimate", "-ctk"], "f", "f16"),
        (["estimate", "--engine"], "lla", "llama_cpp"),
        (["estimate", "--draft"], "smol", "SmolLM2-135M"),
        (["schema"], "foot", "footprint"),
    ],
)
def test_names_are_offered(words: list[str], incomplete: str, among: str) -> None:
    assert among in offered(words, incomplete)


def test_nothing_is_offered_that_does_not_begin_so() -> None:
    assert all(name.startswith("orin-nano") for name in offered(["estimate", "--device"], "orin-nano"))
    assert offered(["estimate", "--device"], "zzz") == []


@pytest.mark.parametrize("option", ["--draft", "--mmproj", "--lora", "--calibration", "--html", "--svg", "--markdown"])
def test_files_are_left_to_the_shell(option: str) -> None:
    assert offered(["estimate", "model.gguf", option], "some/wh") == ["(file)"]
