"""Where the tablet app is served; to be included at `/tablet/`."""

from django.urls import path

from mobile_api import tablet_views

app_name = "tablet"
urlpatterns = [
    path("", tablet_views.serve, {"name": "index.html"}, name="shell"),
    path("<path:name>", tablet_views.serve, name="file"),
]
