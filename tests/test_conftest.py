"""The shared test helpers do what the tests rely on: data sets are found, skipped or missed loudly."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from conftest import find_shared_data


def test_a_data_set_is_found(tmp_path: Path) -> None:
    (tmp_path / "text_one").mkdir()
    assert find_shared_data("text_one", tmp_path) == tmp_path / "text_one"


def test_no_folder_skips_and_says_which(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"elsewhere is not a folder \(set UNROLLED_DATA"):
        find_shared_data("text_one", tmp_path / "elsewhere")


def test_a_misspelt_data_set_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text_one").mkdir()
    with pytest.raises(FileNotFoundError, match="no data set 'text_on' .* it holds: text_one"):
        find_shared_data("text_on", tmp_path)


def test_hypothesis_has_no_deadline_and_is_repeatable_in_ci() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert settings.default.derandomize is bool(os.environ.get("CI"))
