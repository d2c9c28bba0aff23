from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.publish.tencent_scene import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.publish.tencent_scene import Scene
    from tests.servers.s3 import S3Server


@pytest.fixture
def tencent(swift_http: S3Server) -> Iterator[Scene]:
    with scene(swift_http) as made:
        yield made
