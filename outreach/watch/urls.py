"""The operator's addresses."""

from django.urls import path

from outreach.watch import views

app_name = "watch"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
