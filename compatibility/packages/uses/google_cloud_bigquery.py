"""A client made at import; schemas, parameters and jobs without a server."""

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

client = bigquery.Client(project="herd", credentials=AnonymousCredentials())
schema = [
    bigquery.SchemaField("number", "INT64"),
    bigquery.SchemaField("words", "STRING", "REPEATED"),
]


def answer(number: int) -> str:
    table = bigquery.Table(f"herd.data.table_{number}", schema=schema)
    table.clustering_fields = ["number"]
    settings = bigquery.QueryJobConfig(
        query_parameters=[bigquery.ScalarQueryParameter("n", "INT64", number)]
    )
    return f"{table.to_api_repr()} {settings.to_api_repr()} {client.project}"
