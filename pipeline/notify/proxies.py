"""Which proxy the environment asks for: the variables that curl reads, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.notify.webhook import Url


def proxy_of(url: Url, environ: Mapping[str, str]) -> str:
    """The proxy for a URL; "" where it is reached directly.

    ``https_proxy``, ``http_proxy`` or ``all_proxy``, in small letters or in large ones, unless ``no_proxy``
    names the host, a domain above it, or all (``*``). HTTP_PROXY in large letters does not count: a CGI
    program may get it from a request (curl manual, "Environment").

    >>> from pipeline.notify.webhook import Url
    >>> hook = Url.parse("https://hooks.example.com/recpipe")
    >>> proxy_of(hook, {"HTTPS_PROXY": "http://proxy:3128"})
    'http://proxy:3128'
    >>> proxy_of(hook, {"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "localhost, .example.com"})
    ''
    """
    own = f"{url.scheme}_proxy"
    names = (own, "HTTPS_PROXY" if url.scheme == "https" else own, "all_proxy", "ALL_PROXY")
    proxy = next((environ[name] for name in names if environ.get(name)), "")
    spared = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return "" if any(_spares(entry.strip(), url) for entry in spared.split(",")) else proxy


def _spares(entry: str, url: Url) -> bool:
    """Whether an entry of ``no_proxy`` speaks of a URL's host."""
    if entry == "*":
        return True
    domain = entry.lower().removeprefix(".")
    hosts = {url.host, url.host.strip("[]"), f"{url.host}:{url.port}"}
    return bool(domain) and (domain in hosts or any(host.endswith(f".{domain}") for host in hosts))
