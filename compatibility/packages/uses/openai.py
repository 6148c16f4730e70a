"""A client made at import, whose resources are loaded lazily; calls to a local server."""

import os

import openai

client = openai.OpenAI(
    api_key="key", base_url=f"http://127.0.0.1:{os.environ['COWHERD_HTTP_PORT']}/v1", max_retries=0
)


def answer(number: int) -> str:
    answered = client.chat.completions.with_raw_response.create(
        model=f"m{number}", messages=[{"role": "user", "content": f"number {number}"}]
    )
    file = client.files.retrieve(f"file-{number}")
    return f"{answered.status_code} {answered.text} {file.path}"
