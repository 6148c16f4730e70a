"""Filters over pictures, with OpenCV's own thread pool started at import."""

import hashlib

import cv2
import numpy as np

picture = (np.arange(200 * 300 * 3) % 251).astype(np.uint8).reshape(200, 300, 3)
warmed = cv2.GaussianBlur(picture, (5, 5), 0)


def answer(number: int) -> str:
    changed = cv2.rectangle(picture.copy(), (10, 10), (50 + number, 60), (0, 255, 0), 2)
    gray = cv2.cvtColor(cv2.GaussianBlur(changed, (5, 5), 0), cv2.COLOR_BGR2GRAY)
    edges = cv2.Canny(gray, 50, 150)
    ok, stored = cv2.imencode(".png", edges)
    back = cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE)
    contours, _ = cv2.findContours(back, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    digest = hashlib.sha256(back.tobytes()).hexdigest()[:16]
    return f"{number} {ok} {digest} {len(contours)}"
