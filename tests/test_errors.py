import inspect

from memfit import errors
from memfit.errors import MemfitError, ModelError, UnknownName


def test_every_exported_error_stands_in_the_tree_of_the_docstring() -> None:
    drawn = errors.__doc__ or ""
    for name, thing in inspect.getmembers(errors, inspect.isclass):
        if issubclass(thing, MemfitError):
            assert name in drawn, name


def test_exit_codes_belong_to_the_branches() -> None:
    branches = {"UsageError": 2, "ProbeError": 3, "ModelError": 4, "ApplyError": 5, "MeasureError": 6}
    for name, thing in inspect.getmembers(errors, inspect.isclass):
        if issubclass(thing, MemfitError) and thing is not MemfitError:
            family = next(base.__name__ for base in reversed(thing.__mro__) if base.__name__ in branches)
            assert thing.exit_code == branches[family], name


def test_an_unknown_name_offers_the_nearest() -> None:
    error = UnknownName("device", "orin-nona", ["orin_nano_8gb", "agx_orin_64gb", "thor"])
    assert error.nearest[0] == "orin_nano_8gb"
    assert "orin_nano_8gb" in str(error.hint)


def test_a_name_like_none_lists_what_is_known() -> None:
    error = UnknownName("device", "zzzzzz", ["orin_nano_8gb", "thor"])
    assert error.nearest == ()
    assert "thor" in str(error.hint)


def test_a_model_error_names_file_and_byte() -> None:
    assert ModelError("what", file="a.gguf", offset=7).message == "a.gguf, byte 7: what"
    assert ModelError("what", file="a.gguf").message == "a.gguf: what"


def test_a_part_of_a_name_offers_those_that_hold_it() -> None:
    known = ["agx_orin_64gb", "orin_nano_8gb", "orin_nx_16gb", "orin_nx_8gb", "thor"]
    assert UnknownName("device", "nx", known).nearest[0] == "orin_nx_8gb"
    assert UnknownName("device", "Orin-NX", known).nearest[:2] == ("orin_nx_8gb", "orin_nx_16gb")
    assert UnknownName("device", "thr", known).nearest == ("thor",)
    assert UnknownName("device", "g", known).nearest == ()  # one letter says nothing
