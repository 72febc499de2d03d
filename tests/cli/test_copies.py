"""`bug-lsp doctor --copies` says what a copy would hold."""

from __future__ import annotations

from tests.cli.conftest import User
from tests.support.projects import git


def test_it_lists_what_is_copied_linked_and_left_out_with_reasons(user: User) -> None:
    files = {
        ".gitignore": "_version.py\n.venv/\nsecret.txt\nnode_modules/\n",
        ".worktreeinclude": "!secret.txt\n",
        "shop/_version.py": "version = 1\n",
        ".venv/pyvenv.cfg": "home = /usr\n",
        "secret.txt": "x",
        "untracked/pyvenv.cfg": "home = /usr\n",
    }
    for name, text in files.items():
        path = user.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git("init", "-q", cwd=user.project)
    said = user.run("doctor", "--copies").stdout
    assert "  copied: shop/_version.py (ignored by git, 12 bytes)\n" in said
    assert "  linked, for reading: .venv (dependencies)\n" in said
    assert "  linked, for reading: untracked (dependencies)\n" in said
    assert "  NOT in the copies: secret.txt (left out by .worktreeinclude)\n" in said
    assert "setUpCommand" in said.splitlines()[-1]
    found = user.json("doctor", "--copies")
    assert found["checkout"] == str(user.project)
    assert {one["path"]: one["way"] for one in found["extras"]} == {
        "shop/_version.py": "copied",
        ".venv": "linked",
        "untracked": "linked",
        "secret.txt": "leftOut",
    }


def test_where_nothing_is_ignored_it_says_so(user: User) -> None:
    done = user.run("doctor", "--copies")
    assert done.returncode == 0
    assert "nothing else" in done.stdout
