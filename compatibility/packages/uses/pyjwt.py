"""Tokens signed by cryptography, with keys read at import."""

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

key = ec.generate_private_key(ec.SECP256R1())


def answer(number: int) -> str:
    shared = jwt.encode(
        {"number": number}, "a secret that is long enough for it", algorithm="HS256"
    )
    signed = jwt.encode({"number": number, "aud": "herd"}, key, algorithm="ES256")
    back = jwt.decode(signed, key.public_key(), algorithms=["ES256"], audience="herd")
    try:
        jwt.decode(signed, key.public_key(), algorithms=["ES256"], audience="other")
        error = "none"
    except jwt.InvalidTokenError as failure:
        error = str(failure)
    return f"{shared} {back} {error}"
