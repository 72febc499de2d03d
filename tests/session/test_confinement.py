"""What an agent does outside its copy: reported where nothing confines it."""

from __future__ import annotations

from tests.support.projects import small_project
from tests.support.runs import FINDS, program, start


def test_a_change_of_the_users_own_files_is_reported_on_the_session_that_ran(tmp_path) -> None:
    own = small_project(tmp_path / "own")
    victim = own.root / "shop" / "tax.py"
    writes = program(
        "import pathlib, sys\n"
        "pathlib.Path(sys.argv[1]).write_text('broken = True\\n')\n"
        "pathlib.Path(sys.argv[1]).with_name('planted.py').touch()\n"
        "print('done')",
        victim,
    )
    run = start(own.root, writes).wait_finished()
    assert "while this session ran, 2 of your own files changed" in run.output(0)
    assert "shop/planted.py, shop/tax.py" in run.output(0)
    assert run.result(0).patch == "", "its own copy is as it was"


def test_an_agent_that_stays_in_its_copy_is_not_suspected(tmp_path) -> None:
    own = small_project(tmp_path / "own")
    edits = program("open('new.py', 'w').close(); print('done')")
    run = start(own.root, edits, FINDS).wait_finished()
    assert "of your own files changed" not in run.output(0)
    assert "of your own files changed" not in run.output(1)
