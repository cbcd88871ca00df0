"""The model folder: one artefact that holds all of a trained model, and nothing that runs code when it is opened."""

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from unrolled.errors import UnrolledError, UsageError

FORMAT, FORMAT_VERSION = "unrolled model", 1
CONFIG, WEIGHTS, VOCABULARY, METRICS = "config.json", "model.safetensors", "vocabulary.json", "metrics.json"
HISTORY, FIGURE, CARD = "history.csv", "loss.png", "README.md"
BASELINES = "baselines.safetensors"
CHECKPOINTS, LOGS = "checkpoints", "tensorboard"
SOURCE = "source.json"
SAID = "unrolled"
"""The name, in a safetensors file, of a text of ours."""
CONFUSION, ATTENTION, FORECAST, CAPTIONS = "confusion.png", "attention.png", "forecast.png", "captions.png"
FIGURES = (FIGURE, CONFUSION, ATTENTION, FORECAST, CAPTIONS)
OURS = (CONFIG, SOURCE, WEIGHTS, BASELINES, VOCABULARY, METRICS, HISTORY, *FIGURES, CARD, CHECKPOINTS, LOGS)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens in between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # a full disk names no file by itself
    finally:
        beside.unlink(missing_ok=True)


class ModelFolder:
    """A folder with ``config.json`` (format, equations, sizes, settings), ``model.safetensors``, the vocabulary, …

    :meth:`create` makes one, :meth:`open` reads one; every file is written whole or not at all.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: str | Path, force: bool = False) -> "ModelFolder":
        """An empty folder to write a model to.

        Args:
            path: Where; folders above are made as needed.
            force: Put a model that stands there away. A folder that holds anything but a model is never touched.

        Raises:
            UsageError: something stands there already, or the place cannot be written to.
        """
        folder = cls(path)
        try:
            if folder.path.exists():
                folder._make_room(force)
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot write to {path}: {error.strerror}.") from None
        if not os.access(folder.path, os.W_OK | os.X_OK):
            raise UsageError(f"cannot write to {path}: permission denied.")
        return folder

    def _make_room(self, force: bool) -> None:
        if not self.path.is_dir():
            raise UsageError(f"{self.path} is a file; --out names a folder.")
        present = sorted(entry.name for entry in self.path.iterdir())
        if not present:
            return
        strange = self._strangers()
        if strange or not self._is_model():
            shown = ", ".join((strange or present)[:3])
            raise UsageError(f"{self.path} holds files that are no model ({shown}); name another folder.")
        if not force:
            raise UsageError(f"{self.path} holds a model; --force replaces it, --resume goes on with it.")
        for name in present:
            entry = self.path / name
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def _strangers(self) -> list[str]:
        """What no model folder holds, by its path in this one."""
        folders = [self.path / name for name in (CHECKPOINTS, LOGS)]
        real = [one for one in folders if one.is_dir() and not one.is_symlink()]
        entries = [entry for place in (self.path, *real) for entry in sorted(place.iterdir()) if entry not in real]
        return [str(path) for path in (one.relative_to(self.path) for one in entries) if not _is_ours(path)]

    def _is_model(self) -> bool:
        """Whether ``config.json`` says that this program wrote it, whatever state the rest is in."""
        try:
            config = json.loads((self.path / CONFIG).read_bytes())
        except (FileNotFoundError, ValueError):
            return False
        return isinstance(config, dict) and config.get("format") == FORMAT

    def discard(self) -> None:
        """Take away what :meth:`create` and writes into it made."""
        for name in OURS:
            entry = self.path / name
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
        if not any(self.path.iterdir()):
            self.path.rmdir()

    @classmethod
    def open(cls, path: str | Path) -> tuple["ModelFolder", dict[str, Any]]:
        """The folder at ``path`` and its configuration.

        Raises:
            UsageError: there is no such folder, no or a foreign or damaged ``config.json``, or a newer format.
        """
        folder = cls(path)
        if not folder.path.is_dir():
            raise UsageError(f"there is no model folder {path}.")
        config = folder.read_json(CONFIG)
        if config.get("format") != FORMAT:
            raise UsageError(f"{folder.path / CONFIG} was not written by unrolled (it names no format '{FORMAT}').")
        if not isinstance(config.get("task"), str):
            raise UsageError(f"{folder.path / CONFIG} is damaged: it names no task.")
        version = config.get("format_version")
        if not isinstance(version, int) or version > FORMAT_VERSION:
            newest = f"this unrolled reads up to version {FORMAT_VERSION}; install a newer one"
            raise UsageError(f"{folder.path} has format version {version}, and {newest}.")
        return folder, config

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file."""
        self.write_text(name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def write_text(self, name: str, content: str) -> None:
        """Write a text file, UTF-8."""
        write_whole(self.path / name, content.encode())

    def write_tensors(self, tensors: Mapping[str, Tensor], name: str = WEIGHTS, said: str = "") -> None:
        """Write tensors by name as safetensors, with a text beside them if there is one."""
        plain = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
        write_whole(self.path / name, save(plain, {SAID: said} if said else None))

    def read_text(self, name: str) -> str:
        """Read a text file. Raises UsageError where it is missing or no UTF-8."""
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise UsageError(f"{self.path} is no whole model: {name} is missing.{self._unfinished(name)}") from None
        except OSError as error:
            raise UsageError(f"{self.path / name} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            raise UsageError(f"{self.path / name} is damaged: byte {error.start} is not UTF-8.") from None

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON object. Raises UsageError where it is missing, cut off or no object."""
        try:
            content = json.loads(self.read_text(name))
        except json.JSONDecodeError as error:
            raise UsageError(f"{self.path / name} is damaged or cut off: {error.msg} in line {error.lineno}.") from None
        if not isinstance(content, dict):
            raise UsageError(f"{self.path / name} holds no JSON object.")
        return content

    def read_tensors(self, name: str = WEIGHTS) -> dict[str, Tensor]:
        """Read a safetensors file. Raises UsageError where it is missing, cut off or of another kind."""
        return self.read_tensors_and_text(name)[0]

    def read_tensors_and_text(self, name: str) -> tuple[dict[str, Tensor], str]:
        """Read a safetensors file and the text beside its tensors. Raises as :meth:`read_tensors` does."""
        try:
            with safe_open(self.path / name, "pt") as file:
                said = (file.metadata() or {}).get(SAID, "")
            return load_file(self.path / name), said
        except FileNotFoundError:
            raise UsageError(f"{self.path} is no whole model: {name} is missing.{self._unfinished(name)}") from None
        except (OSError, SafetensorError) as error:
            raise UsageError(f"{self.path / name} is damaged, cut off or no safetensors file ({error}).") from None

    def _unfinished(self, name: str) -> str:
        going = name != CONFIG and (self.path / CHECKPOINTS).is_dir()
        return (
            f" Its training was cut off: 'unrolled train ... --out {self.path} --resume' finishes it." if going else ""
        )


def _is_ours(path: Path) -> bool:
    """Whether a model folder may hold a file: one of its own by name, or the part of one whose writer was killed."""
    name = re.sub(r"^\.(.+)\.\d+\.part$", r"\1", path.name)
    if path.parent == Path(LOGS):
        return name.startswith("events.out.tfevents")
    if path.parent == Path(CHECKPOINTS):
        return name.endswith(".safetensors")
    return name in OURS and name not in (CHECKPOINTS, LOGS)


def check_tensors(module_state: Mapping[str, Tensor], tensors: Mapping[str, Tensor], where: Path) -> None:
    """Check that a file's tensors are those of a network. Raises UnrolledError naming the first that is not."""
    for name, value in module_state.items():
        if name not in tensors:
            raise UnrolledError(f"{where} does not fit its configuration: the tensor '{name}' is missing.")
        if tensors[name].shape != value.shape:
            shapes = f"{tuple(tensors[name].shape)}, and {tuple(value.shape)} is wanted"
            raise UnrolledError(f"{where} does not fit its configuration: '{name}' has shape {shapes}.")
    for name in tensors:
        if name not in module_state:
            raise UnrolledError(f"{where} does not fit its configuration: it holds a foreign tensor '{name}'.")
