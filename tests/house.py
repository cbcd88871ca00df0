"""The rules of the house, each a function from the package's folder to its complaints, one line a complaint."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FLOORS = {
    "errors": 0,
    "equations": 1,
    "data": 1,
    "state": 1,
    "cells": 2,
    "drawing": 2,
    "engine": 2,
    "layers": 3,
    "wirings": 4,
    "model_folder": 4,
    "inspection": 5,
    "training": 6,
    "tasks": 7,
    "lab": 8,
    "serving": 8,
    "cli": 9,
}

LATE_IMPORTS = {
    "lightning": "takes seconds to load and only training needs it",
    "matplotlib": "takes half a second to load and only drawing needs it",
    "av": "optional: the video extra",
    "onnx": "optional: the export extra",
    "onnxruntime": "optional: the export extra",
    "scipy": "takes a third of a second to load and only sounds and tests of significance need it",
    "sklearn": "takes a second to load and only baselines need it",
    "tensorboard": "takes a quarter of a second to load and only a training log needs it",
    "tokenizers": "takes a noticeable time to load and only vocabularies need it",
}

LONGEST_FILE = 350
LONG_FILES: dict[str, str] = {}

BLIND = {"Exception", "BaseException"}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}


@dataclass(frozen=True)
class File:
    """One source file: its path under the package's folder, its dotted name, its text and its tree."""

    path: Path
    module: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The file's or folder's name directly under the package; empty for the face, ``__init__.py``."""
        return "" if self.path.as_posix() == "__init__.py" else self.path.parts[0].removesuffix(".py")

    def at(self, node: ast.AST) -> str:
        """Return ``path:line`` of the node."""
        return f"{self.path.as_posix()}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Import:
    """One imported module, by its full dotted name; ``late`` where the import stands inside a function."""

    node: ast.AST
    target: str
    late: bool


def read(folder: Path) -> list[File]:
    """Return every Python file under ``folder``, the folder of the package, in order of path."""
    files = []
    for full in sorted(folder.rglob("*.py")):
        path = full.relative_to(folder)
        names = path.with_suffix("").parts
        module = ".".join((folder.name, *(names[:-1] if names[-1] == "__init__" else names)))
        text = full.read_text(encoding="utf-8")
        files.append(File(path, module, text, ast.parse(text, filename=str(full))))
    return files


def imports_of(file: File, modules: set[str]) -> Iterator[Import]:
    """Yield what ``file`` imports, by full names; ``from a import b`` is ``a.b`` where that is one of ``modules``."""
    package = file.module if file.path.name == "__init__.py" else file.module.rpartition(".")[0]
    for node, late in _walk(file.tree, False):
        if isinstance(node, ast.Import):
            yield from (Import(node, alias.name, late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join((*above, base)) if base else ".".join(above)
            names = [f"{base}.{alias.name}" for alias in node.names]
            yield from (Import(node, one, late) for one in dict.fromkeys(n if n in modules else base for n in names))


def _walk(node: ast.AST, late: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, late
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _walk(child, late or inside)


def rooms_on_no_floor(folder: Path) -> list[str]:
    """Complain of every file and folder of the package that has no floor."""
    rooms = {file.room: file for file in read(folder) if file.room}
    return [
        f"{file.path.as_posix()}: room {room!r} has no floor in FLOORS"
        for room, file in rooms.items()
        if room not in FLOORS
    ]


def climbing_imports(folder: Path) -> list[str]:
    """Complain of imports of a room on the same floor or above, and of the package's face, which is above all."""
    files = read(folder)
    complaints = []
    for file in files:
        for one in imports_of(file, {other.module for other in files}):
            package, _, rest = one.target.partition(".")
            room = rest.partition(".")[0]
            if package != folder.name or not file.room or room == file.room:
                continue
            if not room:
                complaints.append(f"{file.at(one.node)}: imports the face of the package; import the room instead")
            elif room not in FLOORS:
                complaints.append(f"{file.at(one.node)}: imports {one.target}, a room that has no floor in FLOORS")
            elif file.room in FLOORS and FLOORS[room] >= FLOORS[file.room]:
                complaints.append(
                    f"{file.at(one.node)}: {file.room} (floor {FLOORS[file.room]}) imports {one.target} "
                    f"(floor {FLOORS[room]}); imports go to a lower floor"
                )
    return complaints


