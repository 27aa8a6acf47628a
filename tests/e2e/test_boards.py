from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from tests.e2e.cast import Cast
from tests.e2e.people import Answer, Person, exchange

CAMPAIGN = (
    "post", "Holiday campaign", "--kind", "marketing", "--skill", "seo", "--skill", "ads", "--budget", "1500..2500EUR",
    "--deadline", "2026-12-20", "--location", "remote", "--brief", "Good work,\nplease.",
)  # fmt: skip


@pytest.fixture
def post(lisa: Person, board: str) -> dict[str, Any]:
    """Lisa's campaign, not yet at James'."""
    found: dict[str, Any] = lisa.does(*CAMPAIGN)
    return found


def titles(answer: Any) -> list[str]:
    return [one["title"] for one in answer]


# Boards


def test_an_invite_brings_two_people_together(lisa: Person, james: Person) -> None:
    made = lisa.does("board", "create", "marketing")
    joined = james.does("board", "join", "-", stdin=made["invite"].lower().replace("-", " ").replace(" ", "-"))
    assert (joined["id"], joined["name"]) == (made["id"], "marketing")
    assert "invite" not in joined
    exchange(lisa, james)
    assert [one["members"] for one in (*lisa.does("boards"), *james.does("boards"))] == [2, 2]
    assert lisa.does("profile", "@james")["person"]["name"] == "James"
    assert lisa.does("board", "invite")["invite"] == james.does("board", "invite", "marketing")["invite"]


def test_who_makes_a_board_is_told_that_its_invite_is_a_secret(lisa: Person) -> None:
    for argv in (("board", "create", "m"), ("board", "invite", "m")):
        assert "whoever has the invite" in lisa.run(*argv, "--json").json["warnings"][-1]


def test_joining_twice_is_joining_once(lisa: Person, james: Person, board: str) -> None:
    invite = lisa.does("board", "invite")["invite"]
    again = james.run("board", "join", "-", "--json", stdin=invite)
    assert (again.exit, again.json["replayed"], again.json["events"]) == (0, True, [])
    assert lisa.run("board", "join", "-", "--json", stdin=invite).json["replayed"] is True


def test_an_invite_comes_from_a_file_or_a_prompt_and_only_there_from_an_argument(lisa: Person, james: Person) -> None:
    invite = lisa.does("board", "create", "marketing")["invite"]
    assert (james.fails("board", "join", invite).code, james.fails("board", "join").code) == (
        "usage.secret_argument", "usage.needs_input",
    )  # fmt: skip
    assert james.does("boards") == []
    at_terminal = james.run("board", "join", invite, "--dry-run", typed=[])
    assert "shell's history" in at_terminal.err
    assert james.run("board", "join", "--dry-run", typed=[invite]).exit == 0
    (james.folder / "invite").write_text(invite)
    assert james.does("board", "join", "--from", str(james.folder / "invite"))["name"] == "marketing"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "board.bad_invite"),
        ("hello", "board.bad_invite"),
        ("chaise-board-1-AAAA-BBBB", "board.bad_invite"),
        ("chaise-board-2-AAAA-BBBB", "board.newer_invite"),
        ("x" * 20_000, "usage.too_long"),
        ("\x00", "usage.not_text"),
    ],
)
def test_a_damaged_invite_is_named(james: Person, given: str, code: str) -> None:
    assert james.fails("board", "join", "-", stdin=given).code == code
    assert james.does("boards") == []


def test_a_rehearsal_leaves_nothing(lisa: Person) -> None:
    answer = lisa.run("board", "create", "marketing", "--dry-run", "--json")
    assert answer.exit == 0
    assert answer.data["name"] == "marketing"
    assert len(answer.json["events"]) == 4  # self.board among them
    assert lisa.does("boards") == []


def test_a_request_id_makes_one_board(lisa: Person) -> None:
    asked = ("board", "create", "marketing", "--request-id", "r1", "--json")
    first, second = lisa.run(*asked), lisa.run(*asked)
    assert (first.json["replayed"], second.json["replayed"]) == (False, True)
    assert (first.data, first.json["events"]) == (second.data, second.json["events"])
    assert lisa.fails("board", "create", "other", "--request-id", "r1").exit == 12


