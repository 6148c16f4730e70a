"""Every address of the site."""

from django.contrib import admin
from django.urls import path

from feed.timeline import views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("read-all", views.read_all, name="read-all"),
    path("slow", views.slow, name="slow"),
    path("stats", views.stats, name="stats"),
    path("admin/", admin.site.urls),
]
