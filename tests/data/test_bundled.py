"""The bundled texts: found by name and alias, whole, and credited."""

import hashlib
import re

import pytest

from unrolled.data.bundled import bundled, bundled_sets
from unrolled.errors import UsageError

SHA256 = {"tinyshakespeare": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"}


@pytest.mark.parametrize("one", bundled_sets(), ids=lambda one: one.name)
def test_each_file_is_the_one_that_its_source_distributes(one):
    raw = one.path.read_bytes()
    assert hashlib.sha256(raw).hexdigest() == SHA256[one.name]
    assert len(raw.decode("utf-8")) == one.characters


@pytest.mark.parametrize("one", bundled_sets(), ids=lambda one: one.name)
def test_each_file_is_credited_in_the_notice_beside_it(one):
    notice = (one.path.parent / "NOTICE.md").read_text(encoding="utf-8")
    section = notice.partition(f"## {one.path.name}")[2].partition("\n## ")[0]
    assert SHA256[one.name] in section
    assert one.licence in section
    repository, commit = re.findall(r"GitHub (\S+) @ (\w+)", one.source)[0]
    assert repository in section
    assert commit in section


def test_a_set_is_found_by_its_name_and_by_its_alias():
    assert bundled("tinyshakespeare").name == "tinyshakespeare"
    assert bundled("shakespeare") is bundled("tinyshakespeare")


def test_names_and_aliases_are_all_different():
    names = [name for one in bundled_sets() for name in (one.name, *one.aliases)]
    assert len(names) == len(set(names)) >= 2


def test_an_unknown_name_lists_the_known_and_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"'shakespear'; bundled: tinyshakespeare, .*Did you mean 'shakespeare'\?"):
        bundled("shakespear")
