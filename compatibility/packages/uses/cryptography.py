"""A Fernet key made at import, signatures, and OpenSSL's digests."""

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

fernet = Fernet(b"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")
signer = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def answer(number: int) -> str:
    text = f"number {number}".encode()
    signature = signer.sign(text)
    signer.public_key().verify(signature, text)
    mac = hmac.HMAC(b"key", hashes.SHA256())
    mac.update(text)
    key = PBKDF2HMAC(hashes.SHA256(), 32, b"salt", 100 + number).derive(text)
    plain = fernet.decrypt(fernet.encrypt(text)).decode()
    return " ".join([plain, signature.hex(), mac.finalize().hex(), key.hex()])
