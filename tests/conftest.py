"""What every test shares: the folder of data sets, hypothesis profiles, the skip of GPU tests without a GPU."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# One thread, here and in every process that a test starts: tensors are tiny, and on a busy machine the barriers between
# two threads cost a hundred times what they save. Torch reads this when it is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parent.parent

settings.register_profile("local", deadline=None, max_examples=60)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def find_shared_data(name: str, folder: Path) -> Path:
    """Return the data set ``name`` in ``folder``; skip where there is no such folder, raise where it lacks the set."""
    if not folder.is_dir():
        pytest.skip(f"no shared data: {folder} is not a folder (set UNROLLED_DATA to where it is)")
    if not (folder / name).exists():
        known = ", ".join(sorted(one.name for one in folder.iterdir()))
        raise FileNotFoundError(f"no data set {name!r} in {folder}; it holds: {known}")
    return folder / name


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """A function from a data set's name to its path, in UNROLLED_DATA or in shared/data beside the repository."""
    folder = Path(os.environ.get("UNROLLED_DATA") or REPOSITORY.parent / "shared" / "data")
    return lambda name: find_shared_data(name, folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked ``gpu`` where torch sees no CUDA GPU; torch is asked only when there is such a test."""
    gpu_tests = [item for item in items if item.get_closest_marker("gpu")]
    if not gpu_tests:
        return
    import torch

    if not torch.cuda.is_available():
        for item in gpu_tests:
            item.add_marker(pytest.mark.skip(reason="torch sees no CUDA GPU here"))
