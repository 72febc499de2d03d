"""The whole job in a real VS Code, with real agents on the scripted model: from the palette to a
patch that is applied and taken out again.

Pictures of each step are left in the folder that `BUG_LSP_TEST_PICTURES` names.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.claude_home import write_claude_home
from tests.codex_home import write_codex_home
from tests.support import example
from tests.support.projects import BUG
from tests.support.runs import FINDING, SYNTHESIS, block

from .agents import AGENTS, BUG_LSP
from .editor import Editor, Host, browser_page

CONCLUSION = {
    **SYNTHESIS,
    "rootCause": "`with_tax` subtracts the tax [E1].",
    "findings": [FINDING],
}
THOUGHTS = "".join(
    f"\nThought {number}: the test wants 110 and gets 90.\n" for number in range(1, 61)
)


class Scene:
    """The example's project; Codex will be right, Claude is not let in, a third waits."""

    def __init__(self, root: Path, model) -> None:
        project = example.example_project(root / "shop")
        self.project = project.root
        self.task = project.task()
        looks, *rest = example.RIGHT.as_steps()
        slowly = {**looks, "text": "I look at it.", "hang": 4}
        model.load("codex", {"cwd": ".", "steps": [slowly, *rest]})
        model.load("claude", {"cwd": ".", "steps": [slowly, {"http": 401, "times": 20}]})
        concludes = {"text": f"{THOUGHTS}\n{block(CONCLUSION)}", "delay": 0.03}
        model.load("codex/gpt-5", {"cwd": ".", "steps": [concludes]})
        home = root / "agents"
        self.env = {
            **write_codex_home(home, model.url("codex"), retries=1),
            **write_claude_home(home, model.url("claude"), retries=1),
        }
        self.settings = {
            "bugLsp.server.path": str(BUG_LSP),
            "bugLsp.orchestrator": {"agentType": "codex", "model": "gpt-5"},
            "bugLsp.agents": {
                "patient": {
                    "type": "command",
                    "command": [sys.executable, str(AGENTS), "wait", str(root)],
                }
            },
        }


@pytest.mark.example
@pytest.mark.timeout(300)
def test_from_the_palette_to_a_patch_that_is_applied_and_taken_out_again(
    extension, model, tmp_path, pictures
):
    scene = Scene(tmp_path, model)
    host = Host(tmp_path / "user", extension, scene.settings, **scene.env)
    with host.serve("--disable-workspace-trust") as address, browser_page() as page:
        editor = Editor(page, address, scene.project, pictures)
        with editor.pictured_if_it_fails():
            editor.open()
            _welcome(editor)
            _start(editor)
            _at_work(editor)
            _after_a_reload(editor)
            _one_cancelled_one_failed(editor)
            _the_orchestrator_beside(editor)
            _done(editor)
            _on_the_line(editor)
            _the_patch_as_a_diff(editor)
            _applied_and_taken_out(editor)
            _in_the_dark(editor, host)
    assert BUG in (scene.project / example.BUGGY_FILE).read_text()


def _welcome(editor: Editor) -> None:
    editor.runs_view()
    expect(editor.page.get_by_role("button", name="Debug with Agents").first).to_be_visible()
    editor.picture("1-welcome")
    editor.open_file("prices.md")
    expect(editor.page.locator(".codelens-decoration").first).to_contain_text("Debug with agents")


def _start(editor: Editor) -> None:
    editor.palette("Bug LSP: Debug with Agents")
    editor.choose("codex", "claude", "patient", picture="2-agents")
    editor.answer("such as: python -m unittest", "")


def _at_work(editor: Editor) -> None:
    for name in ("codex", "claude", "patient"):
        expect(editor.toast(f"{name}: Prices").first).to_be_visible()
        expect(editor.tree_row(name)).to_be_visible()
    expect(editor.tree_row("Prices are too low")).to_be_visible()
    expect(editor.status("of 3 agents done")).to_be_visible()
    editor.picture("3-at-work")
    editor.tree_row("patient").click()
    expect(editor.tab("Debug (3) patient")).to_be_visible()
    expect(editor.group(1)).to_contain_text("I am wait and I wait.")


