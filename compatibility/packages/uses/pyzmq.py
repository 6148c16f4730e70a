"""A context made at import; sockets within the process in each request."""

import zmq

context = zmq.Context.instance()


def answer(number: int) -> str:
    # A context of its own: one that was made before the fork is not to be used after it.
    with zmq.Context() as own, own.socket(zmq.PAIR) as a, own.socket(zmq.PAIR) as b:
        a.bind(f"inproc://n{number}")
        b.connect(f"inproc://n{number}")
        a.send_multipart([b"number", str(number).encode()])
        received = b.recv_multipart()
        b.send_json({"n": number})
        return f"{received} {a.recv_json()} {context.closed}"
