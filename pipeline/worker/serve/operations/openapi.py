"""The OpenAPI 3.1 document of the operations listener, written by hand; a test asks each route against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.job.spec_json import schema
from pipeline.worker.queue.jobs import LAST_MS, MOST_NUMBER, MOST_SMALL, State
from pipeline.worker.serve.operations.asking import MOST_KEY, MOST_PAGE, PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

_MS = {"type": "integer", "minimum": 0}
_MS_OR_NOT = {"type": ["integer", "null"], "minimum": 0}
_TEXT = {"type": "string"}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(what: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": content}}}


def _errors(*statuses: str) -> dict[str, Any]:
    return {status: _json(_WHY[status], _ref("Error")) for status in statuses}


def _parameter(name: str, content: Mapping[str, Any], what: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": what, "schema": content}


_WHY = {
    "400": "A parameter or the job is wrong; the sentence has everything that is.",
    "401": "The token is missing or wrong.",
    "403": "The job names what posted jobs may not, or another site or another name of the host asks.",
    "404": "There is no such job.",
    "408": "The job did not arrive in time.",
    "413": "The job is too large.",
    "415": "The job is not posted as JSON.",
    "503": "The queue does not answer: again later.",
}
_ASKED = ("401", "403")
_LISTED = [
    {
        "name": "state",
        "in": "query",
        "required": False,
        "description": "Only such jobs; may be given again.",
        "schema": {"type": "array", "items": {"type": "string", "enum": [str(state) for state in State]}},
        "style": "form",
        "explode": True,
    },
    _parameter("key", _TEXT, "Only jobs of this key."),
    _parameter(
        "most", {"type": "integer", "minimum": 1, "maximum": MOST_PAGE, "default": PAGE}, "No more jobs."
    ),
    _parameter(
        "before",
        {"type": "integer", "minimum": 0, "maximum": MOST_NUMBER},
        "Only jobs with a smaller number.",
    ),
]
_POSTED = [
    _parameter(
        "key",
        {"type": "string", "minLength": 1, "maxLength": MOST_KEY, "pattern": "^[!-~]+$"},
        "The same for the same work; by default of what the job is asked for.",
    ),
    _parameter(
        "priority",
        {"type": "integer", "minimum": -MOST_SMALL, "maximum": MOST_SMALL, "default": 0},
        "Larger comes first.",
    ),
    _parameter(
        "not_before_ms",
        {"type": "integer", "minimum": 0, "maximum": LAST_MS},
        "UTC before which nobody begins it.",
    ),
    _parameter(
        "deadline_ms",
        {"type": "integer", "minimum": 0, "maximum": LAST_MS},
        "UTC by which it should be done; 24 h after it was posted where there is none.",
    ),
]
_JOB = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "state": {"type": "string", "enum": [str(state) for state in State]},
        "key": _TEXT,
        "vendor": _TEXT,
        "source": _TEXT,
        "place": _TEXT,
        "kind": _TEXT,
        "parent": {"type": ["integer", "null"], "minimum": 1},
        "parts": {"type": "integer", "minimum": 0},
        "priority": {"type": "integer"},
        "attempts": {"type": "integer", "minimum": 0},
        "worker": _TEXT,
        "progress": {"type": ["integer", "null"], "minimum": 0, "maximum": 1000},
        "submitted_ms": _MS,
        "not_before_ms": _MS_OR_NOT,
        "due_ms": _MS,
        "started_ms": _MS_OR_NOT,
        "ended_ms": _MS_OR_NOT,
        "sentence": _TEXT,
        "exit_code": {"type": ["integer", "null"]},
        "summary": {"type": ["object", "null"]},
        "log": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"at_ms": _MS, "sentence": _TEXT},
                "required": ["at_ms", "sentence"],
            },
        },
    },
    "required": ["id", "state", "key", "source", "place", "attempts", "submitted_ms", "sentence"],
}
_STATUS = {"type": "object", "properties": {"status": _TEXT}, "required": ["status"]}
_PATHS = {
    "/": {
        "get": {
            "summary": "The status page.",
            "responses": {
                "200": {
                    "description": "The queue, as a page that needs no script.",
                    "content": {"text/html": {"schema": _TEXT}},
                },
                "503": {
                    "description": "The queue does not answer; what is heard all the same.",
                    "content": {
                        "text/html": {"schema": _TEXT},
                        "application/json": {"schema": _ref("Error")},
                    },
                },
                **_errors(*_ASKED),
            },
        }
    },
    "/metrics": {
        "get": {
            "summary": "Metrics for Prometheus.",
            "responses": {
                "200": {
                    "description": "Text format, version 0.0.4.",
                    "content": {"text/plain": {"schema": _TEXT}},
                },
                **_errors(*_ASKED, "503"),
            },
        }
    },
    "/health": {
        "get": {
            "summary": "Whether the process is alive; nobody is asked for a token.",
            "security": [],
            "responses": {"200": _json("It is.", _STATUS)},
        }
    },
    "/ready": {
        "get": {
            "summary": "Whether the queue answers within 3 s; nobody is asked for a token.",
            "security": [],
            "responses": {"200": _json("It does.", _STATUS), **_errors("503")},
        }
    },
    "/openapi.json": {
        "get": {
            "summary": "This document.",
            "responses": {"200": _json("It.", {"type": "object"}), **_errors(*_ASKED)},
        }
    },
    "/jobs": {
        "get": {
            "summary": "Jobs, the newest first, and how many there are of each state.",
            "parameters": _LISTED,
            "responses": {
                "200": _json("A page of them.", _ref("Page")),
                **_errors("400", *_ASKED, "503"),
            },
        },
        "post": {
            "summary": "Submit a job; what it may name stands in recpipe.toml.",
            "parameters": _POSTED,
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _ref("JobDocument")}},
            },
            "responses": {
                "200": _json("A job of its key is there already.", _ref("Submitted")),
                "201": _json("It waits.", _ref("Submitted")),
                **_errors("400", *_ASKED, "408", "413", "415", "503"),
            },
        },
    },
    "/jobs/{number}": {
        "get": {
            "summary": "A job, and what was said of it.",
            "parameters": [
                {
                    "name": "number",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER},
                }
            ],
            "responses": {"200": _json("It.", _ref("Job")), **_errors(*_ASKED, "404", "503")},
        }
    },
}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "The token as the password."},
}
_SCHEMAS = {
    "Job": _JOB,
    "Page": {
        "type": "object",
        "properties": {
            "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
            "jobs": {"type": "array", "items": _ref("Job")},
            "before": {"type": ["integer", "null"]},
        },
        "required": ["counts", "jobs", "before"],
    },
    "Submitted": {
        "type": "object",
        "properties": {
            "id": {"type": "integer", "minimum": 1},
            "new": {"type": "boolean"},
            "job": {"anyOf": [_ref("Job"), {"type": "null"}]},
        },
        "required": ["id", "new", "job"],
    },
    "Error": {
        "type": "object",
        "properties": {"error": _TEXT},
        "required": ["error"],
        "additionalProperties": False,
    },
}


def _moved(node: Any) -> Any:
    """The same with references to the definitions of the document's own."""
    if isinstance(node, dict):
        return {
            name: value.replace("#/$defs/", "#/components/schemas/")
            if name == "$ref" and isinstance(value, str)
            else {kind: at.replace("#/$defs/", "#/components/schemas/") for kind, at in value.items()}
            if name == "mapping" and isinstance(value, dict)
            else _moved(value)
            for name, value in node.items()
        }
    return [_moved(each) for each in node] if isinstance(node, list) else node


def _document() -> dict[str, Any]:
    """All of it; the definitions of the posted job are components too."""
    posted = schema()
    del posted["$schema"]
    posted = _moved(posted)
    definitions = posted.pop("$defs", {})
    return {
        "openapi": "3.1.0",
        "info": {"title": "recpipe operations", "version": __version__},
        "security": [{}, {"bearer": []}, {"basic": []}],
        "paths": _PATHS,
        "components": {
            "securitySchemes": _SCHEMES,
            "schemas": {**definitions, "JobDocument": posted, **_SCHEMAS},
        },
    }


DOCUMENT = _document()
