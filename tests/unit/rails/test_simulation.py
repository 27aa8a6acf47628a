"""The sim's server: what it refuses to understand, where it listens, how it ends."""

from __future__ import annotations

import socket
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from chaise_cli.domain.money import LARGEST
from chaise_cli.rails.rail import Key, Succeeded
from chaise_cli.rails.simulation.book import Terms
from chaise_cli.rails.simulation.server import BadListen, SimCannotListen, SimStoreFailed, running
from tests.fakes.rails import NOON, SimWorld, eur, intent, sim_world
from tests.fakes.sim_process import SimProcess, Visitor

HOLD: Final[dict[str, Any]] = {
    "payer": "id-lisa",
    "amount": {"minor": 600, "currency": "EUR"},
    "reference": "r1",
    "purpose": "deal-7k3m/1",
}


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimWorld]:
    with sim_world(tmp_path_factory.mktemp("sim")) as made:
        yield made


def amount(minor: object, currency: object = "EUR") -> dict[str, Any]:
    return HOLD | {"amount": {"minor": minor, "currency": currency}}


MALFORMED: Final[dict[str, object]] = {
    "no JSON": b"{",
    "no text": b"\xff{}",
    "no object": [],
    "a name twice": b'{"payer": "a", "payer": "b"}',
    "not a number": b'{"amount": NaN}',
    "nested beyond all measure": b"[" * 16_000,
    "unknown field": HOLD | {"tip": 1},
    "unknown field of the amount": HOLD | {"amount": HOLD["amount"] | {"text": "6.00 EUR"}},
    "missing field": {name: value for name, value in HOLD.items() if name != "purpose"},
    "zero": amount(0),
    "negative": amount(-600),
    "too large": amount(LARGEST + 1),
    "a float": amount(600.0),
    "true": amount(True),
    "a text": amount("600"),
    "null": amount(None),
    "a currency nobody knows": amount(600, "XXX"),
    "a small currency": amount(600, "eur"),
    "a look-alike currency": amount(600, "ЕUR"),
    "a party of no name": HOLD | {"payer": ""},
    "a party with a look-alike name": HOLD | {"payer": "id-lіsa"},
    "a party with a line end": HOLD | {"payer": "id-lisa\n"},
    "a reference with a space": HOLD | {"reference": "r 1"},
    "a reference too long": HOLD | {"reference": "r" * 65},
    "a purpose of two lines": HOLD | {"purpose": "a\nb"},
    "a purpose too long": HOLD | {"purpose": "a" * 201},
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_malformed_is_refused_and_not_kept(sim: SimWorld, what: str) -> None:
    for _ in range(2):  # the same again: nothing was kept under the key
        status, answer = sim.visitor.ask("POST", "/v1/holds", MALFORMED[what], Idempotency_Key="bad")
        assert status == 400, answer
    assert sim.payments(Key("r1")) == []


@pytest.mark.parametrize("key", ["", "k" * 65, "k k", "k;"])
def test_a_payment_has_a_key(sim: SimWorld, key: str) -> None:
    assert sim.visitor.ask("POST", "/v1/holds", HOLD, Idempotency_Key=key)[1]["error"]["code"] == "bad_key"
    assert sim.visitor.ask("POST", "/v1/holds", HOLD)[1]["error"]["code"] == "bad_key"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/v1/tips", {}, 404),
        ("POST", "/v1/payments", {}, 404),
        ("GET", "/v1/holds", {}, 404),
        ("GET", "/", {}, 404),
        ("GET", "/v1/payments/sim-1", {}, 404),
        ("GET", f"/v1/payments/sim-{quote('٠٠٠٠٠١')}", {}, 404),
        ("GET", "/v1/payments/" + "sim-" + "9" * 40, {}, 404),
        ("GET", "/v1/payments?reference=a&reference=b", {}, 400),
        ("GET", "/v1/payments?reference", {}, 400),
        ("GET", "/v1/statement?since=-1&until=2&after=0", {}, 400),
        ("GET", "/v1/statement?since=0&until=99999999999999999&after=0", {}, 400),
        ("GET", "/v1/statement?since=0", {}, 404),
        ("POST", "/v1/holds", {"Content_Type": "text/plain"}, 415),
        ("POST", "/v1/holds", {"Content_Length": "-1"}, 411),
        ("POST", "/v1/holds", {"Content_Length": "999999"}, 413),
        ("POST", "/v1/holds", {"Transfer_Encoding": "chunked"}, 411),
    ],
)
def test_what_is_no_request_of_this_rail_is_answered_so(
    sim: SimWorld, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = sim.visitor.ask(method, path, b"{}" if method == "POST" else None, **headers)
    assert answer[0] == status
    assert set(answer[1]["error"]) == {"code", "message"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {"ahead_ms": -1}),
        ("clock", {"ahead_ms": 2**53}),
        ("faults", {"fault": "melt"}),
        ("faults", {"fault": "pend", "seconds": -1}),
        ("faults", {"fault": "pend", "times": 0}),
        ("faults", {"fault": "pend", "times": 1001}),
        ("faults", {"fault": "decline", "code": ""}),
        ("faults", {"fault": "action", "text": "a\nb"}),
        ("settle", {"ref": "sim-000001", "code": "a b"}),
        ("settle", {"ref": "sim-777777"}),
        ("chargebacks", {"hold": "sim-777777", "amount": HOLD["amount"]}),
        ("deposits", {"amount": {"minor": 0, "currency": "EUR"}}),
    ],
)
def test_orders_of_the_control_are_read_as_strictly(sim: SimWorld, path: str, body: object) -> None:
    assert sim.visitor.ask("POST", f"/control/{path}", body)[0] == 400


