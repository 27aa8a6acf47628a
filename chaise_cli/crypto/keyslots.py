"""Key slots: the store key, wrapped once for each way in which a home can be unlocked.

A slot is a JSON object {kind, params, fingerprint, nonce, box}: bytes are unpadded base64url, `box` is the store
key sealed under a key that follows from the slot's secret, bound to kind, params and fingerprint. Reading and
writing the file is the caller's. Source: docs/spec/keys.md.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, NewType

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from chaise_cli import ids
from chaise_cli.crypto import checked_text, recovery
from chaise_cli.crypto.derivation import PREFIX, derive
from chaise_cli.crypto.recovery import RecoveryCode
from chaise_cli.crypto.sealing import NONCE_SIZE, OVERHEAD, BadSeal, open_sealed, seal
from chaise_cli.crypto.storekey import SIZE, StoreKey, fingerprint
from chaise_cli.errors import Corrupt, NoKey

KINDS: Final = ("passphrase", "keyfile", "recovery", "keyring")
KEY_TEXT: Final = "chaise-key-1"  # first word of a key file, and of what the keyring keeps
SALT_SIZE: Final = 16
_AAD: Final = PREFIX + b"slot\x00"
_FIELDS: Final = frozenset(("kind", "params", "fingerprint", "nonce", "box"))

Slot = dict[str, object]  # JSON-ready
Random = Callable[[int], bytes]
KeyText = NewType("KeyText", str)  # "chaise-key-1 " and 56 characters in groups


class WrongKey(NoKey):
    """The secret given does not open the slot."""

    code = "key.wrong"
    message = "this {kind} does not open the home"
    hint = "try again, or use another way in: chaise doctor lists the slots; the recovery code always opens it"
    kind: str


class BadKeyText(NoKey):
    """The content of a key file, or of the keyring's entry, is not one that Chaise wrote."""

    code = "key.bad_key_file"
    message = "this is not a Chaise key: {reason}"
    hint = "a key file is one line that begins with chaise-key-1; restore it from a copy or use another way in"
    reason: str


class SlotsDamaged(Corrupt):
    """A slot is not of the form that Chaise writes, or its content contradicts it."""

    code = "key.slots_damaged"
    message = "the key slots are damaged: {problem}"
    hint = "put back a copy of the slots file; without one, restore from a backup or with the recovery code"
    problem: str


class Cost(NamedTuple):
    """What Argon2id shall spend; the default is about 0.4 s and 64 MiB."""

    iterations: int = 3
    lanes: int = 4
    memory: int = 65536  # KiB

    def is_sane(self) -> bool:
        """Whether reading a slot with this cost neither fails nor takes the machine down: ≤ 16 rounds, 1 GiB."""
        return 1 <= self.iterations <= 16 and 1 <= self.lanes <= 16 and 8 * self.lanes <= self.memory <= 1 << 20


class _Params(NamedTuple):
    salt: bytes
    cost: Cost | None  # of a passphrase slot only


def new_key_text(random: Random) -> KeyText:
    """A line for a key file or the keyring that carries 32 random bytes; without a line end."""
    return KeyText(f"{KEY_TEXT} {checked_text.write(random(32), 'key-file')}")


def make_passphrase_slot(store_key: StoreKey, passphrase: str, random: Random, cost: Cost | None = None) -> Slot:
    """A slot that opens with the passphrase, however its accents are composed. cost: the default unless in tests."""
    return _make(store_key, "passphrase", passphrase, random, cost or Cost())


def make_keyfile_slot(store_key: StoreKey, text: KeyText, random: Random) -> Slot:
    """A slot that opens with the content of a key file, made by `new_key_text`. Raises BadKeyText."""
    return _make(store_key, "keyfile", text, random, None)


def make_keyring_slot(store_key: StoreKey, text: KeyText, random: Random) -> Slot:
    """A slot that opens with what the OS keyring keeps, made by `new_key_text`. Raises BadKeyText."""
    return _make(store_key, "keyring", text, random, None)


def make_recovery_slot(store_key: StoreKey, code: RecoveryCode, random: Random) -> Slot:
    """A slot that opens with the recovery code."""
    return _make(store_key, "recovery", recovery.write(code), random, None)


