"""APScheduler, started while the application loads. A job runs every second, and is noted with the
time at which it was due and the pid of its process."""

import os

from apscheduler.events import EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask, request


def job() -> None:
    """Stands for the work that a site would do once a second."""


def note(event: JobExecutionEvent) -> None:
    line = f"{event.scheduled_run_time.timestamp():.3f} {os.getpid()}\n"
    with open(os.environ["DELIVERIES_FILE"], "a", encoding="ascii") as notes:
        notes.write(line)


scheduler = BackgroundScheduler()
# With the grace time, a machine that is busy for more than a second delays jobs but loses none.
scheduler.add_job(job, "interval", seconds=1, misfire_grace_time=30)
scheduler.add_listener(note, EVENT_JOB_EXECUTED)
scheduler.start()
app = Flask(__name__)


@app.get("/")
def index() -> str:
    return request.args["number"]
