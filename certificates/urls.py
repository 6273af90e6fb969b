"""The public pages on which anybody checks a certificate."""

from django.urls import path

from certificates import api, checker, views

app_name = "certificates"
urlpatterns = [
    path("", views.check, name="check"),
    path("number/", views.check_number, name="check_number"),
    path("api/", api.check, name="check_api"),
    path("sm2/certificates.pem", views.second_certificates, name="sm2_certificates"),
    path("sm2/<slug:sha256>", views.second_signature, name="sm2"),
    path("qr/", checker.serve, {"part": "checker.html"}, name="checker"),
    path("qr/issuer.json", checker.issuer, name="issuer"),
    path("qr/revocations", checker.revoked, name="revocations"),
    path("qr/<path:part>", checker.serve, name="checker_file"),
]