def open_slot(slot: Mapping[str, object], secret: str) -> StoreKey:
    """The store key. secret: the passphrase, the key file's content, the keyring's entry or the recovery code.

    Raises WrongKey, BadKeyText or BadRecoveryCode for the secret, SlotsDamaged for the slot.
    """
    kind = slot.get("kind")
    if set(slot) != _FIELDS or not isinstance(kind, str) or kind not in KINDS:
        raise SlotsDamaged(problem="a slot has other fields, or an unknown kind")
    params = _read_params(kind, slot["params"])
    mark = _bytes(slot["fingerprint"], 16)
    nonce, box = _bytes(slot["nonce"], NONCE_SIZE), _bytes(slot["box"], SIZE + OVERHEAD)
    try:
        key = StoreKey(open_sealed(_slot_key(kind, params, secret), nonce, box, _aad(kind, params, mark)))
    except BadSeal:
        raise WrongKey(kind=kind) from None
    if fingerprint(key) != mark:
        raise SlotsDamaged(problem="a slot names another key than it holds")
    return key


def _make(store_key: StoreKey, kind: str, secret: str, random: Random, cost: Cost | None) -> Slot:
    assert len(store_key) == SIZE, "a store key has 48 bytes"
    assert cost is None or cost.is_sane(), "a slot that could not be read again"
    params, nonce, mark = _Params(random(SALT_SIZE), cost), random(NONCE_SIZE), fingerprint(store_key)
    box = seal(_slot_key(kind, params, secret), nonce, store_key, _aad(kind, params, mark))
    written: dict[str, object] = {"salt": ids.text(params.salt)}
    if cost:
        written |= cost._asdict()
    coded = {"fingerprint": ids.text(mark), "nonce": ids.text(nonce), "box": ids.text(box)}
    return {"kind": kind, "params": written, **coded}


def _slot_key(kind: str, params: _Params, secret: str) -> bytes:
    """The 32 bytes under which the slot's box is sealed."""
    if kind == "recovery":
        return recovery.store_slot_key(recovery.parse(secret), params.salt)
    if params.cost is None:
        return derive(_read_key_text(secret), f"slot-{kind}", salt=params.salt)
    rounds, lanes, memory = params.cost
    stretch = Argon2id(salt=params.salt, length=32, iterations=rounds, lanes=lanes, memory_cost=memory)
    # NFC: one keyboard sends é as one character, another as two. Surrogates: bytes the terminal's locale did not know.
    return stretch.derive(unicodedata.normalize("NFC", secret).encode(errors="surrogatepass"))


def _read_key_text(text: str) -> bytes:
    word, _, chars = text.strip().partition(" ")
    if word != KEY_TEXT:
        raise BadKeyText(reason=f"it does not begin with {KEY_TEXT}")
    try:
        return checked_text.read(chars, "key-file", 32)
    except checked_text.Misspelt as error:
        raise BadKeyText(reason=error.reason) from None


def _aad(kind: str, params: _Params, mark: bytes) -> bytes:
    numbers = b"".join(number.to_bytes(4, "big") for number in params.cost or ())
    return _AAD + kind.encode() + b"\x00" + params.salt + numbers + mark


def _read_params(kind: str, given: object) -> _Params:
    wanted = {"salt", *Cost._fields} if kind == "passphrase" else {"salt"}
    if not isinstance(given, dict) or set(given) != wanted:
        raise SlotsDamaged(problem=f"the parameters of the {kind} slot")
    salt = _bytes(given["salt"], SALT_SIZE)
    if kind != "passphrase":
        return _Params(salt, None)
    numbers = [given[name] for name in Cost._fields]
    if any(type(number) is not int for number in numbers) or not Cost(*numbers).is_sane():
        raise SlotsDamaged(problem="the cost written into the passphrase slot is out of bounds")
    return _Params(salt, Cost(*numbers))


def _bytes(given: object, size: int) -> bytes:
    try:
        data = ids.raw(given) if isinstance(given, str) else b""
    except ValueError:
        data = b""
    if len(data) != size:
        raise SlotsDamaged(problem="a value is not base64url of the right length")
    return data
