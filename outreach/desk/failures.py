"""What people see when the machine fails under a page: no database, no room, no files."""

from __future__ import annotations

import errno
import sqlite3
import sys
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.template.loader import render_to_string

from mobile_api.api import answer_problem
from mobile_api.problems import Problem
from outreach.files import is_full

#: What a disk says that is gone, broken or read-only.
_GONE = frozenset(
    {
        *(errno.EIO, errno.EROFS, errno.ESTALE, errno.EACCES, errno.ENOTDIR, errno.ENXIO),
        *(errno.ENODEV, errno.ENOLCK, errno.EREMOTEIO),
    }
)
RETRY_AFTER_S = 30


@dataclass(frozen=True)
class Failure:
    """A way in which the machine fails: its status, the API's problem, and the words for people.

    The words stand in both languages, since nobody's choice can be looked up any more.
    """

    status: int
    slug: str
    title: str
    lead: str
    title_en: str
    lead_en: str


DATABASE_GONE = Failure(
    503,
    "busy",
    "登记册暂时没有响应",
    "这一步没有完成,已有的记录都还在。请过一分钟再试;一直这样时请告诉管理员:数据库没有响应。",
    "The register does not answer",
    "This step was not done; what was recorded before is safe. Try again in a minute; if it stays"
    " like this, tell the administrator that the database does not answer.",
)
NO_ROOM = Failure(
    507,
    "no-room",
    "服务器的磁盘已满",
    "这一步没有完成,没有留下半截的记录,已有的记录都还在。请立即告诉管理员:磁盘已满。平板可以照常工作,腾出空间后会自动上传。",
    "The server's disk is full",
    "This step was not done and nothing was half kept; what was recorded before is safe. Tell the"
    " administrator now that the disk is full. Tablets can go on: they send when there is room.",
)
FILES_GONE = Failure(
    503,
    "busy",
    "照片和证件文件暂时无法读写",
    "这一步没有完成,登记册里的记录都还在。请过一分钟再试;一直这样时请告诉管理员:文件存储没有响应。",
    "Photos and papers cannot be reached",
    "This step was not done; the register's records are safe. Try again in a minute; if it stays"
    " like this, tell the administrator that the storage of files does not answer.",
)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer whatever was not caught: as the API answers below it, else with a page."""
    error = sys.exc_info()[1]
    if isinstance(error, UnreadablePostError):  # the line was cut: nobody hears the answer
        return HttpResponse(status=400)
    failure = failure_of(error)
    if failure is None:
        return HttpResponse(render_to_string("500.html"), status=500)
    if request.path_info.startswith("/api/"):
        return answer_problem(request, Problem(failure.slug))
    response = HttpResponse(render_to_string("failed.html", {"it": failure}), status=failure.status)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def failure_of(error: BaseException | None) -> Failure | None:
    """Tell which failure of the machine an exception is, or None where it is another one."""
    if isinstance(error, OperationalError | InterfaceError):
        cause = error.__cause__
        no_room = isinstance(cause, sqlite3.Error) and cause.sqlite_errorname == "SQLITE_FULL"
        return NO_ROOM if no_room else DATABASE_GONE
    if is_full(error):
        return NO_ROOM
    if isinstance(error, OSError) and error.errno in _GONE:
        return FILES_GONE
    return None
