"""Resources with parsed arguments and marshalled fields."""

from flask import Flask
from flask_restful import Api, Resource, fields, marshal_with, reqparse

app = Flask(__name__)
api = Api(app)
parser = reqparse.RequestParser()
parser.add_argument("times", type=int, default=2, location="args")


class Answer(Resource):
    @marshal_with({"number": fields.Integer, "words": fields.List(fields.String)})
    def get(self, number: int) -> dict[str, object]:
        times = parser.parse_args()["times"]
        return {"number": number * times, "words": ["w"] * (number % 3), "hidden": 1}


api.add_resource(Answer, "/<int:number>")
