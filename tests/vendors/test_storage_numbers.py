"""The vendors' numbers of clouds and regions: what is certain, and what is said where nothing is."""

from __future__ import annotations

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


PAGE = {
    1: (
        "US_EAST_1 US_EAST_2 US_WEST_1 US_WEST_2 EU_WEST_1 EU_WEST_2 EU_WEST_3 EU_CENTRAL_1 AP_SOUTHEAST_1 "
        "AP_SOUTHEAST_2 AP_NORTHEAST_1 AP_NORTHEAST_2 SA_EAST_1 CA_CENTRAL_1 AP_SOUTH_1 CN_NORTH_1 "
        "CN_NORTHWEST_1 US_GOV_WEST_1 AF_SOUTH_1 AP_EAST_1 AP_NORTHEAST_3 EU_NORTH_1 ME_SOUTH_1 "
        "US_GOV_EAST_1 AP_SOUTHEAST_3 EU_SOUTH_1 - - IL_CENTRAL_1"
    ),
    2: (
        "CN_Hangzhou CN_Shanghai CN_Qingdao CN_Beijing CN_Zhangjiakou CN_Huhehaote CN_Shenzhen CN_Hongkong "
        "US_West_1 US_East_1 AP_Southeast_1 AP_Southeast_2 AP_Southeast_3 AP_Southeast_5 AP_Northeast_1 "
        "AP_South_1 EU_Central_1 EU_West_1 - AP_Southeast_6 CN_Heyuan CN_Guangzhou CN_Chengdu CN_Nanjing "
        "CN_Fuzhou CN_Wulanchabu - -"
    ),
    3: (
        "AP_Beijing_1 AP_Beijing AP_Shanghai AP_Guangzhou AP_Chengdu AP_Chongqing AP_Shenzhen_FSI "
        "AP_Shanghai_FSI AP_Beijing_FSI AP_Hongkong AP_Singapore AP_Mumbai AP_Seoul AP_Bangkok AP_Tokyo "
        "NA_Siliconvalley NA_Ashburn NA_Toronto EU_Frankfurt EU_Moscow"
    ),
    7: (
        "CN_North_1 CN_North_4 CN_East_2 CN_East_3 CN_South_1 CN_Southwest_2 AP_Southeast_1 AP_Southeast_2 "
        "AP_Southeast_3 AF_South_1 SA_Argentina_1 SA_Peru_1 NA_Mexico_1 SA_Brazil_1 LA_South_2 SA_Chile_1"
    ),
}
"""What Agora calls the regions, in the order of their numbers; "-" for what is not certain."""


@pytest.mark.parametrize(
    ("vendor", "number", "name"),
    [(vendor, number, name) for vendor, names in PAGE.items() for number, name in enumerate(names.split())],
)
def test_agoras_regions_are_the_clouds_own(vendor: int, number: int, name: str) -> None:
    if name == "-":
        with pytest.raises(CommandError):
            agora.region_of(vendor, number)
    else:
        assert agora.region_of(vendor, number) == name.lower().replace("_", "-")


@pytest.mark.parametrize(
    ("vendor", "region"),
    [
        pytest.param(6, "auto", id="Google's buckets are found by their names"),
        pytest.param(11, "", id="any store's region is its own business"),
    ],
)
def test_agoras_vendors_without_regions(vendor: int, region: str) -> None:
    assert agora.region_of(vendor, 0) == region


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
