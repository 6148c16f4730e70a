"""loguru with enqueue=True: a thread of the process that has loaded the application writes the
lines of all processes."""

import os

from flask import Flask, request
from loguru import logger

logger.remove()
logger.add(os.environ["DELIVERIES_FILE"], format="{message}", enqueue=True)
logger.info("import")
app = Flask(__name__)


@app.get("/")
def index() -> str:
    number = request.args["number"]
    logger.info(number)
    return number
