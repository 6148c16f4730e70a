"""Headers for other origins."""

from flask import Flask
from flask_cors import CORS, cross_origin

app = Flask(__name__)
CORS(app, resources={r"/api/*": {"origins": r"https://shop\d+\.example"}})


@app.get("/api/<int:number>")
def api(number: int) -> str:
    return str(number)


@app.get("/<int:number>")
@cross_origin()
def answer(number: int) -> str:
    with app.test_client() as client:
        response = client.get(f"/api/{number}", headers={"Origin": f"https://shop{number}.example"})
        other = client.get(f"/api/{number}", headers={"Origin": "https://x.example"})
    name = "Access-Control-Allow-Origin"
    return f"{response.headers.get(name)} {name in other.headers}"
