"""OPTIONS: what this server can do, told to anyone; X-HTTP-Method-Override for poor clients."""

from __future__ import annotations

import pytest

from tests.mobile_api.uploading import Tablet, jpeg, refused

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mobile_api.uploading")]
PHOTO = jpeg()


@pytest.mark.parametrize(
    "where", ["/api/v1/uploads/", "/api/v1/uploads/01890000-0000-7000-8000-000000000000"]
)
def test_the_capabilities_need_neither_token_nor_version(tablet: Tablet, where: str):
    answer = tablet.send("OPTIONS", where, Tus_Resumable="", Authorization="")

    assert answer.status_code == 204
    assert {name: value for name, value in answer.items() if name.startswith("Tus-")} == {
        "Tus-Resumable": "1.0.0",
        "Tus-Version": "1.0.0",
        "Tus-Extension": "creation,creation-with-upload,checksum,expiration,termination",
        "Tus-Max-Size": str(12 * 1024 * 1024),
        "Tus-Checksum-Algorithm": "sha1,sha256",
    }


def test_an_overriding_method_is_the_one_obeyed(tablet: Tablet):
    where = tablet.create(PHOTO)["Location"]

    answer = tablet.send("POST", where, PHOTO, Upload_Offset="0", X_HTTP_Method_Override="PATCH")

    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(len(PHOTO)))


def test_an_overriding_method_must_fit_the_address(tablet: Tablet):
    where = tablet.create(PHOTO)["Location"]

    answer = tablet.send("PATCH", where, PHOTO, X_HTTP_Method_Override="GET")

    assert refused(answer) == (405, "not-allowed")
    assert answer["Allow"] == "OPTIONS, HEAD, PATCH, DELETE"
