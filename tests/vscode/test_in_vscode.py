"""The extension in a real VS Code: one bug, from the palette to the synthesis.

Pictures of each step are left in the folder that `BUG_LSP_TEST_PICTURES` names.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bug_lsp.demo import project as demo

from .editor import Editor, Host, browser_page

TASK = Path(demo.TASK).name
AGENTS = Path(__file__).with_name("agents.py")
BUG_LSP = Path(sys.executable).with_name("bug-lsp")


class Scene:
    """The demo's project with agents that wait until the test lets them go on."""

    def __init__(self, root: Path) -> None:
        self.workspace = demo.build(root)
        self.task = self.workspace / demo.TASK
        self.gates = root / "gates"
        self.gates.mkdir()

    def settings(self) -> dict:
        roles = {"waiter": "wait", "broken": "fail", "writer": "write"}
        return {
            "bugLsp.server.path": str(BUG_LSP),
            "bugLsp.agents": {
                name: {
                    "type": "command",
                    "command": [sys.executable, str(AGENTS), role, str(self.gates)],
                }
                for name, role in roles.items()
            },
            "bugLsp.orchestrator": {"agentType": "writer"},
            "bugLsp.confinement": "off",
        }

    def let(self, role: str) -> None:
        (self.gates / role).touch()


@pytest.mark.timeout(240)
def test_a_bug_from_the_palette_to_the_synthesis(extension, tmp_path, pictures):
    scene = Scene(tmp_path)
    host = Host(tmp_path / "user", extension, scene.settings())
    with host.serve("--disable-workspace-trust") as address, browser_page() as page:
        editor = Editor(page, address, scene.workspace, pictures)
        with editor.pictured_if_it_fails():
            editor.open()
            _welcome(editor)
            _start(editor)
            _at_work(editor)
            _after_a_reload(editor)
            _one_cancelled_one_failed(editor, scene)
            _the_orchestrator(editor, scene)
            _done(editor)


def _welcome(editor: Editor) -> None:
    editor.page.locator(".activitybar [aria-label='Bug LSP']").first.click()
    expect(editor.page.get_by_role("button", name="Debug with Agents").first).to_be_visible()
    editor.picture("1-welcome")
    editor.open_file(TASK)
    expect(editor.page.locator(".codelens-decoration").first).to_contain_text("Debug with agents")


def _start(editor: Editor) -> None:
    editor.palette("Bug LSP: Debug with Agents")
    expect(editor.quick_row("repair")).to_be_visible()
    for row in editor.page.locator(".quick-input-list .monaco-list-row").all():
        wanted = any(name in row.inner_text() for name in ("waiter", "broken", "repair"))
        if wanted != (row.get_attribute("aria-checked") == "true"):
            row.click()
    editor.picture("2-agents")
    editor.page.keyboard.press("Enter")
    box = editor.page.locator(".quick-input-widget input.input").first
    expect(box).to_have_attribute("placeholder", "such as: python -m unittest")
    box.fill(demo.TEST_COMMAND)
    editor.page.keyboard.press("Enter")


def _at_work(editor: Editor) -> None:
    for name in ("waiter", "broken"):
        expect(editor.toast(f"{name}: Credit notes").first).to_be_visible()
    expect(editor.tree_row("Credit notes")).to_be_visible()
    expect(editor.tree_row("waiter")).to_be_visible()
    expect(editor.tree_row("repair")).to_be_visible()
    expect(
        editor.page.locator(".statusbar-item").filter(has_text="of 3 agents done")
    ).to_be_visible()
    editor.picture("3-at-work")
    _open_session(editor, "waiter")
    expect(editor.group(1)).to_contain_text("I am wait and I wait.")


def _open_session(editor: Editor, name: str) -> None:
    # The view is drawn anew while agents work; a click in that moment is lost, as for any user.
    row, tab = editor.tree_row(name), editor.tab(f"Debug (2) {name}")

    def clicked() -> bool:
        row.click()
        editor.page.wait_for_timeout(500)
        return tab.is_visible()

    editor.until(clicked)


def _after_a_reload(editor: Editor) -> None:
    editor.load_again()
    expect(editor.tab("Debug (2) waiter")).to_be_visible()
    expect(editor.group(1)).to_contain_text("I am wait and I wait.")
    expect(editor.toast("waiter: Credit notes").first).to_be_visible()
    expect(editor.tree_row("waiter")).to_be_visible()
    editor.tab(TASK).click()
    editor.picture("4-after-reload")


def _one_cancelled_one_failed(editor: Editor, scene: Scene) -> None:
    toast = editor.toast("waiter: Credit notes").first
    toast.hover()
    toast.get_by_role("button", name="Cancel").click()
    expect(editor.toast("waiter: Credit notes")).to_have_count(0)
    scene.let("fail")
    expect(editor.toast("broken: Credit notes")).to_have_count(0)
    expect(editor.tree_row("broken")).to_contain_text("the model did not answer")


def _the_orchestrator(editor: Editor, scene: Scene) -> None:
    expect(editor.tab("Orchestrator writer")).to_be_visible()
    expect(editor.page.locator(".editor-group-container")).to_have_count(2)
    # The user is where they were.
    expect(editor.page.locator(".editor-group-container.active .tab.active")).to_contain_text(TASK)
    # The end is followed.
    expect(editor.group(1)).to_contain_text("Thought 119.")
    editor.picture("5-orchestrator")
    scene.let("write")


def _done(editor: Editor) -> None:
    toast = editor.toast("is done").first
    expect(toast).to_be_visible()
    expect(editor.group(1)).to_contain_text("The last thought.")
    for name in ("Open Task", "Open Orchestrator", "Apply Best Patch"):
        expect(toast.get_by_role("button", name=name)).to_be_visible()
    expect(editor.tree_row("Credit notes").first).to_contain_text("done")
    editor.picture("6-done")
    toast.get_by_role("button", name="Open Task").click()
    expect(editor.toast("is done")).to_have_count(0)
