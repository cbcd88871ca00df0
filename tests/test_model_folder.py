"""The model folder: nothing in it runs code, what is missing or damaged is named, and nothing else is ever touched."""

import csv
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tokenizers import Tokenizer
from torch import Tensor

from cli.commands import run
from tasks.samples import EXCERPT, TINY, options, write
from unrolled.errors import UnrolledError, UsageError
from unrolled.model_folder import (
    ATTENTION,
    BASELINES,
    CAPTIONS,
    CONFUSION,
    FORECAST,
    FORMAT_VERSION,
    OURS,
    ModelFolder,
    check_tensors,
    write_whole,
)
from unrolled.tasks.text.model import TextModel

TEXT = EXCERPT[:700]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trained model."""
    folder = tmp_path_factory.mktemp("trained")
    TextModel.fit(write(folder, TEXT), out=folder / "model", **TINY)
    return folder / "model"


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    return Path(shutil.copytree(trained, tmp_path / "model"))


# What is in it.


def is_png(path: Path) -> bool:
    raw = path.read_bytes()
    return raw.startswith(b"\x89PNG\r\n\x1a\n") and raw.endswith(b"IEND\xaeB`\x82")


def is_table(path: Path) -> bool:
    with open(path, encoding="utf-8", newline="") as file:
        return len({len(row) for row in csv.reader(file)}) == 1


def is_safetensors(path: Path) -> bool:
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
    return max(ends) == len(raw) - 8 - length  # tensors to the last byte, and nothing behind them


def is_log(path: Path) -> bool:
    return len(list(EventFileLoader(str(path)).Load())) > 1


KINDS: dict[str, Callable[[Path], Any]] = {
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".safetensors": is_safetensors,
    ".csv": is_table,
    ".png": is_png,
    ".md": lambda path: path.read_text(encoding="utf-8").startswith("# "),
}


def test_every_file_is_of_a_kind_that_runs_no_code(trained: Path) -> None:
    files = [path for path in trained.rglob("*") if path.is_file()]
    assert len(files) == 11
    for path in files:
        is_its_kind = is_log if path.name.startswith("events.out.tfevents.") else KINDS[path.suffix]
        assert is_its_kind(path), path.name
    others = {ATTENTION, BASELINES, CAPTIONS, CONFUSION, FORECAST}  # what other tasks write
    assert {path.name for path in trained.iterdir()} == set(OURS) - others


def test_the_configuration_holds_equations_sizes_and_settings(trained: Path) -> None:
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    assert (config["format"], config["format_version"], config["task"]) == ("unrolled model", FORMAT_VERSION, "text")
    assert config["cell"]["equations"][0] == "i = sigmoid(W_i @ x + U_i @ h + b_i)"
    assert {name: config["settings"][name] for name in TINY} == TINY


def test_the_vocabulary_opens_with_tokenizers_itself(trained: Path) -> None:
    theirs = Tokenizer.from_file(str(trained / "vocabulary.json"))
    assert theirs.encode(TEXT).ids == TextModel.load(trained).vocabulary.encode(TEXT).tolist()


def test_the_card_says_what_it_is(trained: Path) -> None:
    card, metrics = (trained / "README.md").read_text(encoding="utf-8"), TextModel.load(trained).metrics
    assert card.startswith("# lstm on text.txt\n")
    for part in ("= sigmoid(W_i @ x + U_i @ h + b_i)", "loss.png", metrics["data"]["fingerprint"]):
        assert part in card
    assert f"| validation | {metrics['validation']['nats_per_character']:.4f} |" in card
    assert f"torch {torch.__version__}" in card


# What is missing, damaged, foreign or newer is named in one line.


def refusal(folder: Path) -> str:
    """The one line with which a folder is not opened."""
    with pytest.raises(UnrolledError) as caught:
        TextModel.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


NEEDED = ("config.json", "vocabulary.json", "model.safetensors", "metrics.json")


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_file_is_named(name: str, model: Path) -> None:
    (model / name).unlink()
    message = refusal(model)
    assert message.startswith(f"{model} is no whole model: {name} is missing.")
    assert ("--resume' finishes it" in message) == (name != "config.json")
    shutil.rmtree(model / "checkpoints")
    assert refusal(model) == f"{model} is no whole model: {name} is missing."


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("keep", [0, 1, 0.5, -3])
def test_a_truncated_file_is_named(name: str, keep: float, model: Path) -> None:
    raw = (model / name).read_bytes()
    (model / name).write_bytes(raw[: int(keep * len(raw)) if keep == 0.5 else int(keep)])
    message = refusal(model)
    assert message.startswith(f"{model / name} is damaged")


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00 no text", b"[]", b"3", b'"text"', b"null", b"{}", b"PK\x03\x04 a zip file"]
)
def test_a_file_of_another_kind_is_named(name: str, content: bytes, model: Path) -> None:
    (model / name).write_bytes(content)
    if (name, content) == ("metrics.json", b"{}"):  # no figures are no reason not to write and score
        assert TextModel.load(model).metrics == {}
        return
    assert str(model / name) in refusal(model)


@pytest.mark.parametrize("name", NEEDED)
def test_a_folder_in_the_place_of_a_file_is_named(name: str, model: Path) -> None:
    (model / name).unlink()
    (model / name).mkdir()
    assert str(model / name) in refusal(model)


def change_config(model: Path, **changes: Any) -> None:
    path = model / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not ...}), encoding="utf-8")


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 99, "2", None, 1.5])
def test_a_newer_format_is_refused(version: Any, model: Path) -> None:
    change_config(model, format_version=version)
    expected = f"{model} has format version {version}, and this unrolled reads up to version {FORMAT_VERSION}"
    assert refusal(model) == f"{expected}; install a newer one."


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        (
            {"format": "another"},
            "{model}/config.json was not written by unrolled (it names no format 'unrolled model').",
        ),
        ({"format": ...}, "{model}/config.json was not written by unrolled (it names no format 'unrolled model')."),
        ({"task": "translate"}, "{model} holds a model of the task 'translate', and a text model is wanted."),
        ({"task": ...}, "{model}/config.json is damaged: it names no task."),
        ({"task": ["text"]}, "{model}/config.json is damaged: it names no task."),
        ({"cell": ...}, "{model}/config.json is incomplete: 'cell' is missing."),
        ({"settings": ...}, "{model}/config.json is incomplete: 'settings' is missing."),
        ({"cell": "lstm"}, "{model}/config.json is damaged: cell and settings are JSON objects."),
        ({"settings": 5}, "{model}/config.json is damaged: cell and settings are JSON objects."),
        ({"cell": {"name": "a"}}, "{model}/config.json describes no model: a described cell has the keys"),
        ({"cell": {"name": "a", "equations": ["h' = "]}}, "{model}/config.json describes no model: line 1"),
        ({"settings": {"hiden": 3}}, "{model}/config.json describes no model: there is no setting 'hiden'."),
        ({"settings": {"hidden": "x"}}, "{model}/config.json describes no model: hidden: should be a valid integer"),
    ],
)
def test_a_configuration_that_does_not_fit_is_named(changes: dict[str, Any], wanted: str, model: Path) -> None:
    change_config(model, **changes)
    assert refusal(model).startswith(wanted.format(model=model))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (key, value)
        for key in ("constants", "sizes", "heads", "initial", "start", "noise", "remembers", "output", "source")
        for value in (5, "x", [1], {"a": []}, {"h": {}}, [["h", 1, 2]])
        if not (isinstance(value, str) and key in ("source",)) and not (key == "heads" and isinstance(value, int))
    ],
    ids=repr,
)
def test_a_declaration_of_another_kind_is_named(key: str, value: Any, model: Path) -> None:
    cell = json.loads((model / "config.json").read_text(encoding="utf-8"))["cell"]
    change_config(model, cell=cell | {key: value})
    message = refusal(model)
    assert message.startswith(f"{model}/config.json describes no model: ")


def test_a_vocabulary_of_another_text_or_program_is_named(model: Path) -> None:
    path = model / "vocabulary.json"
    foreign = json.loads(path.read_text(encoding="utf-8"))
    foreign["pre_tokenizer"] = {"type": "Whitespace"}
    path.write_text(json.dumps(foreign), encoding="utf-8")
    assert refusal(model).startswith(f"{path} is damaged or foreign: the vocabulary is a tokenizers JSON that unrolled")
    other = TextModel.fit(write(model.parent, TEXT + "%" * 99), **TINY)
    path.write_text(other.vocabulary.to_json(), encoding="utf-8")
    expected = f"{model / 'model.safetensors'} does not fit its configuration: 'input_side.table.weight' has shape "
    assert refusal(model).startswith(expected)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda tensors: tensors.pop("output_side.linear.bias"), "the tensor 'output_side.linear.bias' is missing."),
        (lambda tensors: tensors.update(strange=torch.ones(2)), "it holds a foreign tensor 'strange'."),
        (
            lambda tensors: tensors.update({"output_side.linear.bias": torch.ones(2)}),
            "'output_side.linear.bias' has shape (2,), and (45,) is wanted.",
        ),
    ],
    ids=["missing", "foreign", "of another shape"],
)
def test_weights_of_another_network_are_named(
    change: Callable[[dict[str, Tensor]], Any], wanted: str, model: Path
) -> None:
    tensors = load_file(model / "model.safetensors")
    change(tensors)
    save_file(tensors, model / "model.safetensors")
    assert refusal(model) == f"{model / 'model.safetensors'} does not fit its configuration: {wanted}"


def test_tensors_that_fit_are_let_be() -> None:
    state = {"a": torch.ones(2)}
    check_tensors(state, {"a": torch.zeros(2)}, Path("file"))


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == f"there is no model folder {tmp_path / 'none'}."
    write(tmp_path, TEXT)
    assert refusal(tmp_path / "text.txt") == f"there is no model folder {tmp_path / 'text.txt'}."
    assert refusal(tmp_path) == f"{tmp_path} is no whole model: config.json is missing."


# Making room.


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, with the bytes of files."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_a_model_is_not_overwritten_without_force(model: Path) -> None:
    before = contents(model)
    with pytest.raises(UsageError) as caught:
        ModelFolder.create(model)
    assert str(caught.value) == f"{model} holds a model; --force replaces it, --resume goes on with it."
    assert contents(model) == before
    ModelFolder.create(model, force=True)
    assert contents(model) == {}


def put(*path: str, content: str = "mine") -> Callable[[Path], str]:
    def change(model: Path) -> str:
        target = model.joinpath(*path)
        target.parent.mkdir(exist_ok=True)
        target.write_text(content, encoding="utf-8")
        return "/".join(path)

    return change


def put_folder(model: Path) -> str:
    (model / "notes").mkdir()
    return "notes"


def put_link(model: Path) -> str:
    (model.parent / "elsewhere").mkdir()
    shutil.rmtree(model / "checkpoints")
    (model / "checkpoints").symlink_to(model.parent / "elsewhere")
    return "checkpoints"


@pytest.mark.parametrize(
    "change",
    [
        put("notes.txt"),
        put(".hidden"),
        put("checkpoints", "notes.txt"),
        put("tensorboard", "notes.txt"),
        put("deep", "notes.txt"),
        put_folder,
        put_link,
    ],
    ids=["a file", "a hidden file", "in checkpoints", "in tensorboard", "in a folder", "a folder", "a link"],
)
def test_a_folder_with_anything_but_a_model_is_never_touched(change: Callable[[Path], str], model: Path) -> None:
    strange = change(model).split("/")
    before = contents(model)
    for force in (False, True):
        with pytest.raises(UsageError) as caught:
            ModelFolder.create(model, force)
        name = "/".join(strange) if strange[0] in ("checkpoints", "tensorboard") else strange[0]
        assert str(caught.value) == f"{model} holds files that are no model ({name}); name another folder."
        assert contents(model) == before


@pytest.mark.parametrize("config", ["{}", '{"format": "another"}', "[]", "{", '{"model_type": "bert"}'])
def test_a_model_of_another_program_is_never_touched(config: str, tmp_path: Path) -> None:
    for name in ("README.md", "model.safetensors"):
        write(tmp_path, "theirs", name)
    write(tmp_path, config, "config.json")
    before = contents(tmp_path)
    with pytest.raises(UsageError, match="holds files that are no model"):
        ModelFolder.create(tmp_path, force=True)
    assert contents(tmp_path) == before


def test_the_part_of_a_killed_writer_is_no_stranger(model: Path) -> None:
    for path in (model / ".model.safetensors.4711.part", model / "checkpoints" / ".last.safetensors.4711.part"):
        path.write_bytes(b"half")
    ModelFolder.create(model, force=True)
    assert contents(model) == {}


def test_an_empty_folder_is_taken_and_those_above_are_made(tmp_path: Path) -> None:
    assert ModelFolder.create(tmp_path).path == tmp_path
    assert ModelFolder.create(tmp_path / "a" / "b").path.is_dir()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    with pytest.raises(UsageError, match="is a file; --out names a folder"):
        ModelFolder.create(path, force=True)
    with pytest.raises(UsageError, match=f"cannot write to {path / 'out'}: Not a directory"):
        ModelFolder.create(path / "out", force=True)
    assert path.read_text(encoding="utf-8") == TEXT


def test_discarding_takes_away_what_is_ours_alone(model: Path) -> None:
    write(model, "mine", "notes.txt")
    ModelFolder(model).discard()
    assert contents(model) == {"notes.txt": b"mine"}
    (model / "notes.txt").unlink()
    ModelFolder(model).discard()
    assert not model.exists()


def test_a_file_is_written_over_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for content in (b"first", b"", b"second, longer"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_on_the_command_line_force_replaces_and_its_absence_does_not(model: Path, tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    words = ("train", "text", "text.txt", "--out", "model", *options(TINY | {"seed": 5}))
    before = contents(model)
    assert run(*words, folder=tmp_path).error == "model holds a model; --force replaces it, --resume goes on with it."
    assert contents(model) == before
    assert run(*words, "--force", "--hidden", "-1", folder=tmp_path).error.startswith("hidden: should be greater")
    assert contents(model) == before, "a run that cannot be must not make room for itself"
    assert run(*words, "--force", folder=tmp_path).code == 0
    assert TextModel.load(model).config.seed == 5
