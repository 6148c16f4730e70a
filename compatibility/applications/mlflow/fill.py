"""Makes experiments with runs, and a registered model, with MLflow's own client."""

import mlflow
from mlflow import MlflowClient

mlflow.set_tracking_uri("sqlite:///mlflow.db")
client = MlflowClient()
for number in range(4):
    experiment = client.create_experiment(f"experiment {number}", tags={"team": f"t{number}"})
    for attempt in range(5):
        run = client.create_run(experiment, run_name=f"run {attempt}", start_time=1_700_000_000_000)
        run_id = run.info.run_id
        client.log_param(run_id, "depth", attempt)
        for step in range(10):
            client.log_metric(
                run_id, "loss", 1 / (1 + step + attempt), 1_700_000_000_000 + step, step
            )
        client.log_text(run_id, f"notes of {number}/{attempt}\n", "notes/notes.txt")
        client.set_terminated(run_id, end_time=1_700_000_100_000)
client.create_registered_model("classifier", tags={"stage": "test"}, description="A *model*")
client.create_model_version("classifier", "mlflow-artifacts:/nowhere", description="first")
client.set_registered_model_alias("classifier", "best", 1)
