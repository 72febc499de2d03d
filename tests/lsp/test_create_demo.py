"""The demo's project, made for an editor that shows a new user round."""

from __future__ import annotations

import pytest
from pygls.exceptions import JsonRpcException

from bug_lsp.lsp.client import path_of

pytestmark = pytest.mark.anyio


async def test_the_demo_is_made_in_a_new_folder_each_time_and_can_be_debugged(
    open_editor, tmp_path
):
    editor = await open_editor()
    parent = tmp_path / "not there yet"
    first, second = [
        await editor.command("createDemo", {"folderUri": parent.as_uri()}) for _ in range(2)
    ]
    assert first["folderUri"] != second["folderUri"]
    folder, task = path_of(first["folderUri"]), path_of(first["taskUri"])
    assert folder.is_relative_to(parent)
    assert task.is_relative_to(folder)
    assert task.read_text().startswith("# ")
    assert {one["agentType"] for one in first["agents"]} == {"spectrum", "repair", "bisect"}
    assert first["testCommand"]


async def test_what_is_no_folder_is_refused_in_one_sentence(open_editor, tmp_path):
    editor = await open_editor()
    with pytest.raises(JsonRpcException, match="not the address of a folder"):
        await editor.command("createDemo", {"folderUri": "https://example.org/"})
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(JsonRpcException, match=r"the demo could not be made in .*file"):
        await editor.command("createDemo", {"folderUri": file.as_uri()})
