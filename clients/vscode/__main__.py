"""Checks and builds the extension: `python -m clients.vscode types | lint | test | vsix`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from clients.node import cached, make_once, npm, run_node

HERE = Path(__file__).parent
_MANIFESTS = (HERE / "package.json", HERE / "package-lock.json")
_PLACE = cached("vscode-extension", HERE / "package-lock.json")
_TYPESCRIPT = "typescript/bin/tsc"
_ESLINT = "eslint/bin/eslint.js"
_ESBUILD = "esbuild/bin/esbuild"
_VSCE = "@vscode/vsce/vsce"
# What the README links to by its place in the repository.
_PAGES = "https://github.com/bug-lsp/bug-lsp/{}/HEAD/clients/vscode"
_BUNDLE = (
    "--bundle", "--platform=node", "--format=cjs", "--target=node20", "--external:vscode",
    "--log-level=warning",
)  # fmt: skip


def _install() -> None:
    """What the extension is built with and of, beside it as node expects it."""

    def make(whole: Path) -> None:
        for manifest in (*_MANIFESTS, HERE / ".npmrc"):
            shutil.copy(manifest, whole)
        npm("ci", "--ignore-scripts", cwd=whole)

    place = make_once(_PLACE, make) / "node_modules"
    here = HERE / "node_modules"
    if not here.is_symlink() or here.resolve() != place.resolve():
        if here.is_dir() and not here.is_symlink():
            shutil.rmtree(here)
        here.unlink(missing_ok=True)
        here.symlink_to(place)


def _run(script: str, *arguments: str) -> None:
    run_node(HERE / "node_modules" / script, *arguments, cwd=HERE)


def vsix() -> Path:
    """Build the extension with its server; where it is."""
    _install()
    for folder in ("server", "dist"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(HERE / "server")]
    subprocess.run([*wheel, str(HERE.parent.parent)], check=True)
    shutil.copy(HERE.parent.parent / "LICENSE", HERE / "LICENSE")
    _run(_ESBUILD, "src/extension.ts", *_BUNDLE, "--minify", "--outfile=dist/extension.js")
    made = HERE / "dist" / "bug-lsp.vsix"
    pages = ("--baseContentUrl", _PAGES.format("blob"), "--baseImagesUrl", _PAGES.format("raw"))
    _run(_VSCE, "package", "--no-dependencies", *pages, "-o", str(made))
    return made


def unit_tests() -> None:
    """Test what needs no VS Code, built as it is shipped, with node's own runner."""
    built = HERE / "dist" / "test"
    shutil.rmtree(built, ignore_errors=True)
    sources = sorted(str(path.relative_to(HERE)) for path in HERE.glob("test/*.test.ts"))
    _run(_ESBUILD, *sources, *_BUNDLE, "--sourcemap=inline", f"--outdir={built}")
    tests = sorted(built.glob("*.js"))
    run_node("--enable-source-maps", "--test", "--test-reporter=dot", *tests, cwd=HERE)


def main(arguments: list[str]) -> int:
    """Do what is said."""
    _install()
    match arguments:
        case ["types"]:
            _run(_TYPESCRIPT, "--noEmit")
        case ["lint"]:
            _run(_ESLINT, ".")
        case ["test"]:
            unit_tests()
        case ["vsix"]:
            sys.stdout.write(f"{vsix()}\n")
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
