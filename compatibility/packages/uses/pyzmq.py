"""A context made at import; in-process sockets in each request."""

import zmq

context = zmq.Context.instance()


def answer(number: int) -> str:
    # A new context, since one made before the fork must not be used after it.
    with zmq.Context() as own, own.socket(zmq.PAIR) as a, own.socket(zmq.PAIR) as b:
        a.bind(f"inproc://n{number}")
        b.connect(f"inproc://n{number}")
        a.send_multipart([b"number", str(number).encode()])
        received = b.recv_multipart()
        b.send_json({"n": number})
        return f"{received} {a.recv_json()} {context.closed}"
