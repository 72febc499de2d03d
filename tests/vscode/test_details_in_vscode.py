"""What users of VS Code expect of its parts: documents that stay where one reads, notifications
that do not pile up, a walkthrough that ends in a result.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bug_lsp.demo import project as demo

from .agents import AGENTS, BUG_LSP
from .editor import Editor, Host, browser_page

TASK = Path(demo.TASK).name
ROLES = {"waiter": "wait", "broken": "fail", "writer": "write", "second": "wait", "third": "wait"}


class Scene:
    """The demo's project with agents that wait until the test lets them go on."""

    def __init__(self, root: Path) -> None:
        self.workspace = demo.build(root)
        self.gates = root / "gates"
        self.gates.mkdir()
        self.settings = {
            "bugLsp.server.path": str(BUG_LSP),
            "bugLsp.agents": {
                name: {
                    "type": "command",
                    "command": [sys.executable, str(AGENTS), role, str(self.gates)],
                }
                for name, role in ROLES.items()
            },
            "bugLsp.orchestrator": {"agentType": "writer"},
            "bugLsp.confinement": "off",
            "bugLsp.prove": False,
        }

    def let(self, *roles: str) -> None:
        """Let agents of these roles go on."""
        for role in roles:
            (self.gates / role).touch()


@pytest.mark.timeout(240)
def test_a_document_stays_where_one_reads_and_many_agents_share_one_notification(
    extension, tmp_path, pictures
):
    scene = Scene(tmp_path)
    host = Host(tmp_path / "user", extension, scene.settings)
    with host.serve("--disable-workspace-trust") as address, browser_page() as page:
        editor = Editor(page, address, scene.workspace, pictures)
        with editor.pictured_if_it_fails():
            editor.open()
            editor.runs_view()
            editor.open_file(TASK)
            editor.palette("Bug LSP: Debug with Agents")
            editor.choose("waiter", "broken", "second", "third")
            editor.answer("such as: python -m unittest", "")
            _one_notification_for_four(editor)
            scene.let("fail")
            expect(editor.tree_row("broken")).to_contain_text("the model did not answer")
            scene.let("wait")
            _it_follows_until_one_scrolls_up(editor, scene)
            _links_at_the_end(editor)
            _the_choice_is_remembered(editor)
            _the_doctor(editor)


def _one_notification_for_four(editor: Editor) -> None:
    expect(editor.toast("Debugging: Credit notes")).to_be_visible()
    expect(editor.tree_row("third")).to_be_visible()
    expect(editor.toast("waiter")).to_have_count(0)
    expect(editor.toast("Debugging: Credit notes")).to_contain_text("of 4 agents done")
    editor.picture("four-agents")


def _it_follows_until_one_scrolls_up(editor: Editor, scene: Scene) -> None:
    beside = editor.group(1)
    expect(editor.tab("Orchestrator writer")).to_be_visible()
    expect(beside).to_contain_text("Thought 1.119.")
    box = beside.bounding_box()
    assert box is not None
    editor.page.mouse.move(box["x"] + 200, box["y"] + 300)
    for _ in range(15):
        editor.page.mouse.wheel(0, -100)
    expect(beside).not_to_contain_text("Thought 1.119.")
    there = _first_line(editor)
    size = _scrollbar(editor)
    scene.let("write-1")
    editor.until(lambda: _scrollbar(editor) < size * 0.7)  # it has grown below
    assert _first_line(editor) == there
    beside.locator(".view-lines").click()
    editor.page.keyboard.press("Control+End")
    expect(beside).to_contain_text("Thought 2.119.")
    scene.let("write-2")
    expect(beside).to_contain_text("Thought 3.119.")  # it is followed again
    scene.let("write-3")
    expect(beside).to_contain_text("View updated task")


def _first_line(editor: Editor) -> int:
    numbers = editor.group(1).locator(".line-numbers").all_inner_texts()
    return min(int(one) for one in numbers if one.strip())


def _scrollbar(editor: Editor) -> float:
    """The length of the part that is seen: it says how long the document is."""
    slider = editor.group(1).locator(".editor-scrollable > .scrollbar.vertical > .slider").first
    return slider.evaluate("it => it.getBoundingClientRect().height")


def _links_at_the_end(editor: Editor) -> None:
    expect(editor.toast("is done").first).to_be_visible()
    lens = editor.group(1).locator(".codelens-decoration a")

    def seen() -> bool:  # the addresses below it may be longer than the window
        editor.page.mouse.wheel(0, -100)
        return lens.filter(has_text="View full session").is_visible()

    editor.until(seen)
    for _ in range(4):  # from under the heading that stays at the top
        editor.page.mouse.wheel(0, -100)
    lens.filter(has_text="View updated task").click()
    expect(editor.page.locator(".editor-group-container.active .tab.active")).to_contain_text(TASK)
    expect(editor.page.locator(".editor-group-container.active")).to_contain_text("Root cause")


def _the_choice_is_remembered(editor: Editor) -> None:
    editor.palette("Bug LSP: Debug with Agents")
    expect(editor.quick_row("waiter").first).to_be_visible()
    rows = editor.page.locator(".quick-input-list .monaco-list-row[aria-checked=true]")
    expect(rows).to_have_count(4)
    editor.page.keyboard.press("Escape")


def _the_doctor(editor: Editor) -> None:
    editor.palette("Bug LSP: Doctor")
    expect(editor.page.locator(".tab.active").filter(has_text="Preview").first).to_be_visible()


@pytest.mark.timeout(240)
def test_the_walkthrough_ends_in_a_finished_demo_run(extension, tmp_path, pictures):
    (tmp_path / "empty").mkdir()
    host = Host(tmp_path / "user", extension, {"bugLsp.server.path": str(BUG_LSP)})
    with host.serve("--disable-workspace-trust") as address, browser_page() as page:
        editor = Editor(page, address, None, pictures)
        with editor.pictured_if_it_fails():
            editor.open()
            editor.palette("Welcome: Open Walkthrough")
            editor.quick_row("Debug a Bug with Agents").first.click()
            editor.picture("walkthrough-1")
            steps = page.locator(".getting-started-step")
            expect(steps).to_have_count(3)
            steps.nth(1).click()
            with page.expect_event("load"):
                page.get_by_role("button", name="Open the Demo Project").click()
            expect(editor.tab(TASK)).to_be_visible()
            steps.nth(2).click()
            page.get_by_role("button", name="Debug the Demo").click()
            expect(editor.toast("repair").first).to_be_visible()
            editor.picture("walkthrough-2")
            toast = editor.toast("is done").first
            expect(toast).to_be_visible(timeout=120_000)
            toast.get_by_role("button", name="Open Task").click()
            expect(editor.group(1)).to_contain_text("Root cause")
            expect(editor.tab("Orchestrator")).to_be_visible()
            expect(steps.nth(2).locator(".codicon-getting-started-step-checked")).to_be_visible()
            editor.picture("walkthrough-3")
