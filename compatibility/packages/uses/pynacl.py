"""Boxes and signatures of libsodium, bound by cffi in API mode."""

from nacl import encoding, hash, pwhash, secret, signing, utils

signer = signing.SigningKey(bytes(range(32)))
box = secret.SecretBox(utils.random(secret.SecretBox.KEY_SIZE))


def answer(number: int) -> str:
    text = f"number {number}".encode()
    signed = signer.sign(text, encoder=encoding.HexEncoder)
    plain = box.decrypt(box.encrypt(text)).decode()
    digest = hash.blake2b(text, encoder=encoding.HexEncoder).decode()
    key = pwhash.argon2id.kdf(16, text, b"salt" * 4, opslimit=1, memlimit=8192)
    return f"{signed.decode()} {plain} {digest} {key.hex()}"
