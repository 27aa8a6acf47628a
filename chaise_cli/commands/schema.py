"""`chaise schema`."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from chaise_cli.commands.registry import PLAIN
from chaise_cli.errors import NotFound
from chaise_cli.render import json_schema
from chaise_cli.render.terminal import put
from chaise_cli.result import VERBS, VERSION
from chaise_cli.shapes import SHAPES

app = typer.Typer(**PLAIN)


class NoSchema(NotFound):
    """No object or verb of this name."""

    code = "schema.unknown"
    message = "there is no object or command called {name}"
    hint = "chaise schema lists the names"
    name: str


@app.command("schema")
def schema(name: Annotated[str | None, typer.Argument(help="An object, a command, or chaise.VERB/1.")] = None) -> None:
    """Print the JSON Schema of a result."""
    value: Any = {"objects": sorted(SHAPES), "commands": sorted(VERBS)} if name is None else described(name)
    put(sys.stdout, json.dumps(value, indent=1) + "\n")


def described(name: str) -> dict[str, Any]:
    """The JSON Schema of an object by its name, or of a command's whole result. Raises NoSchema."""
    plain = name.removeprefix("chaise.").removesuffix(f"/{VERSION}").replace("_", " ")
    if plain in VERBS:
        return _result(plain)
    shape = SHAPES.get(name)
    if shape is None:
        raise NoSchema(name=name[:60])
    definitions: dict[str, Any] = {}
    found = json_schema.of(shape, definitions)
    return {"$schema": json_schema.DIALECT, "$id": f"chaise.{name}/{VERSION}", **found, "$defs": definitions}


def _result(verb: str) -> dict[str, Any]:
    """The frame of every result around the shapes that the verb answers with."""
    answer, definitions, name = VERBS[verb], dict[str, Any](), f"chaise.{verb.replace(' ', '_')}/{VERSION}"
    parts = [json_schema.reference(SHAPES[shape], definitions) for shape in answer.shapes]
    one = parts[0] if len(parts) == 1 else {"anyOf": parts}
    many = {"type": "array", "items": one}
    properties = {
        "schema": {"const": name},
        "ok": {"type": "boolean"},
        "data": {True: many, False: one, None: {"anyOf": [one, many]}}[answer.many],
        "events": {"type": "array", "items": {"type": "string"}},
        "replayed": {"type": "boolean"},
        "next": {"type": "array", "items": json_schema.reference(SHAPES["next"], definitions)},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "error": json_schema.reference(SHAPES["error"], definitions),
    }
    required = [key for key in properties if key != "error"]
    head = {"$schema": json_schema.DIALECT, "$id": name, "type": "object"}
    return {**head, "properties": properties, "required": required, "$defs": definitions}
