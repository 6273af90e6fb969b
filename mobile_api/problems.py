"""The catalogue of problems (RFC 9457): every answer that is not a success, in one table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Entry:
    """One kind of problem: its status, and its title in Chinese and English."""

    status: int
    title: str
    title_en: str


CATALOGUE = {
    "not-json": Entry(400, "内容不是有效的 JSON", "The body is not valid JSON"),
    "too-large": Entry(413, "内容过大", "The body is too large"),
    "malformed": Entry(422, "内容不完整或有误", "The body does not have the expected shape"),
    "no-token": Entry(401, "请先登记平板", "Enrol this tablet first"),
    "expired-token": Entry(401, "登录已过期,数据仍在平板上", "Sign in again; nothing is lost"),
    "revoked": Entry(403, "此平板已停用", "This tablet was revoked"),
    "scope": Entry(403, "此密钥没有这项权限", "The token was not made for this"),
    "not-found": Entry(404, "没有找到", "Not found, or not in your area"),
    "unknown-code": Entry(404, "登记码不存在", "There is no such enrolment code"),
    "code-used": Entry(409, "登记码已被使用", "The code was used by another tablet"),
    "code-expired": Entry(410, "登记码已过期", "The code has expired; ask for a new one"),
    "unknown-replica": Entry(410, "服务器不认识这台平板的数据库", "Unknown replica"),
    "gap": Entry(409, "缺少中间的记录", "Mutations are missing in between"),
    "fork": Entry(409, "平板的记录与服务器不一致", "The log differs from what was taken in"),
    "feed-restored": Entry(
        409, "登记库已从备份恢复,请从头读取", "The register was restored; read again from 0"
    ),
    "bad-signature": Entry(401, "不是这台平板签名的", "Not signed by this tablet's key"),
    "too-many": Entry(429, "请稍后再试", "Too many requests; try again later"),
    "busy": Entry(503, "服务器繁忙,未作任何更改", "Busy; nothing was changed"),
    "upload-gone": Entry(410, "上传已过期", "The upload expired; begin it again"),
    "upload-offset": Entry(409, "续传位置不符", "Upload-Offset differs from what is stored"),
    "upload-checksum": Entry(460, "校验和不符", "The checksum does not match"),
    "upload-version": Entry(412, "不支持的 tus 版本", "Unsupported tus version"),
    "upload-type": Entry(415, "不支持的内容类型", "Unsupported content type"),
    "upload-metadata": Entry(400, "上传信息不完整", "The upload's metadata is incomplete"),
    "hand-in-anew": Entry(
        409, "请从头重新上交,数据仍在平板上", "Begin the hand-in anew; nothing is lost"
    ),
    "no-room": Entry(507, "服务器空间不足", "The server has no room left; what arrived is kept"),
    "not-allowed": Entry(405, "不支持的请求方法", "This address does not answer to that method"),
    "not-a-picture": Entry(422, "不是可用的照片", "Not a usable picture"),
}


@dataclass
class Problem(Exception):
    """An answer that is not a success; `extra` members stand beside the standard ones."""

    slug: str
    detail: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status of this kind of problem."""
        return CATALOGUE[self.slug].status

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document (RFC 9457, clause 3)."""
        entry = CATALOGUE[self.slug]
        return {
            "type": f"/problems/{self.slug}",
            "title": entry.title,
            "title_en": entry.title_en,
            "status": entry.status,
            "detail": self.detail,
            **self.extra,
        }


#: The members of a problem document, as OpenAPI has it (RFC 9457, clause 3).
SHAPE = {
    "type": "object",
    "required": ["type", "title", "title_en", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "title_en": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def promised(*slugs: str) -> dict[int, Any]:
    """Return the `responses` of an OpenAPI operation that answers with these problems.

    Several kinds that share a status are told apart by `type`, which the description lists.
    """
    by_status: dict[int, list[str]] = {}
    for slug in slugs:
        by_status.setdefault(CATALOGUE[slug].status, []).append(slug)
    return {
        status: {
            "description": "; ".join(f"{slug}: {CATALOGUE[slug].title_en}" for slug in alike),
            "content": {CONTENT_TYPE: {"schema": SHAPE}},
        }
        for status, alike in sorted(by_status.items())
    }
