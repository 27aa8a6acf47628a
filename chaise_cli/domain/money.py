"""Amounts of money: whole minor units of one ISO 4217 currency, never a float.

Reads what people type (`600EUR`, `600.00 EUR`, `1500..2500EUR`), writes what they see, and does the
arithmetic of escrow: splits by largest remainder, fees on a cumulative amount. Source of the codes and
their digits: ISO 4217 list one, published 2026-01-01, without funds, metals, units of account and test
codes. The forms are specified in docs/spec/results.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import total_ordering
from types import MappingProxyType
from typing import Final, NoReturn

from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Refused, Usage

LARGEST: Final = 2**53 - 1  # minor units; the greatest integer every JSON reader keeps exactly
BASIS_POINTS: Final = 10_000  # of a whole

_TWO_DIGITS: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP "
    "CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES "
    "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
    "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB "
    "TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_NO_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"
DIGITS: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(_TWO_DIGITS.split(), 2)
    | dict.fromkeys(_NO_DIGITS.split(), 0)
    | dict.fromkeys(_THREE_DIGITS.split(), 3)
)
"""Every currency a deal can be made in, with the number of digits after its decimal point."""

# Patterns are compiled on first use: most commands read no amount.
_AMOUNT: Final = r"(?:([A-Za-z]{3}) ?)?([0-9]+)(?:\.([0-9]+))?(?: ?([A-Za-z]{3}))?"
_RANGE: Final = r"(?:([A-Za-z]{3}) ?)?([0-9][0-9.]*?)\.\.([0-9][0-9.]*)(?: ?([A-Za-z]{3}))?"


class Unreadable(Usage):
    """The text is not an amount."""

    code = "money.unreadable"
    message = "{given!r} is not an amount"
    hint = "write 600EUR or 600.00 EUR: plain digits, a point before the cents, no sign, no thousands separator"
    given: str


class CurrencyMissing(Usage):
    """An amount without its currency, and there is no default."""

    code = "money.currency_missing"
    message = "{given!r} names no currency"
    hint = "write the code beside it: {given}EUR"
    given: str


class UnknownCurrency(Usage):
    """Three letters that are no currency in use."""

    code = "money.unknown_currency"
    message = "{currency!r} is not a currency in use"
    hint = "currencies are ISO 4217 codes such as EUR, USD or JPY"
    currency: str


class TooManyDigits(Usage):
    """More decimals than the currency has."""

    code = "money.too_many_digits"
    message = "{given!r} has more digits after the point than {currency} has: {digits}"
    hint = "chaise never rounds what you type"
    given: str
    currency: str
    digits: int


class TooLarge(Usage):
    """More than 2^53 - 1 minor units."""

    code = "money.too_large"
    message = "{given!r} is more than an amount can be"
    hint = "the most is 9007199254740991 of the smallest unit"
    given: str


class EmptyRange(Usage):
    """The range ends below its beginning."""

    code = "money.empty_range"
    message = "the range {given!r} ends below its beginning"
    hint = "write the smaller amount first: 1500..2500EUR"
    given: str


class MixedCurrency(Refused):
    """Amounts of two currencies do not add up and do not compare."""

    code = "money.mixed_currency"
    message = "{currency} and {other} cannot be combined"
    hint = "a deal has one currency; name the amount in that one"
    currency: str
    other: str


class NoWeight(Refused):
    """A split needs at least one weight above zero, and none below."""

    code = "money.no_weight"
    message = "an amount cannot be split by the weights {weights}"
    hint = "weights are whole numbers from 0 up, not all zero"
    weights: list[int]


@total_ordering
class Money:
    """So many minor units of one currency; immutable, hashable, ordered within its currency alone.

    `minor` may be negative, as a difference or a posting is; what people type never is. A tuple was
    turned down: it would add by joining, and compare amounts of different currencies without a word.

    >>> Money(60000, "EUR") + Money(50, "EUR")
    EUR 600.50
    """

    __slots__ = ("currency", "minor")
    __match_args__ = ("minor", "currency")
    minor: int
    currency: str

    def __init__(self, minor: int, currency: str) -> None:
        if currency not in DIGITS:
            raise UnknownCurrency(currency=currency[:8])
        object.__setattr__(self, "minor", minor)
        object.__setattr__(self, "currency", currency)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Money never changes; {name!r} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Money never changes; {name!r} cannot be deleted")

    def __reduce__(self) -> tuple[type[Money], tuple[int, str]]:
        return (Money, (self.minor, self.currency))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{self.currency} {self._number()}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and (self.minor, self.currency) == (other.minor, other.currency)

    def __hash__(self) -> int:
        return hash((self.minor, self.currency))

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._like(other).minor

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._like(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._like(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    @property
    def text(self) -> str:
        """The amount as people read it and may type it back: `600.00 EUR`."""
        return f"{self._number()} {self.currency}"

    def shape(self) -> dict[str, object]:
        """The amount as JSON carries it; docs/spec/results.md, money."""
        return {"minor": self.minor, "currency": self.currency, "text": self.text}

    def covers(self, wanted: Money) -> bool:
        """Whether `wanted` can be taken from this: same currency, above zero, and no more than there is."""
        return wanted.currency == self.currency and 0 < wanted.minor <= self.minor

    def _like(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise MixedCurrency(currency=self.currency, other=other.currency)
        return other

    def _number(self) -> str:
        digits = DIGITS[self.currency]
        sign = "-" if self.minor < 0 else ""
        plain = str(abs(self.minor)).rjust(digits + 1, "0")
        return f"{sign}{plain[:-digits]}.{plain[-digits:]}" if digits else sign + plain


class Range(NamedTuple):
    """From `least` to `most`, both included, in one currency."""

    least: Money
    most: Money


def zero(currency: str) -> Money:
    """Nothing, in `currency`."""
    return Money(0, currency)


def total(amounts: Sequence[Money], currency: str) -> Money:
    """The sum of `amounts`, zero when there are none. Raises MixedCurrency."""
    start = zero(currency)
    for amount in amounts:
        start = start + amount
    return start


def currency(text: str) -> str:
    """The currency `text` names, in capitals. Raises UnknownCurrency."""
    code = text.strip().upper()
    if code not in DIGITS:
        raise UnknownCurrency(currency=text[:8])
    return code


def parse(text: str, default_currency: str | None = None) -> Money:
    """The amount written as `600EUR`, `600.00 EUR` or `EUR 600`; never negative, never rounded.

    default_currency: taken when the text is a bare number; None refuses that.
    Raises Unreadable, CurrencyMissing, UnknownCurrency, TooManyDigits, TooLarge.

    >>> parse("600.5 EUR")
    EUR 600.50
    """
    found = re.fullmatch(_AMOUNT, text.strip(" "))
    if found is None or (found[1] and found[4]):  # a code on both sides would have to be compared
        raise Unreadable(given=text[:40])
    code = found[1] or found[4] or default_currency
    if code is None:
        raise CurrencyMissing(given=text[:40])
    return _money(found[2], found[3] or "", currency(code), text)


def parse_range(text: str, default_currency: str | None = None) -> Range:
    """The range written as `1500..2500EUR` or `EUR 1500..2500`; a single amount is a range of that one.

    Raises what `parse` raises, and EmptyRange.

    >>> parse_range("1500..2500EUR")
    Range(least=EUR 1500.00, most=EUR 2500.00)
    """
    if ".." not in text:
        amount = parse(text, default_currency)
        return Range(amount, amount)
    found = re.fullmatch(_RANGE, text.strip(" "))
    if found is None or (found[1] and found[4]):
        raise Unreadable(given=text[:40])
    code = found[1] or found[4] or default_currency
    least, most = parse(found[2], code), parse(found[3], code)
    if least > most:
        raise EmptyRange(given=text[:40])
    return Range(least, most)


def split(total: Money, weights: Sequence[int]) -> tuple[Money, ...]:
    """Parts of `total`, one per weight and in the same order, that add up to it exactly.

    weights: whole numbers from 0 up, not all zero; only their proportion matters.
    Minor units left over go to the largest remainders; on a tie the earlier part gains.
    Raises NoWeight.  Source: largest-remainder (Hamilton) apportionment; docs/spec/results.md.

    >>> split(parse("10.00EUR"), [1, 1, 1])
    (EUR 3.34, EUR 3.33, EUR 3.33)
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise NoWeight(weights=list(weights))
    shares = [divmod(total.minor * weight, whole) for weight in weights]
    left = total.minor - sum(share for share, _ in shares)
    gains = sorted(range(len(shares)), key=lambda part: -shares[part][1])[:left]  # stable: the earlier part gains
    return tuple(Money(share + (part in gains), total.currency) for part, (share, _) in enumerate(shares))


def fee(amount: Money, basis_points: int) -> Money:
    """The fee on `amount`, rounded down to a minor unit; 100 basis points are one per cent."""
    return Money(amount.minor * basis_points // BASIS_POINTS, amount.currency)


def fee_step(before: Money, after: Money, basis_points: int) -> Money:
    """The fee due when a cumulative amount grows from `before` to `after`.

    Steps add up to the fee on the whole, so no way of cutting a release into parts changes what it costs.
    """
    return fee(after, basis_points) - fee(before, basis_points)


def _money(whole: str, fraction: str, code: str, given: str) -> Money:
    digits = DIGITS[code]
    if len(fraction) > digits:
        raise TooManyDigits(given=given[:40], currency=code, digits=digits)
    plain = (whole + fraction.ljust(digits, "0")).lstrip("0") or "0"
    # By length first: int() of thousands of digits is slow, then refused with an error of its own.
    if len(plain) > len(str(LARGEST)) or int(plain) > LARGEST:
        raise TooLarge(given=given[:40])
    return Money(int(plain), code)
