"""Tokens made and checked."""

from datetime import timedelta

from flask import Flask
from flask_jwt_extended import JWTManager, create_access_token, get_jwt_identity, jwt_required

app = Flask(__name__)
app.config["JWT_SECRET_KEY"] = "not a secret, and long enough to sign with it"
JWTManager(app)


@app.get("/private")
@jwt_required()
def private() -> str:
    return f"private {get_jwt_identity()}"


@app.get("/<int:number>")
def answer(number: int) -> str:
    with app.test_client() as client:
        token = create_access_token(f"user {number}", expires_delta=timedelta(hours=1))
        good = client.get("/private", headers={"Authorization": f"Bearer {token}"})
        bad = client.get("/private", headers={"Authorization": f"Bearer {token}x"})
        return f"{good.text} {bad.status_code} {client.get('/private').json}"
