"""The vendors' numbers of clouds and regions: what is certain, and what is said where nothing is."""

from __future__ import annotations

import re

import pytest

from pipeline.errors import CommandError
from pipeline.vendors.agora import regions as agora
from pipeline.vendors.trtc import regions as trtc
from pipeline.vendors.volcengine import regions as volcengine


@pytest.mark.parametrize(
    ("vendor", "profile"),
    [
        (1, "aws"),
        (2, "oss"),
        (3, "cos"),
        (5, "azure"),
        (6, "google"),
        (7, "obs"),
        (8, "baidu"),
        pytest.param(11, "", id="11 is any store that speaks S3"),
    ],
)
def test_agoras_vendors(vendor: int, profile: str) -> None:
    assert agora.profile_of(vendor) == profile


@pytest.mark.parametrize(
    ("vendor", "number", "region"),
    [
        (1, 0, "us-east-1"),
        (1, 9, "ap-southeast-2"),
        (1, 16, "cn-northwest-1"),
        (1, 17, "us-gov-west-1"),
        (1, 20, "ap-northeast-3"),
        (1, 23, "us-gov-east-1"),
        (1, 25, "eu-south-1"),
        (1, 28, "il-central-1"),
        (2, 0, "cn-hangzhou"),
        (2, 5, "cn-huhehaote"),
        (2, 13, "ap-southeast-5"),
        (2, 19, "ap-southeast-6"),
        (2, 25, "cn-wulanchabu"),
        (3, 0, "ap-beijing-1"),
        (3, 1, "ap-beijing"),
        (3, 8, "ap-beijing-fsi"),
        (3, 15, "na-siliconvalley"),
        (3, 19, "eu-moscow"),
        (6, 0, "auto"),
        (7, 1, "cn-north-4"),
        (7, 5, "cn-southwest-2"),
        (7, 14, "la-south-2"),
        (7, 15, "sa-chile-1"),
        pytest.param(11, 0, "", id="any store's region is its own business"),
    ],
)
def test_agoras_regions(vendor: int, number: int, region: str) -> None:
    assert agora.region_of(vendor, number) == region


@pytest.mark.parametrize(("vendor", "most"), [(1, 30), (2, 30), (3, 30), (7, 30)])
def test_no_two_numbers_of_agora_are_one_region(vendor: int, most: int) -> None:
    regions = []
    for number in range(most):
        try:
            regions.append(agora.region_of(vendor, number))
        except CommandError:
            continue
    assert len(regions) >= 16
    assert len(set(regions)) == len(regions)
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", region) for region in regions)


@pytest.mark.parametrize(
    ("vendor", "number"),
    [
        pytest.param(2, 18, id="a name that Alibaba Cloud does not list"),
        pytest.param(2, 27, id="another one"),
        pytest.param(1, 26, id="a number that the page leaves out"),
        pytest.param(3, 20, id="a number beyond the last"),
        pytest.param(3, -1, id="a number before the first"),
        pytest.param(4, 0, id="a vendor that there is none of"),
    ],
)
def test_a_region_of_agora_that_is_not_certain_is_asked_for(vendor: int, number: int) -> None:
    with pytest.raises(CommandError) as caught:
        agora.region_of(vendor, number)
    assert str(caught.value) == (
        f"which region Agora's number {number} of vendor {vendor} is, is not certain: give the cloud's own "
        "id of it as region"
    )


def test_a_vendor_that_agora_does_not_have_is_refused() -> None:
    with pytest.raises(CommandError) as caught:
        agora.profile_of(4)
    assert str(caught.value) == (
        "Agora has no storage vendor 4: expected one of 1, 2, 3, 5, 6, 7, 8, 11; "
        "give profile and region instead"
    )


@pytest.mark.parametrize(("vendor", "profile"), [(0, "aws"), (1, "oss"), (2, "obs"), (3, "cos"), (4, "kodo")])
def test_volcengines_vendors(vendor: int, profile: str) -> None:
    assert volcengine.profile_of(vendor) == profile


@pytest.mark.parametrize("vendor", [-1, 5])
def test_a_vendor_that_volcengine_does_not_have_is_refused(vendor: int) -> None:
    with pytest.raises(CommandError) as caught:
        volcengine.profile_of(vendor)
    assert str(caught.value) == (
        f"Volcengine has no storage vendor {vendor}: expected 0 to 4; give profile and region instead"
    )


@pytest.mark.parametrize("number", [0, 7])
def test_a_region_of_volcengine_is_always_asked_for(number: int) -> None:
    with pytest.raises(CommandError) as caught:
        volcengine.region_of(3, number)
    assert str(caught.value) == (
        f"which region Volcengine's number {number} of vendor 3 is, is not known: give the cloud's own id of "
        "it as region"
    )


@pytest.mark.parametrize(("vendor", "profile"), [(0, "cos"), (1, "aws")])
def test_trtcs_vendors(vendor: int, profile: str) -> None:
    assert trtc.profile_of(vendor) == profile


@pytest.mark.parametrize("vendor", [-1, 2])
def test_a_vendor_that_trtc_does_not_have_is_refused(vendor: int) -> None:
    with pytest.raises(CommandError) as caught:
        trtc.profile_of(vendor)
    assert str(caught.value) == (
        f"TRTC has no storage vendor {vendor}: expected 0 or 1; give profile and region instead"
    )


def test_trtc_numbers_no_regions() -> None:
    with pytest.raises(CommandError) as caught:
        trtc.region_of(0, 3)
    assert str(caught.value) == (
        "TRTC numbers no regions, but 3 was given for vendor 0: give CloudStorage's Region as region, which "
        "is the cloud's own id"
    )
