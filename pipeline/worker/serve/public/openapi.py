"""What the public listener takes and answers, as an OpenAPI 3.1 document.

It is not served: only vendors call. Written by hand; tests ask the routes for what it says. Source: https://spec.openapis.org/oas/v3.1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIGNED: dict[str, list[dict[str, Any]]] = {
    "agora": [
        {"name": "Agora-Signature-V2", "in": "header", "required": False, "schema": {"type": "string"}},
        {"name": "Agora-Signature", "in": "header", "required": False, "schema": {"type": "string"}},
    ],
    "trtc": [
        {"name": "Sign", "in": "header", "required": True, "schema": {"type": "string"}},
        {"name": "SdkAppId", "in": "header", "required": True, "schema": {"type": "string"}},
    ],
    "tuicallkit": [
        {"name": name, "in": "query", "required": True, "schema": {"type": "string"}}
        for name in ("SdkAppid", "Sign", "RequestTime")
    ],
    "volcengine": [],
    "s3": [],
}
_WORDS = {
    "200": "It is kept: new, known already, or of no consequence.",
    "400": "The body is not what the vendor's page says.",
    "401": "The signature or the token is missing or wrong.",
    "408": "The body did not come in time.",
    "413": "The body has over 1 MiB.",
    "503": "It could not be kept: send it again.",
}


def document(routes: Iterable[str]) -> dict[str, Any]:
    """The document of an app with these routes."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "recpipe serve: callbacks of vendors", "version": "1"},
        "paths": {f"/{route}": {"post": _post(route)} for route in routes},
        "components": {
            "schemas": {
                "Error": {
                    "type": "object",
                    "properties": {"error": {"type": "string", "minLength": 1}},
                    "required": ["error"],
                    "additionalProperties": False,
                }
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _post(route: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route,
        "summary": f"A callback of {route}",
        "parameters": _SIGNED[route],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {status: _response(status, words) for status, words in _WORDS.items()},
    }
    return operation | ({"security": [{"token": []}]} if route == "s3" else {})


def _response(status: str, words: str) -> dict[str, Any]:
    schema = {"type": "object"} if status == "200" else {"$ref": "#/components/schemas/Error"}
    return {"description": words, "content": {"application/json": {"schema": schema}}}