def test_without_leave_there_is_no_control(tmp_path: Path) -> None:
    with running("127.0.0.1:0", tmp_path / "a" / "sim.db", Terms(), lambda: NOON) as url:
        for path in ("clock", "faults", "keys/forget", "deposits", "chargebacks", "settle"):
            assert Visitor(url).ask("POST", f"/control/{path}", {})[0] == 404
        assert Visitor(url).ask("GET", "/v1/health")[1] == {"ok": True, "now": NOON}
    assert stat.S_IMODE((tmp_path / "a" / "sim.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_the_largest_amounts_fit_and_nothing_grows_beyond_them(tmp_path: Path) -> None:
    most = type(eur("0"))(LARGEST, "EUR")
    with sim_world(tmp_path) as sim:
        hold = sim.rail.hold(intent("id-lisa", most), Key("all"))
        assert isinstance(hold, Succeeded)
        codes = []
        for key, move in (("one-more", sim.rail.hold), ("out", sim.rail.payout), ("in-again", sim.rail.hold)):
            codes.append(getattr(move(intent("id-lisa", most), Key(key)), "code", None))
        codes.append(getattr(sim.rail.payout(intent("id-lisa", eur("0.01")), Key("too-much")), "code", None))
        assert codes == ["over_limit", None, None, "over_limit"]
        assert isinstance(sim.rail.payout(intent("id-james", most), Key("away")), Succeeded)
        whole = {"minor": LARGEST, "currency": "EUR"}
        again = sim.rail.find(Key("in-again"))
        assert isinstance(again, Succeeded)
        sim.visitor.does("chargebacks", {"hold": hold.ref, "amount": whole})
        status, refused = sim.visitor.ask("POST", "/control/chargebacks", {"hold": again.ref, "amount": whole})
        assert (status, refused["error"]["code"]) == (400, "over_limit")
        sim.adds_up()


def test_a_key_is_known_until_its_horizon_and_not_at_that_very_instant(tmp_path: Path) -> None:
    with sim_world(tmp_path, Terms(key_horizon_ms=1000)) as sim:
        first = sim.rail.hold(intent("id-lisa", eur("1")), Key("k"))
        sim.visitor.does("clock", {"ahead_ms": 999})
        assert sim.rail.hold(intent("id-lisa", eur("1")), Key("k")) == first
        sim.visitor.does("clock", {"ahead_ms": 1})
        assert sim.rail.hold(intent("id-lisa", eur("1")), Key("k")) != first


def test_what_was_asked_in_full_is_done_and_answered_before_it_stops(tmp_path: Path) -> None:
    """A payment waits for a day, and the sim, told to stop, does not wait with it. Idle connections hold up nobody."""
    with ThreadPoolExecutor(1) as pool:
        with sim_world(tmp_path) as sim:
            idle = socket.create_connection(("127.0.0.1", sim.proxy.port))
            direct = sim.client(url=sim.url)
            assert direct.find(Key("k")) is None
            sim.fault("delay", seconds=86_400)
            told = pool.submit(direct.hold, intent("id-lisa", eur("1")), Key("k"))
            while sim.visitor.ask("GET", "/control/faults")[1]["waiting"]:
                """Until the payment is there, and waits."""
        assert isinstance(told.result(30), Succeeded)
        idle.close()
    with sim_world(tmp_path) as sim:
        assert sim.rail.find(Key("k")) == told.result()


def test_a_stop_by_signal_is_a_good_end(tmp_path: Path) -> None:
    with SimProcess(tmp_path, "--fee-bp", "100", control=False) as sim:
        assert sim.result["data"] == {"url": sim.url, "store": str(sim.store), "control": False}
        assert Visitor(sim.url).ask("POST", "/control/keys/forget", {})[0] == 404
        assert Visitor(sim.url).ask("POST", "/v1/holds", HOLD, Idempotency_Key="k")[1]["fee"]["minor"] == 6
        assert sim.stop() == 0


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:0", "192.0.2.1:0", "example.org:80", "127.0.0.1", ":0", "127.0.0.1:x", "[::1"]
)
def test_it_listens_on_this_machine_alone(tmp_path: Path, listen: str) -> None:
    with pytest.raises(BadListen), running(listen, tmp_path / "sim.db", Terms(), lambda: NOON):
        pass


def test_an_address_that_is_taken_is_said_so(tmp_path: Path) -> None:
    with sim_world(tmp_path) as sim:
        taken = running(sim.url.removeprefix("http://"), tmp_path / "other.db", Terms(), lambda: NOON)
        with pytest.raises(SimCannotListen), taken:
            pass


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, and long enough to be looked at as one" * 20)
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE mine (a)")
    db.close()
    before = [(tmp_path / name).read_bytes() for name in ("text.db", "other.db")]
    for name in ("text.db", "other.db", "."):
        with pytest.raises(SimStoreFailed), running("127.0.0.1:0", tmp_path / name, Terms(), lambda: NOON):
            pass
    tables = sqlite3.connect(tmp_path / "other.db").execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("mine",)]
    assert (tmp_path / "text.db").read_bytes() == before[0]


def test_names_of_people_reach_no_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with sim_world(tmp_path) as sim:
        sim.visitor.ask("POST", "/v1/holds", HOLD, Idempotency_Key="k")
        sim.visitor.ask("GET", "/v1/balances?party=id-lisa")
        with socket.create_connection(("127.0.0.1", sim.proxy.port)) as rude:
            rude.sendall(b"id-lisa\r\n\r\n")
            assert b"400" in rude.recv(4096)
    assert capfd.readouterr() == ("", "")
