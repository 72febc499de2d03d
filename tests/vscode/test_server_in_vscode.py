"""The server's life in a real VS Code: found, installed, killed, too old, not trusted."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Error, Locator, Page, expect
from uv import find_uv_bin

from tests.support import leftovers

from .editor import Editor, Host, browser_page

ROOT = Path(__file__).parent.parent.parent
ON_PATH = ("dirname", "git", "pgrep", "realpath", "sh")
RUN = """
from bug_lsp.cli import main
sys.exit(main())
"""
OLD = """
from bug_lsp.lsp import announced, answering, features
announced.COMMANDS = [it for it in announced.COMMANDS if it != "getSessionPatch"]
answering._COMMANDS[:] = [it for it in answering._COMMANDS if it.name != "getSessionPatch"]
"""
UNTRUSTED = "Nothing is started in a workspace that you do not trust"
PATH = "bugLsp.server.path"
TRUSTED = {"security.workspace.trust.enabled": False}


class Machine:
    """One on which nothing is but git, a Python and VS Code, and what a test puts there."""

    def __init__(self, root: Path, extension: Path) -> None:
        self.root = root
        self.state = root / "state"
        self.bin = root / "bin"
        self.bin.mkdir()
        for name in ON_PATH:
            (self.bin / name).symlink_to(shutil.which(name))
        (self.bin / "python3").symlink_to(sys.executable)
        self.home = root / "user"
        self.host = Host(
            self.home,
            extension,
            {},
            BUG_LSP_STATE_DIR=str(self.state),
            PATH=str(self.bin),
            PYTHONPATH="",
            VSCODE_CLI="1",  # else the PATH is that of a login shell
            XDG_CACHE_HOME=str(self.home / ".cache"),
        )
        self.uv_says()

    def program(self, name: str, code: str = RUN, by: str = sys.executable) -> str:
        """A program in Python, which finds the bug-lsp of this checkout."""
        path = self.root / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{by}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}")
        path.chmod(0o755)
        return str(path)

    def uv_says(self, **settings: object) -> None:
        """Write the user's settings for uv."""
        path = self.home / ".config" / "uv" / "uv.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        )

    def servers(self) -> list[psutil.Process]:
        """Those that run, without the uv above one."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                mine = process.environ().get("BUG_LSP_STATE_DIR") == str(self.state)
                if mine and process.cmdline()[-1:] == ["serve"] and process.name() != "uv":
                    found.append(process)
        return found


@pytest.fixture(scope="module")
def machine(extension, tmp_path_factory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"), extension)


@pytest.fixture(scope="module")
def window(machine) -> Iterator[tuple[Page, str]]:
    with machine.host.serve() as address, browser_page() as page:
        yield page, address
    leftovers.end_and_check(machine.state)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


Opened = Callable[..., contextlib.AbstractContextManager[Editor]]


@pytest.fixture
def opened(machine, window, workspace, pictures) -> Opened:
    """The window with these settings and our view; after it no server is left."""
    page, address = window

    @contextlib.contextmanager
    def opened(**settings: object) -> Iterator[Editor]:
        machine.host.set(**settings)
        editor = Editor(page, address, workspace, pictures)
        with editor.pictured_if_it_fails():
            editor.open()
            page.locator(".activitybar [aria-label='Bug LSP']").first.click()
            yield editor
        page.goto("about:blank")
        editor.until(lambda: machine.servers() == [])

    return opened


def in_view(editor: Editor, name: str) -> Locator:
    """A button of the empty view."""
    view = editor.page.locator(".welcome-view-content")
    return view.get_by_role("button", name=name)


def is_up(editor: Editor) -> None:
    expect(in_view(editor, "Debug with Agents")).to_be_visible()


def named(machine, editor: Editor, program: object, text: str) -> None:
    """Name another server in the settings' file, and wait for a message. VS Code does not see each
    change of that file when it is busy: then it is written again.
    """

    def told() -> bool:
        machine.host.set(**TRUSTED, **{PATH: program})
        with contextlib.suppress(Error):
            editor.toast(text).wait_for(timeout=8000)
            return True
        return False

    editor.until(told)


def only_toast(editor: Editor, text: str) -> Locator:
    """The one message there is."""
    toast = editor.toast(text)
    expect(toast).to_be_visible()
    expect(editor.toast("")).to_have_count(1)
    return toast


def press(toast: Locator, name: str) -> None:
    toast.get_by_role("button", name=name).click()


def test_without_uv_a_message_leads_to_it_and_a_restart_finds_what_was_installed(machine, opened):
    with opened(**TRUSTED) as editor:
        press(only_toast(editor, "runs its server with uv, which is not on the PATH"), "Install uv")
        dialog = editor.page.get_by_role("dialog").filter(has_text="https://docs.astral.sh/uv/")
        dialog.get_by_role("button", name="Cancel").click()
        assert machine.servers() == []
        installed = machine.home / ".local" / "bin" / "bug-lsp"
        installed.parent.mkdir(parents=True)
        installed.symlink_to(machine.program("bug-lsp"))
        in_view(editor, "Restart Server").click()
        is_up(editor)
    installed.unlink()


@pytest.fixture
def with_uv(machine, tmp_path) -> Iterator[dict[str, str]]:
    """It is on the PATH, and keeps what it installs in a folder of the test's."""
    link = machine.bin / "uv"
    link.symlink_to(find_uv_bin())
    yield {"cache-dir": str(tmp_path / "cache")}
    link.unlink()


