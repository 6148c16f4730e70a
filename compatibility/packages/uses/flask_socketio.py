"""An event server with its test client."""

from flask import Flask
from flask_socketio import SocketIO, emit

app = Flask(__name__)
app.secret_key = "not a secret"
socket = SocketIO(app, async_mode="threading")


@socket.on("double")
def double(number: int) -> int:
    emit("doubled", {"number": number * 2})
    return number


@app.get("/<int:number>")
def answer(number: int) -> str:
    client = socket.test_client(app)
    back = client.emit("double", number, callback=True)
    received = client.get_received()
    client.disconnect()
    return f"{back} {received[0]['name']} {received[0]['args']}"
