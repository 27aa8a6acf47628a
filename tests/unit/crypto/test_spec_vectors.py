"""The table of vectors in docs/spec/keys.md, computed again."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from chaise_cli.crypto import attachments, derivation, keyslots, recovery, sealing, signing, storekey
from chaise_cli.crypto.boxes import BoxKey
from chaise_cli.crypto.keyslots import Slot
from chaise_cli.crypto.recovery import RecoveryCode
from chaise_cli.crypto.storekey import StoreKey

PAGE = Path(__file__).parents[3] / "docs" / "spec" / "keys.md"


def count(size: int, start: int = 0) -> bytes:
    return bytes(range(start, start + size))


def random(size: int) -> bytes:
    return count(size, 100)


def computed() -> dict[str, str]:
    key, store_key, code = count(32), StoreKey(count(48)), RecoveryCode(count(20))
    signer = signing.Ed25519Signer(key)
    hello = b"".join(attachments.seal_file_chunks(key, [b"hello"]))
    large = attachments.seal_file_chunks(key, [bytes((1 << 20) + 1)])
    text = keyslots.new_key_text(random)
    slots: dict[str, Slot] = {
        "keyfile slot": keyslots.make_keyfile_slot(store_key, text, random),
        "keyring slot": keyslots.make_keyring_slot(store_key, text, random),
        "recovery slot": keyslots.make_recovery_slot(store_key, code, random),
        'passphrase slot, "café au lait", cost 3 4 65536': keyslots.make_passphrase_slot(
            store_key, "café au lait", random
        ),
    }
    return {
        "derive, `body`": derivation.derive(key, "body").hex(),
        "derive, `history`": derivation.derive(key, "history").hex(),
        "derive, `access`": derivation.derive(key, "access").hex(),
        'tagged hash, `box-key`, of "abc"': derivation.tagged_hash("box-key", b"abc").hex(),
        "public signing key": signer.public.hex(),
        'signature, event, "header"': signer.sign(signing.TAGS.event, b"header").hex(),
        "commitment of secret bytes(32, 32)": sealing.epoch_commit(key, count(32, 32)).hex(),
        "event nonce, seq 7": sealing.event_nonce(key, 7).hex(),
        'seal, nonce bytes(12, 0), aad "aad", "plain"': sealing.seal(key, count(12), b"plain", b"aad").hex(),
        'attachment, "hello"': hello.hex(),
        "address of that": attachments.address([hello]).hex(),
        "address, 2^20 + 1 zero bytes": attachments.address(large).hex(),
        "H of the public box key": sha256(BoxKey(key).public).hexdigest(),
        "recovery code": recovery.write(code),
        "root signing seed": recovery.root_signing_seed(code).hex(),
        "root box seed": recovery.root_box_seed(code).hex(),
        "fingerprint": storekey.fingerprint(store_key).hex(),
        'anchor MAC of "record"': storekey.anchor_mac(store_key, b"record").hex(),
        "key text": text,
        **{f"box of the {name}": str(slot["box"]) for name, slot in slots.items()},
    }


def test_every_vector_of_the_specification_is_what_the_code_computes() -> None:
    table = PAGE.read_text("utf-8").partition("## 10. Vectors")[2]
    assert dict(re.findall(r"^\| (.+?) \| `([^`]+)` \|$", table, re.MULTILINE)) == computed()


def test_the_specification_names_every_tag() -> None:
    page = PAGE.read_text("utf-8")
    for tag in signing.TAGS:
        assert f'"{tag[:-1].decode()}" 00' in page
