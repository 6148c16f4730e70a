"""Schedules in the database."""

from uses import django_site

django_site.configure("django_celery_beat")

from django.http import HttpRequest  # noqa: E402
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask  # noqa: E402


def answer(request: HttpRequest, number: int) -> str:
    every, _ = IntervalSchedule.objects.get_or_create(every=number + 1, period="hours")
    task, _ = PeriodicTask.objects.get_or_create(
        name=f"task {number}", defaults={"task": "herd.work", "interval": every}
    )
    at = CrontabSchedule(minute=str(number), hour="*/2")
    return f"{task} | {every.schedule} | {at} | {task.enabled}"


app = django_site.serve(answer)
