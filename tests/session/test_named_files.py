from __future__ import annotations

from pathlib import Path

from bug_lsp.session.named_files import named_files


def test_the_python_files_that_a_task_names_are_found_the_tests_first(tmp_path: Path) -> None:
    for name in ("a/shop.py", "a/tests/test_shop.py", "other.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    text = "`a/shop.py:3` and a/tests/test_shop.py::test_b fail, not b/none.py or a/shop.python"
    found = named_files(f"{text}\n{tmp_path}/other.py ../other.py /etc/x.py", tmp_path)
    assert found == ("a/tests/test_shop.py", "a/shop.py", "other.py")
