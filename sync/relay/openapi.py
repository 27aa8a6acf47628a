"""What `GET /openapi.json` answers: the paths of docs/spec/relay.md for whoever reads OpenAPI 3.1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from ..relay_messages import BODY_LIMIT, NEWS_LIMIT, PIECE
from .limits import SLOT_LIMIT, SLOTS
from .refusal import STATUS

_KEY: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
_TEXT: Final = {"type": "string"}
_SIGNED: Final = (400, 401, 403, 413, 429, 503)
_OPEN: Final = (400, 413, 429, 503)
_FIELDS: Final = {
    "Content-Digest": "^sha-256=:[A-Za-z0-9+/]{43}=:$",
    "Signature-Input": '^c=\\("@method" "@authority" "@path" "content-digest"\\);created=[1-9][0-9]{0,14};'
    'keyid="[A-Za-z0-9_-]{43}";tag="chaise-1"$',
    "Signature": "^c=:[A-Za-z0-9+/]{86}==:$",
}


@cache
def document() -> bytes:
    """The document as JSON."""
    paths = {path: {"post": _post(*row)} for path, row in _POSTS.items()}
    paths |= {path: {"get": _get(*row)} for path, row in _GETS.items()}
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Chaise relay", "version": "1", "license": {"name": "Apache-2.0"}},
            "paths": paths,
            "components": {"schemas": {"refusal": _REFUSAL}},
        }
    ).encode()


_REFUSAL: Final = {
    "type": "object",
    "properties": {"code": {"enum": sorted(STATUS)}, "text": _TEXT},
    "required": ["code", "text"],
    "additionalProperties": False,
}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _bytes(least: int, most: int) -> dict[str, Any]:
    """A body of so many bytes; what they mean is told in docs/spec/relay.md."""
    return {"application/octet-stream": {"schema": {"type": "string", "minLength": least, "maxLength": most}}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


_REGISTER: Final = _object(
    certificates={"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 4},
    doors={
        "type": "array",
        "items": {
            "type": "array",
            "prefixItems": [_KEY, {"type": "string", "pattern": "^[A-Za-z0-9_-]{86}$"}],
            "items": False,
            "minItems": 2,
        },
        "maxItems": 1000,
    },
    invite={"type": ["string", "null"]},
)
_LIMITS: Final = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
_POSTS: Final[dict[str, tuple[str, Sequence[int], dict[str, Any], dict[str, Any], Sequence[int]]]] = {
    "/v1/register": (
        "Register a device",
        _SIGNED,
        _json(_REGISTER),
        _json(_object(relay=_KEY, boards={"type": "array", "items": _KEY})),
        [],
    ),
    "/v1/summary": ("Compare, or wait for a difference", _SIGNED, _bytes(162, 162), _bytes(1, 4162 + NEWS_LIMIT), []),
    "/v1/pull": ("Fetch events", _SIGNED, _bytes(6, BODY_LIMIT), _bytes(1, BODY_LIMIT), []),
    "/v1/push": ("Bring events", _SIGNED, _bytes(33, BODY_LIMIT), _bytes(45, BODY_LIMIT), [404]),
    "/v1/object/put": (
        "Bring a piece of an attachment",
        _SIGNED,
        _bytes(80, 80 + PIECE),
        _json(_object(have={"type": "integer", "minimum": 0})),
        [404],
    ),
    "/v1/object/get": ("Fetch a piece of an attachment", _SIGNED, _bytes(80, 80), _bytes(80, 80 + PIECE), [404]),
    "/v1/mailbox/open": (
        "Open a mailbox",
        _SIGNED,
        _bytes(32, 32),
        _json(_object(until={"type": "integer", "minimum": 0})),
        [],
    ),
    "/v1/revoke": ("Strike a device off", _SIGNED, _json(_object(device=_KEY)), _json(_object()), []),
    "/v1/mailbox/put": (
        f"Write into one of {SLOTS} slots of a mailbox",
        _OPEN,
        _bytes(34, 33 + SLOT_LIMIT),
        _json(_object()),
        [404, 409],
    ),
    "/v1/mailbox/get": ("Read a slot of a mailbox", _OPEN, _bytes(35, 35), _bytes(0, SLOT_LIMIT), [404]),
}
_GETS: Final[dict[str, tuple[str, dict[str, Any], Sequence[int]]]] = {
    "/v1/relay": (
        "The relay's key and limits",
        _json(_object(limits=_LIMITS, relay=_KEY, version={"const": 1})),
        [],
    ),
    "/health": ("Whether it works", _json(_object(ok={"const": True})), [503]),
    "/metrics": ("Figures for Prometheus", {"text/plain": {"schema": _TEXT}}, []),
    "/openapi.json": ("This document", _json({"type": "object"}), []),
}


def _post(
    summary: str, refusals: Sequence[int], body: dict[str, Any], answer: dict[str, Any], more: Sequence[int]
) -> dict[str, Any]:
    refused = sorted({*refusals, *more})
    fields = [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string", "pattern": pattern}}
        for name, pattern in _FIELDS.items()
    ]
    return {
        "summary": summary,
        "parameters": fields if refusals is _SIGNED else [],
        "requestBody": {"required": True, "content": body},
        "responses": _responses(answer, refused),
    }


def _get(summary: str, answer: dict[str, Any], more: Sequence[int]) -> dict[str, Any]:
    return {"summary": summary, "responses": _responses(answer, more)}


def _responses(answer: dict[str, Any], refused: Sequence[int]) -> dict[str, Any]:
    told: dict[str, Any] = {"200": {"description": "done", "content": answer}}
    for status in refused:
        codes = ", ".join(code for code, of in STATUS.items() if of == status)
        schema = {"$ref": "#/components/schemas/refusal"}
        told[str(status)] = {"description": codes, "content": _json(schema)}
    return told
