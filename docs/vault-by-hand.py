#!/usr/bin/env python3
"""Opens what this product has sealed, without the product: Python 3 and the openssl command line are enough.

    vault-by-hand.py object --keys vault-keys.json [--wrapped wrapped-key] sealed-object > plain
    vault-by-hand.py field  --keys vault-keys.json --wrapped wrapped-key --place PLACE sealed-field > plain

`--wrapped` is the column wrapped_key of the consultation, as raw bytes. Every tag, the key's commitment and every number
are checked, as docs/VAULT-FORMAT.md says; what does not match ends this with exit code 1 and no output. From openssl only
the AES block cipher in counter mode is used; GHASH, the other half of GCM, is here, since `openssl enc` has no GCM.
"""
import argparse, base64, hashlib, hmac, json, struct, subprocess, sys

SUITE = bytes.fromhex("0478")


def fail(why):
    sys.exit("does not open: " + why)


def hkdf(secret, salt, info, length=32):
    """RFC 5869 with SHA-512."""
    key = hmac.new(salt or bytes(64), secret, hashlib.sha512).digest()
    return hmac.new(key, info + b"\x01", hashlib.sha512).digest()[:length]


def aes_ctr(key, counter, data):
    """AES-256 in counter mode, from the openssl command line."""
    command = ["openssl", "enc", "-aes-256-ctr", "-K", key.hex(), "-iv", counter.hex(), "-nopad"]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def ghash(h, associated, ciphertext):
    """NIST SP 800-38D, 6.4: multiplication in GF(2^128), bits counted from the left."""
    table = []
    value = h
    for _ in range(128):
        table.append(value)
        value = (value >> 1) ^ (0xE1 << 120 if value & 1 else 0)
    y = 0
    lengths = struct.pack(">QQ", len(associated) * 8, len(ciphertext) * 8)
    for part in (associated, ciphertext, lengths):
        for at in range(0, len(part), 16):
            x = y ^ int.from_bytes(part[at : at + 16].ljust(16, b"\0"), "big")
            y = 0
            for bit in range(128):
                if (x >> (127 - bit)) & 1:
                    y ^= table[bit]
    return y.to_bytes(16, "big")


def gcm_open(key, nonce, associated, sealed):
    """Checks the tag, the last 16 bytes, and only then decrypts."""
    ciphertext, tag = sealed[:-16], sealed[-16:]
    # AES of the zero block is the key of GHASH; the counter that begins with the nonce and 1 hides the tag.
    h = int.from_bytes(aes_ctr(key, bytes(16), bytes(16)), "big")
    mask = aes_ctr(key, nonce + struct.pack(">I", 1), bytes(16))
    expected = bytes(a ^ b for a, b in zip(ghash(h, associated, ciphertext), mask))
    if len(tag) != 16 or not hmac.compare_digest(expected, tag):
        fail("a tag does not match")
    return aes_ctr(key, nonce + struct.pack(">I", 2), ciphertext) if ciphertext else b""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        part = self.data[self.at : self.at + length]
        if len(part) != length:
            fail("it is cut")
        self.at += length
        return part

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def counted(self):
        return self.take(self.number(2))


def open_object(sealed, wrapping_key_of):
    """Steps 1 to 5 of "A sealed object"."""
    r = Reader(sealed)
    if r.take(1) != b"\x02" or r.take(2) != SUITE:
        fail("another format")
    message_id = r.take(32)
    context = r.counted()
    if r.number(2) != 1:
        fail("more than one wrapped key")
    provider, information, wrapped = r.counted().decode(), r.counted(), r.counted()
    name, wrap_nonce = information[:-20].decode(), information[-12:]
    if r.take(1) != b"\x02":
        fail("not in frames")
    frame_length = r.number(4)
    commitment = r.take(32)
    header = sealed[: r.at]
    data_key = gcm_open(wrapping_key_of(provider, name), wrap_nonce, context, wrapped)
    if not hmac.compare_digest(hkdf(data_key, message_id, b"COMMITKEY"), commitment):
        fail("the header commits to another key")
    frame_key = hkdf(data_key, message_id, SUITE + b"DERIVEKEY")
    gcm_open(frame_key, bytes(12), header, r.take(16))
    plain, number = [], 0
    while True:
        number += 1
        mark = r.number(4)
        last = mark == 0xFFFFFFFF
        if (r.number(4) if last else mark) != number:
            fail("another frame")
        nonce = r.take(12)
        length = r.number(4) if last else frame_length
        kind = b"AWSKMSEncryptionClient Final Frame" if last else b"AWSKMSEncryptionClient Frame"
        associated = message_id + kind + struct.pack(">IQ", number, length)
        plain.append(gcm_open(frame_key, nonce, associated, r.take(length + 16)))
        if last:
            break
    if r.at != len(sealed):
        fail("something follows")
    return b"".join(plain), read_context(context)


def read_context(data):
    r = Reader(data)
    return {r.counted().decode(): r.counted().decode() for _ in range(r.number(2))}


def open_field(secret, consultation, place, sealed):
    """ "A sealed database field"."""
    if sealed[:1] != b"\x01":
        fail("another format")
    key = hkdf(secret, b"", b"teleconsult columns 1")
    associated = f"teleconsult column 1\0{consultation}|{place}".encode()
    return gcm_open(key, sealed[1:13], associated, sealed[13:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["object", "field"])
    parser.add_argument("--keys", required=True)
    parser.add_argument("--wrapped")
    parser.add_argument("--place")
    parser.add_argument("sealed")
    asked = parser.parse_args()
    with open(asked.keys) as file:
        keys = {key["id"]: base64.b64decode(key["material"]) for key in json.load(file)["keys"]}
    read = lambda path: open(path, "rb").read()

    def of_key_file(provider, name):
        if provider != "teleconsult.local" or name not in keys:
            fail(f"it needs the key {name} of {provider}")
        return keys[name]

    secret = consultation = None
    if asked.wrapped:
        secret, context = open_object(read(asked.wrapped), of_key_file)
        consultation = context["consultation"]
        if context != {"consultation": consultation, "purpose": "consultation-key"}:
            fail("this is no consultation's key")

    def wrapping_key(provider, name):
        if provider == "teleconsult.consultation" and name == consultation:
            return hkdf(secret, b"", b"teleconsult objects 1")
        return of_key_file(provider, name)

    if asked.what == "object":
        plain, context = open_object(read(asked.sealed), wrapping_key)
        print(json.dumps(context, sort_keys=True), file=sys.stderr)
    else:
        plain = open_field(secret, consultation, asked.place, read(asked.sealed))
    sys.stdout.buffer.write(plain)


main()
