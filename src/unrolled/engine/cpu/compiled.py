"""From IR to machine code: the processor at hand, optimisation, and code kept on disk between processes."""

import contextlib
import ctypes
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import RLock

import llvmlite
import llvmlite.binding as llvm
from llvmlite import ir

COMPILING = RLock()
"""Held by whoever compiles or loads code: a module compiled twice at once would be kept once, and used twice."""
FOLDER = Path("~/.cache/unrolled/code")
"""Where machine code is kept. It may be deleted at any time."""


@dataclass(frozen=True)
class Target:
    """A processor to compile for: LLVM's triple, name and features; and how many float32 numbers a vector holds."""

    triple: str
    processor: str
    features: str
    width: int

    def machine(self) -> llvm.TargetMachine:
        """LLVM's code generator for it."""
        return llvm.Target.from_triple(self.triple).create_target_machine(
            cpu=self.processor, features=self.features, opt=3, jit=True
        )


@cache
def host() -> Target:
    """The processor that this process runs on."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    found = llvm.get_host_cpu_features()
    width = 16 if found.get("avx512f") else 8 if found.get("avx2") and found.get("fma") else 4
    return Target(llvm.get_process_triple(), llvm.get_host_cpu_name(), found.flatten(), width)


def optimised(module: ir.Module, target: Target) -> llvm.ModuleRef:
    """The module checked and optimised for a target."""
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    machine = target.machine()
    parsed.triple, parsed.data_layout = target.triple, str(machine.target_data)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(parsed, builder)
    return parsed


def machine_code(module: ir.Module, target: Target) -> bytes:
    """The module as an object file: from disk, where it was compiled before, by this or another process."""
    text = str(module)
    versions = f"{llvmlite.__version__} {llvm.llvm_version_info}"
    key = hashlib.sha256("\n".join((versions, target.triple, target.processor, target.features, text)).encode())
    folder = _folder()
    kept = None if folder is None else _read(folder / f"{key.hexdigest()}.o")
    if kept is not None:
        return kept
    code = target.machine().emit_object(optimised(module, target))
    if folder is not None:
        _write(folder / f"{key.hexdigest()}.o", code)
    return code


def _folder() -> Path | None:
    """Where code is kept; None for a user without a home."""
    try:
        return FOLDER.expanduser()
    except RuntimeError:
        return None


def _read(path: Path) -> bytes | None:
    """What was kept, if its own digest says that it is whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:32], content[32:]
    return code if hashlib.sha256(code).digest() == digest else None


def _write(path: Path, code: bytes) -> None:
    """Keep code for later; a disk that is full or not ours costs a compilation next time, and nothing else."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            os.replace(name, path)  # other processes see all of it or nothing
        except OSError:
            os.unlink(name)


class Library:
    """Machine code loaded into this process."""

    def __init__(self, code: bytes, target: Target) -> None:
        empty = llvm.parse_assembly("")
        self._engine = llvm.create_mcjit_compiler(empty, target.machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function begins."""
        return self._engine.get_function_address(name)

    def publish(self, name: str) -> None:
        """Let code loaded later call this function by its name."""
        llvm.add_symbol(name, self.address(name))

    def function(self, name: str, *types: type) -> Callable[..., None]:
        """A function that takes such arguments and gives nothing; Python's lock is free while it runs."""
        return ctypes.CFUNCTYPE(None, *types)(self.address(name))
