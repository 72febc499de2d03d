"""Files that appear whole, once, and for the user alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bug_lsp.store import files

_CREATE = """
import sys
from pathlib import Path
from bug_lsp.store.files import create_once
sys.stdin.read()
print(sum(create_once(Path(sys.argv[1]), sys.argv[2].encode()) for _ in range(10)))
"""


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_of_fifty_threads_and_four_processes_one_creates_the_file(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CREATE, str(path), f"child {number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    won: list[int] = []
    ready = threading.Barrier(50)

    def create(number: int) -> None:
        ready.wait()
        if files.create_once(path, f"thread {number}".encode()):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(50)]
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
        child.stdin = None
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wins = [int(child.communicate(timeout=30)[0]) for child in children]
    assert len(won) + sum(wins) == 1
    winner = f"thread {won[0]}" if won else f"child {wins.index(1)}"
    assert path.read_text() == winner
    assert list(tmp_path.iterdir()) == [path] or {item.name for item in tmp_path.iterdir()} == {
        "claim",
        "home",
    }


def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    folder = files.make_private(tmp_path / "a/b/c")
    files.create_once(folder / "once", b"1")
    files.replace(folder / "again", b"1")
    files.replace(folder / "again", b"2")
    with files.locked(folder / "lock"):
        pass
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert (folder / "again").read_bytes() == b"2"


def test_a_reader_sees_the_old_file_or_the_new_one_but_never_half(tmp_path: Path) -> None:
    path = tmp_path / "file"
    wholes = [bytes([letter]) * 200_000 for letter in b"ab"]
    files.replace(path, wholes[0])
    done = threading.Event()

    def write() -> None:
        for number in range(40):
            files.replace(path, wholes[number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert files.read(path) in wholes
    writer.join()


def test_what_could_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(TypeError):
        files.replace(path, "not bytes")  # type: ignore[arg-type]
    assert not path.exists()
    assert [item.name for item in tmp_path.iterdir()] == ["home"]


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert files.read(tmp_path / "no") is None
    (tmp_path / "file").touch()
    assert files.read(tmp_path / "file" / "no") is None


def test_a_lock_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom bug_lsp.store.files import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    taken = threading.Event()

    def take() -> None:
        with files.locked(path):
            taken.set()

    waiting = threading.Thread(target=take)
    waiting.start()
    assert not taken.is_set()
    holder.kill()
    waiting.join(10)
    assert taken.is_set()
    holder.communicate()