def test_what_uv_cannot_do_is_said_until_it_can_and_then_it_needs_no_network(
    machine, opened, with_uv
):
    no_python = {"python-preference": "only-managed", "python-downloads": "never"}
    machine.uv_says(**with_uv, **no_python)
    with opened(**TRUSTED) as editor:
        toast = only_toast(editor, "uv could not install the Bug LSP server: No interpreter found")
        machine.uv_says(**with_uv, offline=True)
        press(toast, "Try Again")
        toast = only_toast(editor, "uv could not install the Bug LSP server: No solution found")
        machine.uv_says(**with_uv)
        press(toast, "Try Again")
        expect(editor.toast("Bug LSP installs its server (once)")).to_be_visible()
        is_up(editor)
        (server,) = machine.servers()
        assert server.cmdline()[0].startswith(with_uv["cache-dir"])
        machine.uv_says(**with_uv, offline=True)
        editor.load_again()
        is_up(editor)
        expect(editor.toast("")).to_have_count(0)


def test_a_wrong_server_is_told_once_and_the_next_that_the_setting_names_starts_at_once(
    machine, opened
):
    slow = machine.program("slow", "import time\ntime.sleep(1000)\n")
    with opened(**TRUSTED, **{PATH: slow}) as editor:
        expect(editor.page.locator(".statusbar")).to_contain_text("Bug LSP starts")
        for by in ("/no/where/python", "/bin/false"):
            broken = machine.program(by.replace("/", "-"), by=by)
            named(machine, editor, broken, "the setting bugLsp.server.path ended before it was up")
            toast = only_toast(editor, "the setting bugLsp.server.path ended before it was up")
            press(toast, "Show Log")
            log = editor.page.locator("[aria-label*='Bug LSP - Output']").first
            expect(log).to_be_visible()
        named(machine, editor, machine.program("old", OLD + RUN), "is too old for this extension")
        toast = only_toast(editor, "is too old for this extension")
        expect(toast).to_contain_text("from the setting bugLsp.server.path (version ")
        press(toast, "Open Settings")
        expect(editor.page.locator(".settings-editor")).to_contain_text("Server: Path")
        machine.host.set(**TRUSTED, **{PATH: machine.program("bug-lsp")})
        is_up(editor)
        expect(editor.toast("")).to_have_count(0)


def test_a_server_that_ends_comes_back_and_one_that_keeps_ending_can_be_restarted(machine, opened):
    with opened(**TRUSTED, **{PATH: machine.program("bug-lsp")}) as editor:
        is_up(editor)
        for _ in range(2):
            _end(machine, editor)
            is_up(editor)
        expect(editor.toast("")).to_have_count(0)
        _end(machine, editor)
        toast = only_toast(editor, "The Bug LSP server keeps ending")
        assert machine.servers() == []
        press(toast, "Restart Server")
        is_up(editor)
        _freeze_and_restart(machine, editor)


def _end(machine: Machine, editor: Editor) -> None:
    (server,) = machine.servers()
    server.kill()
    in_view(editor, "Debug with Agents").wait_for(state="hidden")


def _freeze_and_restart(machine: Machine, editor: Editor) -> None:
    (server,) = machine.servers()
    server.send_signal(signal.SIGSTOP)
    editor.palette("Bug LSP: Restart Server")
    in_view(editor, "Debug with Agents").wait_for(state="hidden")
    is_up(editor)
    editor.until(lambda: not server.is_running() and len(machine.servers()) == 1)


def test_nothing_starts_before_the_workspace_is_trusted_and_it_names_no_programs(
    machine, opened, workspace, tmp_path
):
    ran = tmp_path / "ran"
    evil = machine.program("evil", f"open({str(ran)!r}, 'w')\n")
    planted = {"planted": {"type": "command", "command": [evil]}}
    settings = {PATH: evil, "bugLsp.server.uv": evil, "bugLsp.agents": planted}
    (workspace / ".vscode").mkdir()
    (workspace / ".vscode" / "settings.json").write_text(json.dumps(settings))
    with opened(**{PATH: machine.program("bug-lsp")}) as editor:
        expect(editor.page.locator(".welcome-view-content")).to_contain_text(UNTRUSTED)
        assert machine.servers() == []
        in_view(editor, "Manage Workspace Trust").click()
        trust = editor.page.locator(".workspace-trust-editor")
        trust.get_by_role("button", name="Trust").first.click()
        is_up(editor)
        editor.palette("Bug LSP: Doctor")
        frame = editor.page.frame_locator("iframe.webview.ready").frame_locator("iframe")
        expect(frame.get_by_role("table")).to_contain_text("spectrum")
        expect(frame.get_by_role("table")).not_to_contain_text("planted")
    assert not ran.exists()
