"""A manager with a loader, and a user who logs in and out."""

from flask import Flask
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)

app = Flask(__name__)
app.secret_key = "not a secret"
manager = LoginManager(app)


class User(UserMixin):
    def __init__(self, number: str) -> None:
        self.id = number


@manager.user_loader
def load(number: str) -> User:
    return User(number)


@app.get("/private")
@login_required
def private() -> str:
    return f"private {current_user.id}"


@app.get("/login/<number>")
def login(number: str) -> str:
    return str(login_user(User(number)))


@app.get("/logout")
def logout() -> str:
    return str(logout_user())


@app.get("/<int:number>")
def answer(number: int) -> str:
    with app.test_client() as client:
        seen = [client.get(path).status_code for path in ("/private", f"/login/{number}")]
        return f"{number} {seen} {client.get('/private').text} {client.get('/logout').text}"