def _after_a_reload(editor: Editor) -> None:
    editor.load_again()
    expect(editor.tab("Debug (3) patient")).to_be_visible()
    expect(editor.group(1)).to_contain_text("I am wait and I wait.")
    expect(editor.toast("patient: Prices").first).to_be_visible()
    expect(editor.tree_row("patient")).to_be_visible()
    editor.tab("prices.md").click()
    editor.picture("4-after-a-reload")


def _one_cancelled_one_failed(editor: Editor) -> None:
    expect(editor.tree_row("claude")).to_contain_text("not logged in")
    toast = editor.toast("patient: Prices").first
    toast.hover()
    toast.get_by_role("button", name="Cancel").click()
    expect(editor.toast("patient: Prices")).to_have_count(0)


def _the_orchestrator_beside(editor: Editor) -> None:
    expect(editor.tab("Orchestrator codex")).to_be_visible()
    expect(editor.page.locator(".editor-group-container")).to_have_count(2)
    # The user is where they were.
    expect(editor.page.locator(".editor-group-container.active .tab.active")).to_contain_text(
        "prices.md"
    )
    for number in (5, 30, 55):  # the end is followed
        expect(editor.group(1)).to_contain_text(f"Thought {number}:")
        if number == 30:
            editor.picture("5-orchestrator")


def _done(editor: Editor) -> None:
    toast = editor.toast("is done").first
    expect(toast).to_be_visible()
    for name in ("Open Task", "Open Orchestrator", "Apply Best Patch"):
        expect(toast.get_by_role("button", name=name)).to_be_visible()
    expect(editor.group(0)).to_contain_text("Root cause")
    expect(editor.tree_row("Prices are too low")).to_contain_text("done")
    editor.picture("6-done")


def _on_the_line(editor: Editor) -> None:
    editor.open_file(example.BUGGY_FILE)
    editor.palette("View: Close Editors in Other Groups")
    expect(editor.page.locator(".editor-group-container")).to_have_count(1)
    expect(editor.page.locator(".squiggly-error").first).to_be_visible()
    editor.cursor_at(BUG.strip())
    expect(editor.quick_fixes()).to_contain_text("Apply the patch of Debug (1)")
    editor.picture("7-on-the-line")
    editor.page.keyboard.press("Escape")


def _the_patch_as_a_diff(editor: Editor) -> None:
    editor.palette("Bug LSP: Show Diff")
    expect(editor.tab("Debug (1) codex")).to_contain_text("breaks none of the project")
    diff = editor.page.locator(".monaco-diff-editor").first
    expect(diff.locator(".editor.original")).to_contain_text("price - price * rate")
    expect(diff.locator(".editor.modified")).to_contain_text("price + price * rate")
    editor.picture("8-diff")


def _applied_and_taken_out(editor: Editor) -> None:
    editor.palette("Bug LSP: Apply Patch")
    code = editor.page.locator(".editor-group-container.active .monaco-editor").first
    expect(editor.page.locator(".tab.active").first).to_contain_text("tax.py")
    expect(code).to_contain_text("price + price * rate")
    expect(editor.page.locator(".squiggly-error")).to_have_count(0)
    editor.picture("9-applied")
    code.click()
    editor.page.keyboard.press("Control+z")
    expect(code).to_contain_text("price - price * rate")
    expect(editor.page.locator(".squiggly-error").first).to_be_visible()


def _in_the_dark(editor: Editor, host: Host) -> None:
    host.set(**{"workbench.colorTheme": "Default Dark Modern"})
    expect(editor.page.locator(".monaco-workbench.vs-dark")).to_be_visible()
    editor.tab("prices.md").click()
    expect(editor.group(0)).to_contain_text("Root cause")
    editor.picture("10-dark")
