"""The two addresses of tus as the OpenAPI document has them."""

from __future__ import annotations

from typing import Any

from mobile_api.problems import promised
from mobile_api.tus.protocol import CHUNK_TYPE, VERSION

_ANY = ("no-token", "expired-token", "revoked", "upload-version", "busy")
_BYTES = ("upload-checksum", "upload-offset", "too-large", "not-a-picture", "no-room")


def paths(root: str) -> dict[str, Any]:
    """Return the OpenAPI path items of the uploads below `root`, which ends with a slash."""
    collection = {
        "options": _operation("What the server can do", {204: _plain("Capabilities")}),
        "post": _operation(
            "Announce a file, with or without its first bytes",
            {201: _plain("Created, or found again")},
            *_ANY,
            *_BYTES,
            "upload-metadata",
            "upload-type",
            headers={"Upload-Length": True, "Upload-Metadata": True, "Upload-Checksum": False},
            body=True,
        ),
    }
    one = {
        "parameters": [
            {
                "name": "upload",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "format": "uuid"},
            }
        ],
        "options": _operation(
            "What the server can do", {204: _plain("Capabilities"), **promised("not-found")}
        ),
        "head": _operation(
            "How much of the file is here",
            {200: _plain("Upload-Offset says it")},
            *_ANY,
            *_BYTES,
            "not-found",
            "upload-gone",
        ),
        "patch": _operation(
            "Send the next bytes",
            {204: _plain("Stored as far as Upload-Offset says")},
            *_ANY,
            *_BYTES,
            "upload-metadata",
            "upload-type",
            "not-found",
            "upload-gone",
            headers={"Upload-Offset": True, "Upload-Checksum": False},
            body=True,
        ),
        "delete": _operation(
            "Give an unfinished upload up",
            {204: _plain("Gone")},
            *_ANY,
            "not-found",
            "upload-gone",
        ),
    }
    return {f"{root}uploads/": collection, f"{root}uploads/{{upload}}": one}


def _plain(description: str) -> dict[str, Any]:
    return {"description": description}


def _operation(
    summary: str,
    answers: dict[int, Any],
    *problems: str,
    headers: dict[str, bool] | None = None,
    body: bool = False,
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": summary,
        "tags": ["tus"],
        "responses": {**answers, **promised(*problems)},
    }
    if problems:  # OPTIONS alone asks for neither token nor version
        wanted = {"Tus-Resumable": True, **(headers or {})}
        described["security"] = [{"DeviceToken": []}]
        described["parameters"] = [_header(name, needed) for name, needed in wanted.items()]
    if body:
        content = {CHUNK_TYPE: {"schema": {"type": "string", "format": "binary"}}}
        described["requestBody"] = {"required": False, "content": content}
    return described


def _header(name: str, required: bool) -> dict[str, Any]:
    schema = {"type": "string"}
    if name == "Tus-Resumable":
        schema["const"] = VERSION
    return {"name": name, "in": "header", "required": required, "schema": schema}
