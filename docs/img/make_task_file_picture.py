"""Makes `task-file.png`, the picture in the README, from a run of the demo.

Run it from the root of the repository, with bug-lsp installed and `chromium` and `pngquant` on
PATH:

    .venv/bin/python docs/img/make_task_file_picture.py

It runs `bug-lsp demo` in a temporary folder, renders the finished task file as a Markdown viewer
would (with the marks of bug-lsp's region made visible), and takes a screenshot. What the picture
shows is what the demo wrote; where something long is left out stands [...].
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

PICTURE = Path(__file__).with_name("task-file.png")
WIDTH, SCALE = 800, 2
_CUT = "[...]"

STYLE = """
* { box-sizing: border-box; }
body { margin: 0; padding: 20px; background: #eef0f3; color: #1f2328;
       font: 14px/1.5 "DejaVu Sans", sans-serif; }
main { background: #fff; border: 1px solid #cfd4da; border-radius: 8px; overflow: hidden; }
.name { padding: 8px 20px; background: #f6f7f9; border-bottom: 1px solid #cfd4da;
        font: 12px "DejaVu Sans Mono", monospace; color: #59626c; }
.text { padding: 4px 20px 12px; }
h1 { font-size: 22px; margin: 12px 0 8px; }
h2 { font-size: 16px; margin: 14px 0 6px; padding-bottom: 3px; border-bottom: 1px solid #e3e6ea; }
p, ul { margin: 6px 0; } ul { padding-left: 22px; }
code { font: 12px "DejaVu Sans Mono", monospace; background: #f0f2f4; padding: 1px 4px;
       border-radius: 4px; overflow-wrap: anywhere; }
.mark { font: 11px "DejaVu Sans Mono", monospace; color: #8a939d; margin: 10px 0 0; }
.region { border-left: 3px solid #4078c0; padding-left: 14px; }
.cut { color: #8a939d; }
.box { display: inline-block; width: 12px; height: 12px; border: 1px solid #9aa3ad;
       border-radius: 3px; margin: 0 6px 0 -20px; vertical-align: -1px; }
li:has(> .box) { list-style: none; }
"""


def finished_task_file(folder: Path) -> tuple[str, str]:
    """(its path, its text) after a run of the demo in a new folder."""
    subprocess.run(
        [sys.executable, "-m", "bug_lsp", "demo", "--keep", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (path,) = folder.glob("*/tasks/*.md")
    return str(path.relative_to(path.parent.parent)), path.read_text(encoding="utf-8")


def _render(text: str) -> str:
    return MarkdownIt("commonmark").render(text).replace(f"<p>{_CUT}", f'<p class="cut">{_CUT}')


def page(name: str, text: str) -> str:
    """The task file as a page."""
    begin = re.search(r"<!-- bug-lsp:begin .*? -->", text)
    assert begin is not None
    region = text[begin.end() : text.index("<!-- bug-lsp:end -->")].strip()
    report = text[: begin.start()].strip().split("\n\n")
    own = _render("\n\n".join([*report[:2], _CUT, report[-1]]))
    region = re.sub(r"In the sessions' words:.*?(?=## )", f"{_CUT}\n\n", region, flags=re.DOTALL)
    region = _render(region).replace("<li>[ ] ", '<li><span class="box"></span>')
    return f"""<!doctype html><meta charset="utf-8"><style>{STYLE}</style>
<main><div class="name">{html.escape(name)}</div><div class="text">{own}
<p class="mark">{html.escape(begin[0])}</p><div class="region">{region}</div>
<p class="mark">{html.escape("<!-- bug-lsp:end -->")}</p></div></main>
<script>document.title = document.documentElement.scrollHeight</script>"""


def chromium(*arguments: str) -> str:
    """Run the browser without a window; returns what it prints."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("chromium is not installed")
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--disable-lcd-text", f"--force-device-scale-factor={SCALE}"]
    done = subprocess.run(
        [*command, *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return done.stdout.decode()


def main() -> None:
    """Make the picture."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = folder / "page.html"
        source.write_text(page(*finished_task_file(folder / "demo")), encoding="utf-8")
        shown = chromium("--dump-dom", f"--window-size={WIDTH},100", source.as_uri())
        found = re.search(r"<title>(\d+)</title>", shown)
        assert found is not None
        size = f"--window-size={WIDTH},{found[1]}"
        chromium(f"--screenshot={PICTURE}", size, source.as_uri())
    # Flat colours: a palette makes a quarter of it and cannot be told from the whole.
    subprocess.run(["pngquant", "--force", "--ext=.png", "64", str(PICTURE)], check=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} KB")


if __name__ == "__main__":
    main()
