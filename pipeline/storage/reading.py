"""Objects asked for without the client's events: its connections, signer and parsers, in half the time.

The client resolves an endpoint, serializes, signs and parses anew for each request: 1 ms of Python. For GETs
from one bucket all of it but the signature is the same each time: the client is asked for it once.
"""

from __future__ import annotations

from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

SHIFTED = "recpipe-s3v4"
"""Our name for SigV4 by another clock."""
SKEW = "recpipe_skew"
"""Where a request's context has the time by which the store's clock is ahead of ours."""
_REDIRECTS, _ERRORS = 300, 400
_PLAIN = "AWS4-HMAC-SHA256"
_NAMES = {
    "ETag": "etag",
    "ContentRange": "content-range",
    "ServerSideEncryption": "x-amz-server-side-encryption",
}


class Reading:
    """Asks for objects of one bucket as a client does.

    Args:
        client: S3 client.
        bucket: its name.

    Raises:
        LookupError: the client signs in a way that is not known here, or is built in another way: it has to
            ask for objects itself.
        BotoCoreError: it has no credentials, or another reason not to ask for anything.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        from botocore.parsers import create_parser

        try:
            # Botocore has no public way to either: the pool, so that no second handshake is needed, and
            # the credentials, which refresh themselves.
            self._send = client._endpoint.http_session.send  # noqa: SLF001 - see above
            self._credentials = client._request_signer._credentials  # noqa: SLF001 - see above
        except AttributeError as error:
            raise LookupError(str(error)) from error
        self._base, self._region = _base_and_region(client, bucket)
        self._model = client.meta.service_model.operation_model("GetObject")
        self._parser = create_parser(self._model.service_model.protocol)
        self._config = client.meta.config
        self._algorithms = _algorithms(self._config, self._model)

    def get(self, key: str, skew: timedelta, span: str = "") -> tuple[dict[str, Any], bytes] | None:
        """An object.

        Args:
            key: its name.
            skew: by which the store's clock is ahead of ours.
            span: value of the Range header (RFC 9110 14.2); "" for all of it.

        Returns:
            The answer in the words of the client's ``get_object``, and the bytes; None where only the client
            knows how to go on, as with a bucket of another region.

        Raises:
            ClientError: the store refuses.
            BotoCoreError: as the client raises it.
        """
        from botocore.endpoint import convert_to_response_dict
        from botocore.exceptions import ClientError
        from botocore.httpchecksum import handle_checksum_body

        answer = self._send(self._signed(key, skew, span))
        response = convert_to_response_dict(answer, self._model)
        if answer.status_code >= _REDIRECTS:
            parsed = self._parser.parse(response, self._model.output_shape)
            if answer.status_code < _ERRORS or "Region" in parsed.get("Error", {}):
                return None
            raise ClientError(parsed, self._model.name)
        context = {"checksum": {"response_algorithms": self._algorithms}}
        handle_checksum_body(answer, response, context, self._model)
        with closing(response["body"]) as body:  # as a context it gives what checks nothing
            data: bytes = body.read()
        return _told(answer.headers, len(data)), data

    def _signed(self, key: str, skew: timedelta, span: str) -> Any:
        from botocore.auth import AUTH_TYPE_MAPS
        from botocore.awsrequest import AWSRequest

        headers = {"User-Agent": self._config.user_agent}
        if span:
            headers["Range"] = span
        if self._algorithms:
            headers["x-amz-checksum-mode"] = "ENABLED"
        request = AWSRequest("GET", self._base + quote(key, safe="/~"), headers)
        request.context = {"client_config": self._config, SKEW: skew}
        # Frozen, because another thread may refresh them between the key and the secret.
        keys = self._credentials and self._credentials.get_frozen_credentials()
        AUTH_TYPE_MAPS[SHIFTED if skew else "s3v4"](keys, "s3", self._region).add_auth(request)
        prepared = request.prepare()
        prepared.stream_output = True
        return prepared


def _base_and_region(client: Any, bucket: str) -> tuple[str, str]:
    """What stands before a key in the bucket's URLs, and the region that they are signed for."""
    example: str = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    url, _, query = example.partition("?")
    told = parse_qs(query)
    *_, region, service, _ = ["", "", "", *told.get("X-Amz-Credential", [""])[0].split("/")]
    if told.get("X-Amz-Algorithm") != [_PLAIN] or service != "s3" or not url.endswith("/k"):
        raise LookupError("it does not sign as Amazon S3 API, Signature Version 4, says")
    return url[:-1], region


def _algorithms(config: Any, model: Any) -> list[str]:
    """Checksums that the client would compare."""
    from botocore.httpchecksum import resolve_response_checksum_algorithms

    request: dict[str, Any] = {"context": {}}
    if config.response_checksum_validation == "when_supported":
        mode = model.http_checksum.get("requestValidationModeMember", "")
        resolve_response_checksum_algorithms(request, model, {mode: "ENABLED"})
    found: list[str] = request["context"].get("checksum", {}).get("response_algorithms", [])
    return found


def _told(headers: Mapping[str, str], length: int) -> dict[str, Any]:
    told: dict[str, Any] = {name: headers[header] for name, header in _NAMES.items() if header in headers}
    when = _date(headers.get("last-modified", ""))
    return told | {"ContentLength": length} | ({"LastModified": when} if when else {})


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
