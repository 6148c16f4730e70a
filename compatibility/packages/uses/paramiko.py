"""Keys made at import; a client whose server doesn't exist."""

import paramiko

key = paramiko.ECDSAKey.generate()


def answer(number: int) -> str:
    message = paramiko.Message()
    message.add_int(number)
    message.add_string(f"word {number}")
    data = f"number {number}".encode()
    signature = key.sign_ssh_data(data)
    verified = key.verify_ssh_sig(data, paramiko.Message(signature.asbytes()))
    client = paramiko.SSHClient()
    try:
        client.connect("127.0.0.1", 1, timeout=1)
        error = "none"
    except OSError as failure:
        error = type(failure).__name__
    return f"{message.asbytes().hex()} {verified} {error}"
