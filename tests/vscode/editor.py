"""A real VS Code in a browser without a screen, and what a user does in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Error, Locator, Page, expect, sync_playwright

from clients.node import node

from . import install

SECONDS = 40
_LISTENS = re.compile(r"listening on (http://127\.0\.0\.1:\d+)/")
_SETTINGS = {
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "window.autoDetectColorScheme": False,
    "workbench.colorTheme": "Default Light Modern",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
# Where they are depends on the home, which every test has of its own.
ENTRY = install.entry()
FOLDER = install.folder()


class Host:
    """The part of VS Code that runs extensions: one process, ended with all its children."""

    def __init__(self, home: Path, vsix: Path, settings: dict, **env: str) -> None:
        self.home = home
        self._data = home / "vscode"
        self._env = {
            **os.environ,
            # No gallery: it would be looked up at every start.
            "EXTENSIONS_GALLERY": json.dumps({"serviceUrl": "http://127.0.0.1:9/none"}),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local"),
            **env,
        }
        self.set(**settings)
        self._call("--install-extension", str(vsix))

    def set(self, **settings: object) -> None:
        """Write the user's settings; those of the machine are in a file of their own there."""
        text = json.dumps(_SETTINGS | settings, indent=1)
        for kind in ("User", "Machine"):
            folder = self._data / kind
            folder.mkdir(parents=True, exist_ok=True)
            # At once, as VS Code may be reading it.
            new = folder / "settings.json.new"
            new.write_text(text)
            new.replace(folder / "settings.json")

    def _command(self, *arguments: str) -> list[str]:
        return [
            str(node()), str(ENTRY), "--user-data-dir", str(self._data),
            "--extensions-dir", str(self.home / "extensions"),
            "--disable-telemetry", "--disable-update-check", *arguments,
        ]  # fmt: skip

    def _call(self, *arguments: str) -> None:
        subprocess.run(
            self._command(*arguments), env=self._env, check=True, capture_output=True, timeout=60
        )

    @contextlib.contextmanager
    def serve(self, *arguments: str) -> Iterator[str]:
        """Its address, while it runs."""
        process = subprocess.Popen(
            self._command(
                "--auth", "none", "--bind-addr", "127.0.0.1:0", "--disable-proxy",
                "--disable-getting-started-override", *arguments,
            ),
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )  # fmt: skip
        log = (self.home / "code-server.log").open("w")
        try:
            yield _address(process, log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


def _address(process: subprocess.Popen, log) -> str:
    for line in process.stdout:
        log.write(line)
        found = _LISTENS.search(line)
        if found:
            break
    else:
        raise AssertionError("code-server ended before it listened")

    def drain() -> None:
        with log, process.stdout:
            for line in process.stdout:
                log.write(line)

    threading.Thread(target=drain, daemon=True).start()
    return found[1]


@contextlib.contextmanager
def browser_page(width: int = 1360, height: int = 840) -> Iterator[Page]:
    """A browser's only page."""
    program, env = install.browser(FOLDER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=_FLAGS, env={**os.environ, **env}
        )
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(SECONDS * 1000)
            yield page
        finally:
            browser.close()


class Editor:
    """A window of VS Code, as its user sees it."""

    def __init__(self, page: Page, address: str, workspace: Path | None, pictures: Path) -> None:
        self.page = page
        what = "ew=true" if workspace is None else f"folder={quote(str(workspace))}"
        self._address = f"{address}/?{what}"
        self._is_up = ".activitybar .action-item" if workspace is None else ".pane-body"
        self._pictures = pictures
        expect.set_options(timeout=SECONDS * 1000)

    def open(self) -> None:
        """Load the window."""
        self.page.goto(self._address)
        self.page.wait_for_selector(f".monaco-workbench {self._is_up}")

    def load_again(self) -> None:
        """Load it again, as users do: what VS Code keeps it has kept by then."""
        with self.page.expect_event("load"):
            self.palette("Developer: Reload Window")
        self.page.wait_for_selector(f".monaco-workbench {self._is_up}")

    def picture(self, name: str) -> None:
        """Take a picture of the window."""
        self.page.screenshot(path=self._pictures / f"{name}.png")

    @contextlib.contextmanager
    def pictured_if_it_fails(self) -> Iterator[None]:
        """Leave a picture of what was there instead."""
        try:
            yield
        except BaseException:
            self.picture("failed")
            (self._pictures / "failed.html").write_text(self.page.content())
            raise

    def palette(self, title: str) -> None:
        """Run a command by its title."""
        self._ask("F1", f">{title}", title)
        self.quick_row(title).first.click()

    def open_file(self, name: str) -> None:
        """Open a file by its name."""
        self._ask("Control+p", name, Path(name).name)
        self.page.keyboard.press("Enter")
        expect(self.tab(Path(name).name)).to_be_visible()

    def _ask(self, key: str, text: str, wanted: str) -> None:
        """Open the box with this key and type. It closes when a document that was still opening
        takes the focus: then again, as a user would.
        """
        box = self.page.locator(".quick-input-widget input.input").first

        def offered() -> bool:
            self.page.keyboard.press(key)
            with contextlib.suppress(Error):
                box.fill(text, timeout=3000)
                self.quick_row(wanted).first.wait_for(timeout=3000)
                return box.input_value() == text
            return False

        self.until(offered)

    def quick_fixes(self) -> Locator:
        """The menu of what can be done at the cursor. The key does nothing while VS Code is still
        asking for that: then again, as a user would.
        """
        menu = self.page.locator(".action-widget").first

        def offered() -> bool:
            self.page.keyboard.press("Control+.")
            with contextlib.suppress(Error):
                menu.wait_for(timeout=3000)
                return True
            return False

        self.until(offered)
        return menu

    def tab(self, name: str) -> Locator:
        """The tab of this name."""
        return self.page.locator(".tabs-container .tab").filter(has_text=name)

    def toast(self, text: str) -> Locator:
        """A notification with this text."""
        toasts = self.page.locator(".notifications-toasts .notification-list-item")
        return toasts.filter(has_text=text)

    def quick_row(self, text: str) -> Locator:
        """A row of the picker that is open."""
        return self.page.locator(".quick-input-list .monaco-list-row").filter(has_text=text)

    def tree_row(self, text: str) -> Locator:
        """A row of the Debug Runs view."""
        return self.page.locator(".pane-body .monaco-list-row").filter(has_text=text)

    def runs_view(self) -> None:
        """Go to the Debug Runs view."""
        self.page.locator(".activitybar [aria-label='Bug LSP']").first.click()

    def choose(self, *names: str, picture: str = "") -> None:
        """Choose these and no others in the picker that is open, then accept."""
        box = self.page.locator(".quick-input-widget input.input").first
        count = self.page.locator(".quick-input-widget .quick-input-count")
        every = self.page.get_by_role("checkbox", name="Toggle all checkboxes")
        expect(count).to_be_visible()

        def none_is_chosen() -> bool:
            if count.inner_text().strip() == "0 Selected":
                return True
            every.click()
            return False

        self.until(none_is_chosen)
        for number, name in enumerate(names, 1):  # not all rows are drawn at once
            box.fill(name)
            self.quick_row(name).first.click()
            expect(count).to_have_text(f"{number} Selected")
            box.fill("")
        if picture:
            self.picture(picture)
        self.page.keyboard.press("Enter")

    def answer(self, placeholder: str, text: str) -> None:
        """Answer the question with this placeholder."""
        box = self.page.locator(".quick-input-widget input.input").first
        expect(box).to_have_attribute("placeholder", placeholder)
        box.fill(text)
        self.page.keyboard.press("Enter")

    def status(self, text: str) -> Locator:
        """An item of the status bar."""
        return self.page.locator(".statusbar-item").filter(has_text=text)

    def cursor_at(self, text: str) -> None:
        """Put the cursor where this text is in the active editor."""
        lines = self.page.locator(".editor-group-container.active .view-line")
        lines.filter(has_text=text).first.click()

    def group(self, number: int) -> Locator:
        """The text of an editor group."""
        return self.page.locator(".editor-group-container").nth(number)

    def until(self, what: Callable[[], object], seconds: float = SECONDS) -> None:
        """Wait until something that is no element is so."""
        waited = 0.0
        while not what():
            assert waited < seconds, "it did not come"
            with contextlib.suppress(Error):
                self.page.wait_for_timeout(100)
            waited += 0.1
