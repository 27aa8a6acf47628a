from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import junit
from chaise_cli.domain.junit import Report, Unreadable, read

PYTEST = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.1">
<properties><property name="a" value="b"/></properties>
<testcase classname="t" name="a" time="0.001"/>
<testcase classname="t" name="b"><failure message="assert 1 == 2">trace</failure><system-out>x</system-out></testcase>
<testcase classname="t" name="c"><error message="boom">trace</error></testcase>
<testcase classname="t" name="d"><skipped type="pytest.skip" message="no"/></testcase>
</testsuite></testsuites>"""


def case(inside: str, more: str = "") -> bytes:
    return f"<testsuite><testcase {more}>{inside}</testcase></testsuite>".encode()


def test_a_report_of_pytest_is_counted() -> None:
    assert read(PYTEST) == Report(ran=3, failed=2, skipped=1)


def test_nested_suites_add_up_and_their_totals_are_compared_too() -> None:
    inner = '<testsuite tests="1" failures="1"><testcase><failure/></testcase></testsuite>'
    assert read(f'<testsuites tests="2"><testsuite tests="2">{inner}<testcase/></testsuite></testsuites>'.encode()) == (
        Report(2, 1, 0)
    )
    with pytest.raises(Unreadable, match="tests says 1, and 2 are there"):
        read(f'<testsuites tests="1"><testsuite>{inner}<testcase/></testsuite></testsuites>'.encode())


@pytest.mark.parametrize(
    "total",
    [
        'tests="3"',
        'tests="1"',
        'failures="0"',
        'errors="1"',
        'skipped="1"',
        'disabled="1"',
        'tests="-2"',
        'tests="2.0"',
        'tests=""',
    ],
)
def test_totals_that_lie_make_a_report_unreadable(total: str) -> None:
    with pytest.raises(Unreadable):
        read(f"<testsuite {total}><testcase/><testcase><failure/></testcase></testsuite>".encode())


@pytest.mark.parametrize("name", sorted(junit.AGAIN))
def test_a_case_that_passed_at_the_second_try_did_not_pass(name: str) -> None:
    assert read(case(f"<{name}><stackTrace>x</stackTrace></{name}>")) == Report(1, 1, 0)


@pytest.mark.parametrize("more", ['status="notrun"', 'status="disabled"', 'result="suppressed"', 'result="skipped"'])
def test_a_case_that_did_not_run_is_skipped_however_that_is_said(more: str) -> None:
    assert read(case("", more)) == Report(0, 0, 1)


def test_a_case_with_several_failures_failed_once() -> None:
    assert read(b'<testsuite failures="1" tests="1"><testcase><failure/><failure/></testcase></testsuite>').failed == 1


def test_no_cases_are_none() -> None:
    assert read(b"<testsuites/>") == Report(0, 0, 0)


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><testsuite name="&b;"/>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&f;"/></testsuite>"""


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS,
        OUTSIDE,
        b"<!DOCTYPE testsuite><testsuite/>",
        b"",
        b"<testsuite>",
        b"<testsuite/><testsuite/>",
        b"<testsuite>&a;</testsuite>",
        b'<?xml version="1.0" encoding="klingon"?><testsuite/>',
        b"\xff\xfe<\x00",
        b"<html/>",
        b"<testcase/>",
        b"<testsuites><testcase/></testsuites>",
        b"<testsuite><testcase><testcase/></testcase></testsuite>",
        b"<testsuite><testcase><failure><skipped/></failure></testcase></testsuite>",
        b"<testsuite><testcase><assertions/></testcase></testsuite>",
        b'<testsuite xmlns="urn:x"/>',
        b'<t:testsuite xmlns:t="urn:x"/>',
        b"<testsuite>" * 33 + b"</testsuite>" * 33,
        b"<testsuite>" + b"<testcase/>" * junit.ELEMENTS_MOST + b"</testsuite>",
        b" " * (junit.BYTES_MOST + 1),
        b"<testsuite name='\x00'/>",
    ],
    ids=range(21),
)
def test_hostile_reports_are_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)


@given(st.binary(max_size=200) | st.text(alphabet="<>/testcaseuifailr ='\"&;!", max_size=80).map(str.encode))
def test_whatever_comes_is_a_report_or_unreadable(data: bytes) -> None:
    try:
        report = read(data)
    except Unreadable:
        return
    assert min(report) >= 0


@given(
    st.lists(st.sampled_from(["", "<failure/>", "<error/>", "<skipped/>", "<flakyFailure/>"]), max_size=20), st.data()
)
def test_one_more_failing_case_never_makes_a_report_look_better(cases: list[str], data: st.DataObject) -> None:
    def of(inside: list[str]) -> Report:
        return read(
            b"<testsuite>" + b"".join(f"<testcase>{one}</testcase>".encode() for one in inside) + b"</testsuite>"
        )

    place = data.draw(st.integers(0, len(cases)))
    assert of([*cases[:place], "<failure/>", *cases[place:]]).failed == of(cases).failed + 1
