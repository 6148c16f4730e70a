"""A context made at import; certificates made and read."""

from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

context = SSL.Context(SSL.TLS_METHOD)
context.set_cipher_list(b"ECDHE+AESGCM")
key = crypto.PKey.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()))


def answer(number: int) -> str:
    certificate = crypto.X509()
    certificate.set_serial_number(number + 1)
    certificate.get_subject().CN = f"herd{number}.example"
    certificate.set_pubkey(key)
    certificate.gmtime_adj_notBefore(0)
    certificate.gmtime_adj_notAfter(60)
    certificate.sign(key, "sha256")
    text = crypto.dump_certificate(crypto.FILETYPE_PEM, certificate)
    back = crypto.load_certificate(crypto.FILETYPE_PEM, text)
    own = SSL.Connection(context, None)
    own.set_connect_state()
    return f"{back.get_subject().CN} {back.get_serial_number()} {own.get_state_string().decode()}"