def test_two_boards_have_to_be_told_apart(lisa: Person) -> None:
    lisa.does("board", "create", "one")
    two = lisa.does("board", "create", "two")
    assert lisa.fails("post", "Campaign").code == "board.several"
    assert lisa.does("post", "Campaign", "--board", "two")["board"] == two["id"]
    assert lisa.does("post", "Other", "--board", two["id"][:12])["board"] == two["id"]
    assert lisa.fails("post", "Campaign", "--board", "three").code == "board.unknown"
    assert lisa.fails("post", "Campaign", "--board", "board-0000").code == "id.unknown"
    assert "another board called two" in lisa.run("board", "create", "two", "--json").json["warnings"][0]
    assert lisa.fails("board", "invite", "two").code == "board.same_name"


def test_without_a_board_nothing_is_published(lisa: Person) -> None:
    for argv in (("post", "x"), ("service", "x"), ("profile", "--headline", "x"), ("board", "invite")):
        assert (lisa.fails(*argv).code, lisa.fails(*argv).exit) == ("board.none", 3)


@pytest.mark.parametrize("name", ["", "x" * 121, "two\nlines"])
def test_a_board_has_a_plain_name(lisa: Person, name: str) -> None:
    assert lisa.fails("board", "create", name).exit == 2


def test_a_list_of_a_board_that_was_never_synced_says_so(lisa: Person, board: str) -> None:
    assert "never synced" in lisa.run("posts", "--json").json["warnings"][0]
    assert "warning: marketing was never synced" in lisa.run("posts").err


# Profiles


def test_a_profile_keeps_what_is_not_changed(james: Person, board: str) -> None:
    james.does(
        "profile", "--headline", "Web developer", "--skill", "Python", "--skill", "seo", "--rate", "80EUR/hour",
        "--location", "New York", "--link", "https://james.example/work", "--bio", "I build.",
    )  # fmt: skip
    changed = james.does("profile", "--headline", "Builder")
    assert changed | {"reputation": None, "reliability": None} == james.does("profile")
    kept = (changed["skills"], changed["location"], changed["links"], changed["bio"])
    assert kept == (["python", "seo"], "New York", ["https://james.example/work"], "I build.")
    money = {"minor": 8000, "currency": "EUR", "text": "80.00 EUR"}
    assert changed["rates"] == [{"price": money, "per": "hour"}]
    assert james.run("profile", "--headline", "Builder", "--json").json["replayed"] is True
    emptied = james.does("profile", "--skill", "", "--link", "", "--headline", "")
    assert (emptied["skills"], emptied["links"], emptied["headline"]) == ([], [], "")


def test_others_see_what_was_published_and_no_address(lisa: Person, james: Person, board: str) -> None:
    lisa.does("profile", "--headline", "I hire")
    assert lisa.does("profile")["email"] == "lisa@example.org"
    exchange(lisa, james)
    seen = james.does("profile", "@lisa")
    assert (seen["headline"], seen["email"], seen["tz"]) == ("I hire", None, "Europe/Berlin")


def test_a_changed_name_is_published_and_kept(lisa: Person, james: Person, board: str) -> None:
    lisa.does("profile", "--name", "Lisa M.", "--handle", "lisa-m", "--tz", "Europe/Lisbon")
    assert (lisa.does("whoami")["handle"], lisa.does("whoami")["tz"]) == ("lisa-m", "Europe/Lisbon")
    exchange(lisa, james)
    assert james.does("profile", "@lisa-m")["person"]["name"] == "Lisa M."


def test_a_profile_can_differ_by_board(james: Person) -> None:
    for name in ("one", "two"):
        james.does("board", "create", name)
    assert len(james.run("profile", "--headline", "both", "--json").json["events"]) == 2
    assert len(james.run("profile", "--headline", "two only", "--board", "two", "--json").json["events"]) == 1


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["--rate", "80EUR"], "usage.bad_rate"),
        (["--rate", "80EUR/week"], "usage.bad_rate"),
        (["--rate", "80/hour"], "money.currency_missing"),
        (["--link", "javascript:alert(1)"], "usage.bad_url"),
        (["--skill", "two words; more"], "usage.bad_skill"),
        (["--headline", "x" * 201], "usage.too_long"),
        (["--bio", "x" * 32_001], "usage.bad_field"),
        (["--bio", "x", "--bio-file", "y"], "usage.two_texts"),
        (["--bio-file", "missing"], "usage.unreadable_file"),
        (["--role", "king"], "usage.not_a_choice"),
        (["--handle", "me"], "usage.bad_handle"),
        (["--email", "nobody"], "usage.bad_field"),
        (["--board", "nowhere"], "board.unknown"),
        (["@james", "--headline", "x"], "usage.others_profile"),
        (["@nobody"], "person.unknown"),
        (["post-4tq8"], "usage.bad_id"),
        (["--tz", "CET"], "time.unknown_zone"),
        (["--currency", "DOGE"], "money.unknown_currency"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(james: Person, board: str, argv: list[str], code: str) -> None:
    before = james.does("profile")
    assert james.fails("profile", *argv).code == code
    assert james.does("profile") == before


def test_a_person_whose_profile_did_not_come_is_told_apart_from_nobody(lisa: Person, james: Person, board: str) -> None:
    assert lisa.fails("profile", f"id-{'0' * 26}").exit == 3


# Posts


def test_a_post_says_what_was_typed(post: dict[str, Any]) -> None:
    assert post["budget"]["min"]["text"] == "1500.00 EUR"
    assert post["budget"]["max"]["text"] == "2500.00 EUR"
    assert (post["deadline"], post["tz"]) == ("2026-12-20T23:00:00Z", "Europe/Berlin")
    assert (post["skills"], post["kind"], post["brief"]) == (["seo", "ads"], "marketing", "Good work,\nplease.")
    assert (post["version"], post["state"], post["deals"], post["client"]["handle"]) == (1, "open", 0, "lisa")


def test_a_deadline_is_said_before_it_is_signed(lisa: Person, board: str) -> None:
    assert "deadline: 20 Dec 2026, end of day Berlin (+01:00)" in lisa.run(*CAMPAIGN).err


def test_the_other_side_finds_the_post(lisa: Person, james: Person, post: dict[str, Any]) -> None:
    assert james.does("posts") == []
    exchange(lisa, james)
    assert james.does("posts", "--skill", "SEO") == [post]
    assert james.does("posts", "--skill", "seo", "--skill", "print") == []


def test_a_revision_is_the_same_post_in_its_next_version(lisa: Person, james: Person, post: dict[str, Any]) -> None:
    revised = lisa.does("post", "--edit", post["id"], "--budget", "3000EUR")
    assert revised == post | {
        "version": 2,
        "budget": {"min": revised["budget"]["max"], "max": revised["budget"]["max"]},
    }
    again = lisa.run("post", "--edit", post["id"], "--budget", "3000EUR", "--json")
    assert (again.json["replayed"], again.data) == (True, revised)
    exchange(lisa, james)
    assert james.does("posts") == [revised]
    refused = james.fails("post", "--edit", post["id"], "--budget", "1EUR")
    assert (refused.code, refused.exit) == ("board.not_the_author", 5)


def test_a_closed_post_stays_closed(lisa: Person, james: Person, post: dict[str, Any]) -> None:
    exchange(lisa, james)
    assert james.fails("close", post["id"]).code == "board.not_the_author"
    assert lisa.does("close", post["id"])["state"] == "closed"
    assert lisa.run("close", post["id"], "--json").json["replayed"] is True
    assert lisa.fails("post", "--edit", post["id"], "--budget", "1EUR").code == "board.closed"
    exchange(lisa, james)
    assert (james.does("posts"), titles(james.does("posts", "--state", "closed"))) == ([], ["Holiday campaign"])


def test_a_post_expires_by_itself(lisa: Person, post: dict[str, Any]) -> None:
    lisa.now = "2026-12-20T22:59:59Z"
    assert titles(lisa.does("posts")) == ["Holiday campaign"]
    lisa.now = "2026-12-20T23:00:00Z"
    assert lisa.does("posts") == []
    assert [one["state"] for one in lisa.does("posts", "--state", "expired")] == ["expired"]
    assert lisa.does("post", "--edit", post["id"], "--deadline", "2026-12-31")["state"] == "open"


def test_scripts_name_a_post_by_its_full_id(lisa: Person, post: dict[str, Any]) -> None:
    assert lisa.fails("close", post["id"][:13]).code == "usage.full_id"
    assert lisa.run("close", post["id"][:13], typed=[]).exit == 0


def test_a_text_comes_from_a_file_or_from_stdin(lisa: Person, board: str) -> None:
    (lisa.folder / "brief.md").write_text("# Brief\n")
    assert lisa.does("post", "a", "--brief-file", str(lisa.folder / "brief.md"))["brief"] == "# Brief"
    assert lisa.does("post", "b", "--brief", "-", stdin="from stdin\n")["brief"] == "from stdin"


@pytest.mark.parametrize(
    ("argv", "code", "status"),
    [
        ([], "usage.missing_text", 2),
        (["x" * 121], "usage.too_long", 2),
        (["a\tb"], "usage.not_text", 2),
        (["a", "--budget", "2500..1500EUR"], "money.empty_range", 2),
        (["a", "--budget", "1.005EUR"], "money.too_many_digits", 2),
        (["a", "--deadline", "tomorrow"], "time.unreadable", 2),
        (["a", "--deadline", "2026-11-19"], "post.deadline_passed", 5),
        (["a", "--deadline", "2026-10-25T02:30", "--tz", "Europe/Berlin"], "time.exists_twice", 2),
        (["a", "--tz", "Mars/Olympus"], "time.unknown_zone", 2),
        (["a", "--kind", "x" * 41], "usage.too_long", 2),
        (["a", *["--skill=a" + str(n) for n in range(31)]], "usage.too_many", 2),
        (["a", "--brief", "x" * 32_001], "usage.bad_field", 2),
        (["a", "--brief", "x" * 50_000], "usage.too_long", 2),
        (["a", "--nonsense"], "usage.bad_call", 2),
        (["--edit", "post-0000"], "id.unknown", 3),
        (["--edit", "deal-0000"], "usage.bad_id", 2),
    ],
)
def test_a_post_that_cannot_be_is_refused(lisa: Person, board: str, argv: list[str], code: str, status: int) -> None:
    answer = lisa.fails("post", *argv)
    assert (answer.code, answer.exit) == (code, status)
    assert lisa.does("posts", "--state", "all") == []


def test_a_repeated_request_posts_once(lisa: Person, board: str) -> None:
    first = lisa.run(*CAMPAIGN, "--request-id", "r1", "--json")
    second = lisa.run(*CAMPAIGN, "--request-id", "r1", "--json")
    assert (second.json["replayed"], second.data, second.json["events"]) == (True, first.data, first.json["events"])
    assert len(lisa.does("posts")) == 1
    other = lisa.fails("post", "Another", "--request-id", "r1")
    assert (other.code, other.exit) == ("request.reused_elsewhere", 12)


def test_a_rehearsed_post_is_not_posted(lisa: Person, board: str) -> None:
    rehearsed = lisa.run(*CAMPAIGN, "--dry-run", "--json")
    assert (rehearsed.exit, rehearsed.data["title"]) == (0, "Holiday campaign")
    assert len(rehearsed.json["events"]) == 1
    assert lisa.does("posts") == []


# Lists


@pytest.fixture
def market(cast: Cast, lisa: Person, james: Person, board: str) -> Person:
    """A board with posts and services of both, seen by Lisa."""
    posts = (
        ("old", "--budget", "500EUR", "--skill", "seo"),
        ("yen", "--budget", "100000JPY", "--skill", "seo", "--skill", "ads"),
        ("free", "--kind", "web"),
        ("big", "--budget", "5000..9000EUR", "--deadline", "2026-12-01", "--kind", "web"),
        ("new", "--budget", "900..1500EUR", "--deadline", "2026-12-24", "--skill", "ads"),
    )

    def play() -> str:
        for day, (title, *more) in enumerate(posts):
            lisa.now = f"2026-11-{10 + day}T12:00:00Z"
            lisa.does("post", title, *more)
        lisa.now = "2026-11-20T12:00:00Z"
        james.does("profile", "--skill", "seo", "--rate", "80EUR/hour", "--rate", "600EUR/day")
        james.does("service", "Landing page", "--price", "600EUR", "--days", "5", "--skill", "css", "--kind", "web")
        exchange(lisa, james)
        return board

    cast.at("market", lisa, james, play=play)
    return lisa


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        ([], "new big free yen old"),
        (["--limit", "2"], "new big"),
        (["--skill", "seo"], "yen old"),
        (["--skill", "seo", "--skill", "ads"], "yen"),
        (["--kind", "web"], "big free"),
        (["--min", "1000EUR"], "new big"),
        (["--max", "1000EUR"], "new old"),
        (["--min", "1000EUR", "--max", "4000EUR"], "new"),
        (["--currency", "JPY"], "yen"),
        (["--since", "2026-11-12"], "new big free"),
        (["--sort", "deadline"], "big new free yen old"),
        (["--sort", "price"], "big new old yen free"),
        (["--with", "@lisa"], "new big free yen old"),
        (["--with", "@james"], ""),
        (["--state", "expired"], ""),
        (["--board", "marketing"], "new big free yen old"),
    ],
)
def test_posts_are_found_by_what_matters(market: Person, argv: list[str], found: str) -> None:
    assert " ".join(titles(market.does("posts", *argv))) == found


def test_a_cut_list_says_so(market: Person) -> None:
    assert "there are more than these 2" in market.run("posts", "--limit", "2", "--json").json["warnings"][-1]
    assert "more than" not in str(market.run("posts", "--limit", "5", "--json").json["warnings"])


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["posts", "--state", "hired"], "usage.not_a_choice"),
        (["posts", "--sort", "title"], "usage.not_a_choice"),
        (["posts", "--limit", "0"], "usage.out_of_range"),
        (["posts", "--limit", "10001"], "usage.out_of_range"),
        (["posts", "--min", "10EUR", "--max", "10USD"], "money.mixed_currency"),
        (["posts", "--since", "yesterday"], "time.unreadable"),
        (["posts", "--with", "@nobody"], "person.unknown"),
        (["posts", "--with", "deal-7k3m"], "usage.bad_id"),
        (["posts", "--board", "other"], "board.unknown"),
        (["posts", "--skill", "a b;c"], "usage.bad_skill"),
        (["posts", "--csv"], "usage.one_format"),
        (["services", "--state", "filled"], "usage.not_a_choice"),
        (["talents", "--sort", "price"], "usage.not_a_choice"),
    ],
)
def test_a_list_refuses_what_it_does_not_understand(market: Person, argv: list[str], code: str) -> None:
    assert market.fails(*argv).code == code


def test_talents_are_found_by_skill_and_rate(market: Person) -> None:
    def found(*argv: str) -> list[str]:
        return [one["person"]["handle"] for one in market.does("talents", *argv)]

    assert found() == found("--skill", "seo") == found("--max", "80EUR") == found("--min", "500EUR") == ["james"]
    assert found("--max", "79EUR") == found("--skill", "print") == found("--min", "90USD") == []
    assert found("--since", "2027-01-01") == []
    assert found("--with", "@lisa") == ["lisa"]


def test_a_service_is_published_revised_and_closed(market: Person, james: Person) -> None:
    (service,) = market.does("services", "--skill", "css", "--max", "700EUR")
    assert (service["price"]["text"], service["days"], service["person"]["handle"]) == ("600.00 EUR", 5, "james")
    revised = james.does("service", "--edit", service["id"], "--price", "700EUR")
    assert revised == service | {"price": revised["price"]}
    assert market.fails("service", "--close", service["id"]).code == "board.not_the_author"
    assert james.fails("service", "--close", service["id"], "--days", "3").code == "usage.edit_or_close"
    assert james.fails("service").code == "usage.missing_text"
    assert james.fails("service", "x", "--days", "0").exit == 2
    james.does("service", "--close", service["id"])
    assert james.run("service", "--close", service["id"], "--json").json["replayed"] is True
    exchange(market, james)
    assert market.does("services") == []
    assert titles(market.does("services", "--state", "closed")) == ["Landing page"]