def import_circles(folder: Path) -> list[str]:
    """Complain of every circle of files that import each other, late imports and those for types included."""
    files = read(folder)
    modules = {file.module for file in files}
    graph = {file.module: sorted({one.target for one in imports_of(file, modules)} & modules) for file in files}
    complaints: list[str] = []
    finished: set[str] = set()

    def visit(module: str, above: list[str]) -> None:
        if module in above:
            complaints.append("circle of imports: " + " -> ".join([*above[above.index(module) :], module]))
        elif module not in finished:
            for target in graph[module]:
                visit(target, [*above, module])
            finished.add(module)

    for module in graph:
        visit(module, [])
    return complaints


def late_imports(folder: Path) -> list[str]:
    """Complain of imports inside functions, by statement or by name.

    Free are the modules in LATE_IMPORTS, the face (which is lazy), and in ``cli`` the rooms below it: ``--help`` must
    answer in under a second.
    """
    files = read(folder)
    complaints = []
    for file in files:
        if not file.room:
            continue
        for one in imports_of(file, {other.module for other in files}):
            package, _, rest = one.target.partition(".")
            room = rest.partition(".")[0]
            below_cli = file.room == "cli" and package == folder.name and room != "cli"
            allowed = any(f"{one.target}.".startswith(f"{name}.") for name in LATE_IMPORTS)
            if one.late and not allowed and not below_cli:
                complaints.append(f"{file.at(one.node)}: imports {one.target} inside a function")
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and _name(node.func) in {"import_module", "__import__"}:
                complaints.append(f"{file.at(node)}: imports by name; write an import statement")
    return complaints


def long_files(folder: Path) -> list[str]:
    """Complain of files over LONGEST_FILE lines that LONG_FILES gives no reason for."""
    counts = {file.path.as_posix(): len(file.text.splitlines()) for file in read(folder)}
    return [
        f"{path}: {count} lines, at most {LONGEST_FILE}"
        for path, count in counts.items()
        if count > LONGEST_FILE and path not in LONG_FILES
    ]


def missing_first_lines(folder: Path) -> list[str]:
    """Complain of files whose first line does not begin a docstring."""
    return [
        f"{file.path.as_posix()}:1: the first line is no docstring that says what the room is for"
        for file in read(folder)
        if not ast.get_docstring(file.tree) or file.tree.body[0].lineno != 1
    ]


def prints_outside_cli(folder: Path) -> list[str]:
    """Complain of calls of ``print`` outside ``cli``."""
    return _find(folder, _is_print, "print outside cli/; return it or log it", but_not="cli")


def blind_excepts(folder: Path) -> list[str]:
    """Complain of ``except:`` and of ``except`` with Exception or BaseException, alone or in a tuple."""
    return _find(folder, _is_blind, "a blind except; name the errors, or use finally")


def environment_reads(folder: Path) -> list[str]:
    """Complain of every use of the process's environment, a command-line option's ``envvar`` included."""
    return _find(folder, _is_environment, "reads the environment; take an argument instead")


RULES: tuple[Callable[[Path], list[str]], ...] = (
    rooms_on_no_floor,
    climbing_imports,
    import_circles,
    late_imports,
    long_files,
    missing_first_lines,
    prints_outside_cli,
    blind_excepts,
    environment_reads,
)


def _find(folder: Path, is_it: Callable[[ast.AST], bool], what: str, but_not: str | None = None) -> list[str]:
    files = [file for file in read(folder) if file.room != but_not]
    return [f"{file.at(node)}: {what}" for file in files for node in ast.walk(file.tree) if is_it(node)]


def _name(node: ast.AST | None) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_print(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


def _is_blind(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(one is None or _name(one) in BLIND for one in caught)


def _is_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in ENVIRONMENT for alias in node.names)
    if isinstance(node, ast.keyword):
        return node.arg in {"envvar", "auto_envvar_prefix"}
    return isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT
