"""A scheduler started at import, as many applications do; its jobs run in the parent's thread."""

from datetime import datetime

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger


def job() -> None:
    pass


scheduler = BackgroundScheduler(timezone="UTC")
scheduler.add_job(job, IntervalTrigger(hours=1), id="hourly")
scheduler.start()


def answer(number: int) -> str:
    trigger = CronTrigger(minute=f"*/{number % 29 + 1}", timezone="UTC")
    start = datetime(2026, 1, 1, number % 24, tzinfo=trigger.timezone)
    fire = trigger.get_next_fire_time(None, start)
    return f"{number} {fire.isoformat()} {[each.id for each in scheduler.get_jobs()]}"
