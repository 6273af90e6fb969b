"""The composition root: which room answers which address."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from mobile_api.api import api, nowhere

urlpatterns: list[URLPattern | URLResolver] = [
    # First: tablets ask most, and the desk's addresses are many to try.
    path("api/v1/", include("mobile_api.uploads")),
    path("api/v1/", api.urls),
    re_path("^api/", nowhere),
    path("", include("outreach.desk.urls")),
    path("", include("outreach.watch.urls")),
    path("language/", include("django.conf.urls.i18n")),
    path("tablet/", include("mobile_api.tablet_urls")),
    path("check/", include("certificates.urls")),
]

handler500 = "outreach.desk.failures.failed"