def test_every_format_of_a_list_tells_the_same(market: Person) -> None:
    ids = [one["id"] for one in market.does("posts")]
    assert market.run("posts", "--ids").out.split() == ids
    assert [json.loads(line)["id"] for line in market.run("posts", "--jsonl").out.splitlines()] == ids
    rows = market.run("posts", "--csv").out.splitlines()
    assert rows[0].startswith("id,board,title")
    assert [row.split(",")[0] for row in rows[1:]] == ids
    assert market.run("posts", "--kind", "nothing").out == ""
    assert market.run("posts", "--kind", "nothing", "--json").data == []


def test_words_of_others_cannot_steer_the_terminal(lisa: Person, james: Person, board: str) -> None:
    lisa.does("post", "a\u202egood\u200b one", "--brief", "x")
    exchange(lisa, james)
    shown: Answer = james.run("posts", typed=[])
    assert "<U+202E>" in shown.out
    assert "\u202e" not in shown.out


def test_the_store_stays_private(market: Person) -> None:
    open_to_others = [path for path in market.home.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert not open_to_others


# Places


def test_a_board_at_a_place_syncs_by_itself(lisa: Person, james: Person) -> None:
    place = lisa.folder / "shared"
    place.mkdir()
    made = lisa.does("board", "create", "marketing", "--at", str(place))
    assert made["at"] == [str(place)]
    joined = james.run("board", "join", "-", "--json", stdin=made["invite"])
    assert (joined.data["at"], joined.data["members"]) == ([str(place)], 2)
    assert not any("not sent" in step["who"] for step in joined.json["next"])
    lisa.does("post", "Holiday campaign")
    james.does("profile", "--headline", "Web developer")
    assert titles(james.does("posts")) == ["Holiday campaign"]
    assert james.run("posts", "--json").json["warnings"] == []
    assert [one["headline"] for one in lisa.does("talents")] == [""]
    lisa.does("profile", "--headline", "I hire")
    assert [one["headline"] for one in lisa.does("talents")] == ["Web developer"]


def test_a_stale_list_says_how_old_it_is(lisa: Person) -> None:
    (lisa.folder / "shared").mkdir()
    lisa.does("board", "create", "marketing", "--at", str(lisa.folder / "shared"))
    lisa.now = "2026-11-21T11:59:00Z"
    assert lisa.run("posts", "--json").json["warnings"] == []
    lisa.now = "2026-11-22T12:30:00Z"
    assert "last synced 2d ago" in lisa.run("posts", "--json").json["warnings"][0]


def test_a_place_that_is_not_here_is_a_warning(lisa: Person, james: Person) -> None:
    place = lisa.folder / "shared"
    place.mkdir()
    invite = lisa.does("board", "create", "marketing", "--at", str(place))["invite"]
    place.rename(lisa.folder / "elsewhere")
    joined = james.run("board", "join", "-", "--json", stdin=invite)
    assert (joined.exit, joined.data["at"], joined.data["members"]) == (0, [], 1)
    assert "is not here" in joined.json["warnings"][0]
    there = james.does("board", "join", "-", "--at", str(lisa.folder / "elsewhere"), stdin=invite)
    assert there["members"] == 2


def test_not_syncing_this_once_is_kept_to(lisa: Person) -> None:
    place = lisa.folder / "shared"
    place.mkdir()
    lisa.does("board", "create", "marketing", "--at", str(place), "--no-sync")
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("where", ["http://relay.example", "gopher://x", "ssh://-oProxyCommand=x", ""])
def test_a_place_of_no_kind_is_refused_before_anything_is_made(lisa: Person, where: str) -> None:
    assert lisa.fails("board", "create", "marketing", "--at", where).exit == 2
    assert lisa.does("boards") == []
