import os
import stat

import pytest

from vaetools.files import atomically, write_atomically


def test_replaces_the_whole_file(tmp_path):
    path = tmp_path / "page.html"
    write_atomically(path, b"first and longer")
    write_atomically(str(path), b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["page.html"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch, failing, error):
    path = tmp_path / "page.html"
    path.write_bytes(b"old")

    def fail(*arguments):
        raise error

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["page.html"]


def test_the_bytes_are_on_disk_before_the_file_has_its_name(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda *a: (calls.append("fsync"), fsync(*a)))
    monkeypatch.setattr(os, "replace", lambda *a: (calls.append("replace"), replace(*a)))
    write_atomically(tmp_path / "a", b"x")
    assert calls == ["fsync", "replace"]


def test_a_link_is_followed(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_permissions_obey_the_umask(tmp_path):
    write_atomically(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")
    mode_a, mode_b = (stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab")
    assert mode_a == mode_b


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "none" / "a", b"x")


def test_leftovers_of_killed_writers_are_removed_by_the_next(tmp_path):
    names = (".[a].ckpt.0123abcd.tmp", ".a.ckpt.0123abcd.tmp", ".[a].ckpt.x.tmp")
    for name in names:
        (tmp_path / name).touch()
    write_atomically(tmp_path / "[a].ckpt", b"x")
    assert sorted(os.listdir(tmp_path)) == [".[a].ckpt.x.tmp", ".a.ckpt.0123abcd.tmp", "[a].ckpt"]


def test_what_somebody_still_writes_is_no_leftover(tmp_path):
    path = tmp_path / "page.html"
    with atomically(path) as first:
        first.write_bytes(b"first")
        write_atomically(path, b"second")
        assert first.exists()
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["page.html"]
