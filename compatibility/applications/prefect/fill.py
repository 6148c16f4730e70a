"""Makes flows, runs, variables, a work pool and block types, with Prefect's own API."""

import asyncio
import os

os.environ["PREFECT_API_BLOCKS_REGISTER_ON_START"] = "true"

from fastapi.testclient import TestClient
from prefect.server.api.server import create_app


def fill(client: TestClient) -> None:
    for number in range(8):
        answer = client.post("/api/flows/", json={"name": f"flow-{number}", "tags": ["a", "b"]})
        flow = answer.raise_for_status().json()["id"]
        for attempt in range(4):
            run = {"flow_id": flow, "name": f"run-{attempt}", "parameters": {"n": attempt}}
            made = client.post("/api/flow_runs/", json=run | {"state": {"type": "COMPLETED"}})
            made.raise_for_status()
        value = {"name": f"variable_{number}", "value": number, "tags": ["a"]}
        client.post("/api/variables/", json=value).raise_for_status()
    client.post("/api/work_pools/", json={"name": "pool", "type": "process"}).raise_for_status()


asyncio.set_event_loop(asyncio.new_event_loop())
with TestClient(create_app(webserver_only=True)) as client:
    fill(client)
