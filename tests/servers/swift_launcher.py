"""All four servers of OpenStack Swift in one process; run by the Python of the servers' own environment.

It reads one JSON document from standard input (``folder``, ``accounts`` as pairs of access key and secret,
``certificate``, ``region``, ``smallest``), binds free ports of the loopback, writes its configuration into
the folder and prints ``{"http": port, "tls": port}``. Both ports show the same objects. It runs until it is
killed.

Swift's own starter wants ``/etc/swift``, a process for each server and ports that were chosen before; so the
applications are loaded as it does (``swift.common.wsgi``) and served by eventlet here.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KINDS = ("account", "container", "object")
PATIENCE_S = 60
"""Swift's own timeouts begin at half a second: a busy machine would lose listings."""

STORAGE = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}
mount_check = false
fallocate_reserve = 0
log_level = WARNING
conn_timeout = {patience}
node_timeout = {patience}
container_update_timeout = {patience}

[pipeline:main]
pipeline = {kind}-server

[app:{kind}-server]
use = egg:swift#{kind}
"""

FILTERS: Mapping[str, Sequence[str]] = {
    "catch_errors": (),
    "gatekeeper": (),
    "healthcheck": (),
    "listing_formats": (),
    "s3api": ("max_upload_part_num = 10000",),
    "tempauth": (),
    "bulk": (),
    "copy": (),
    "slo": ("max_manifest_segments = 10000",),
    "dlo": (),
    "versioned_writes": ("allow_object_versioning = true",),
    "symlink": (),
}
"""In the order in which a request goes through them, with their options."""

PROXY = """
[DEFAULT]
swift_dir = {folder}
log_level = WARNING

[pipeline:main]
pipeline = {filters} proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = {patience}
node_timeout = {patience}
error_suppression_limit = 1000000
"""


def main() -> None:
    """Serve until killed."""
    settings = json.load(sys.stdin)
    folder = Path(settings["folder"])
    (folder / "disk").mkdir()
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = of-tests\n", encoding="utf-8")
    from swift.common import utils

    utils.monkey_patch()
    _log_to_standard_error()
    utils.set_swift_dir(str(folder))
    import eventlet

    backends = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in KINDS}
    for kind, listening in backends.items():
        _write_ring(folder, kind, listening.getsockname()[1])
        _serve(listening, _application(folder, kind, _storage(settings, kind)))
    proxy = _application(folder, "proxy", _proxy(settings))
    plain, bare = (eventlet.listen(("127.0.0.1", 0)) for _ in range(2))
    fronts = {"http": plain, "tls": _secured(bare, settings["certificate"])}
    for front in fronts.values():
        _serve(front, proxy)
    sys.stdout.write(json.dumps({name: front.getsockname()[1] for name, front in fronts.items()}) + "\n")
    sys.stdout.flush()
    eventlet.Event().wait()


def _storage(settings: Mapping[str, Any], kind: str) -> str:
    return STORAGE.format(folder=settings["folder"], kind=kind, patience=PATIENCE_S)


def _proxy(settings: Mapping[str, Any]) -> str:
    users = [f"user_{access.replace(':', '_')} = {secret} .admin" for access, secret in settings["accounts"]]
    of_s3 = [f"location = {settings['region']}", f"min_segment_size = {settings['smallest']}"]
    more = {"s3api": of_s3, "tempauth": users}
    sections = (
        "\n".join([f"[filter:{name}]", f"use = egg:swift#{name}", *options, *more.get(name, ())])
        for name, options in FILTERS.items()
    )
    head = PROXY.format(folder=settings["folder"], filters=" ".join(FILTERS), patience=PATIENCE_S)
    return "\n\n".join([head, *sections])


def _log_to_standard_error() -> None:
    """Not to the machine's system log."""
    from swift.common.utils import logs

    class Handler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the type stubs alone
        def __init__(self, **_: object) -> None:
            super().__init__(sys.stderr)

    logs.ThreadSafeSysLogHandler = Handler


def _write_ring(folder: Path, kind: str, port: int) -> None:
    """The table that says which server has what: one device has all."""
    from swift.common.ring import RingBuilder

    builder = RingBuilder(1, 1, 0)
    place = {"region": 1, "zone": 1, "weight": 1, "device": "disk", "ip": "127.0.0.1", "port": port}
    builder.add_dev(place)
    builder.rebalance()
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def _application(folder: Path, kind: str, text: str) -> Any:
    from swift.common.wsgi import loadapp

    file = folder / f"{kind}-server.conf"
    file.write_text(text, encoding="utf-8")
    return loadapp(str(file), global_conf={"log_name": kind})


def _secured(listening: Any, certificate: str) -> Any:
    """With the handshake in the connection's own thread: one that fails must not end the accepting."""
    from eventlet.green import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)


def _serve(listening: Any, application: Any) -> None:
    """As ``swift.common.wsgi.run_server`` does, which would not return."""
    import eventlet
    from eventlet import wsgi
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.utils import NullLogger

    eventlet.spawn(
        wsgi.server,
        listening,
        application,
        NullLogger(),
        protocol=SwiftHttpProtocol,
        capitalize_response_headers=False,  # boto3 looks for ETag, not Etag
    )


if __name__ == "__main__":
    main()
