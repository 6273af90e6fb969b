"""The public page on which anybody checks a certificate."""

from django.urls import path

from certificates import views

app_name = "certificates"
urlpatterns = [path("", views.check, name="check")]
