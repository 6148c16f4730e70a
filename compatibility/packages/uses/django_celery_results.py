"""Results of tasks in the database."""

from celery import Celery
from uses import django_site

django_site.configure("django_celery_results", CELERY_RESULT_BACKEND="django-db")

from django.http import HttpRequest  # noqa: E402
from django_celery_results.models import TaskResult  # noqa: E402

celery = Celery("herd")
celery.config_from_object("django.conf:settings", namespace="CELERY")


def answer(request: HttpRequest, number: int) -> str:
    celery.backend.store_result(f"task-{number}", {"number": number}, "SUCCESS")
    stored = TaskResult.objects.get(task_id=f"task-{number}")
    result = celery.AsyncResult(f"task-{number}")
    return f"{stored.status} {stored.result} {result.get()} {result.state}"


app = django_site.serve(answer)
