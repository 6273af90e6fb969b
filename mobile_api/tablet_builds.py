"""The last three builds of the tablet app: a tablet that began with one of them finds its files.

A tablet keeps its shell itself; but a browser may drop one file of it, or a page may have been
opened a moment before the server was updated. So the files that are named by their content stay
for two builds more.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

KEPT = 3


def earlier_assets(built: Path, folder: Path) -> Mapping[str, Path]:
    """Keep this build's assets in `folder`, drop what is too old, and return the other ones.

    The paths are as served, `assets/<name>`. A folder that cannot be written keeps nothing: the
    present build is served all the same.
    """
    here = {path.name: path for path in sorted((built / "assets").glob("*")) if path.is_file()}
    name = hashlib.sha256("\n".join(here).encode()).hexdigest()[:16]
    with suppress(OSError):
        _keep(here, folder / name)
        _drop_old(folder)
    found = sorted(folder.glob("[0-9a-f]*/*"))
    return {f"assets/{path.name}": path for path in found if path.name not in here}


def _keep(assets: Mapping[str, Path], target: Path) -> None:
    if not target.is_dir():
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.mkdir(parents=True)
        for name, path in assets.items():
            shutil.copyfile(path, draft / name)
        with suppress(OSError):  # another worker was faster
            draft.rename(target)
        shutil.rmtree(draft, ignore_errors=True)
    os.utime(target)


def _drop_old(folder: Path) -> None:
    builds = sorted(folder.glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime_ns)
    for build in builds[:-KEPT]:
        shutil.rmtree(build, ignore_errors=True)
