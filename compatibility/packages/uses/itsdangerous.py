"""Signers made at import."""

from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

serializer = URLSafeSerializer("secret", salt="herd")
timed = URLSafeTimedSerializer("secret")


def answer(number: int) -> str:
    text = serializer.dumps({"number": number, "list": [1, None]})
    back = timed.loads(timed.dumps(number), max_age=60)
    try:
        serializer.loads(text + "x")
        error = "none"
    except BadSignature as failure:
        error = str(failure)
    return f"{text} {serializer.loads(text)} {back} {error}"
