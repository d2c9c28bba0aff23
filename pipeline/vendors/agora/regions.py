"""What Agora's numbers in ``storageConfig`` mean: ``vendor`` is a cloud, ``region`` one of its regions.

Source: https://github.com/AgoraIO/Docs-Source (cloud-recording/reference/region-vendor.mdx), which writes the
clouds' own ids with capitals and "_"; 17, 23 and 28 of Amazon are in release notes and on the captions page.
Left out is what the cloud itself does not list (Alibaba Cloud's 18, 26 and 27):
https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints.
"""

from __future__ import annotations

from pipeline.errors import CommandError

_PROFILES = {
    1: "aws",
    2: "oss",
    3: "cos",
    5: "azure",
    6: "google",
    7: "obs",
    8: "baidu",
    11: "",  # any store that speaks S3; its endpoint is in extensionParams
}

_REGIONS: dict[int, dict[int, str]] = {
    1: {
        0: "us-east-1",
        1: "us-east-2",
        2: "us-west-1",
        3: "us-west-2",
        4: "eu-west-1",
        5: "eu-west-2",
        6: "eu-west-3",
        7: "eu-central-1",
        8: "ap-southeast-1",
        9: "ap-southeast-2",
        10: "ap-northeast-1",
        11: "ap-northeast-2",
        12: "sa-east-1",
        13: "ca-central-1",
        14: "ap-south-1",
        15: "cn-north-1",
        16: "cn-northwest-1",
        17: "us-gov-west-1",
        18: "af-south-1",
        19: "ap-east-1",
        20: "ap-northeast-3",
        21: "eu-north-1",
        22: "me-south-1",
        23: "us-gov-east-1",
        24: "ap-southeast-3",
        25: "eu-south-1",
        28: "il-central-1",
    },
    2: {
        0: "cn-hangzhou",
        1: "cn-shanghai",
        2: "cn-qingdao",
        3: "cn-beijing",
        4: "cn-zhangjiakou",
        5: "cn-huhehaote",
        6: "cn-shenzhen",
        7: "cn-hongkong",
        8: "us-west-1",
        9: "us-east-1",
        10: "ap-southeast-1",
        11: "ap-southeast-2",
        12: "ap-southeast-3",
        13: "ap-southeast-5",
        14: "ap-northeast-1",
        15: "ap-south-1",
        16: "eu-central-1",
        17: "eu-west-1",
        19: "ap-southeast-6",
        20: "cn-heyuan",
        21: "cn-guangzhou",
        22: "cn-chengdu",
        23: "cn-nanjing",
        24: "cn-fuzhou",
        25: "cn-wulanchabu",
    },
    3: {
        0: "ap-beijing-1",
        1: "ap-beijing",
        2: "ap-shanghai",
        3: "ap-guangzhou",
        4: "ap-chengdu",
        5: "ap-chongqing",
        6: "ap-shenzhen-fsi",
        7: "ap-shanghai-fsi",
        8: "ap-beijing-fsi",
        9: "ap-hongkong",
        10: "ap-singapore",
        11: "ap-mumbai",
        12: "ap-seoul",
        13: "ap-bangkok",
        14: "ap-tokyo",
        15: "na-siliconvalley",
        16: "na-ashburn",
        17: "na-toronto",
        18: "eu-frankfurt",
        19: "eu-moscow",
    },
    6: {0: "auto"},
    7: {
        0: "cn-north-1",
        1: "cn-north-4",
        2: "cn-east-2",
        3: "cn-east-3",
        4: "cn-south-1",
        5: "cn-southwest-2",
        6: "ap-southeast-1",
        7: "ap-southeast-2",
        8: "ap-southeast-3",
        9: "af-south-1",
        10: "sa-argentina-1",
        11: "sa-peru-1",
        12: "na-mexico-1",
        13: "sa-brazil-1",
        14: "la-south-2",
        15: "sa-chile-1",
    },
    11: {0: ""},
}


def profile_of(vendor: int) -> str:
    """The name of the storage profile behind ``vendor``; "" for 11, any store that speaks S3.

    Azure and Baidu are ``azure`` and ``baidu``, which storage refuses with a sentence of its own.

    Raises:
        CommandError: Agora has no such vendor.
    """
    if vendor not in _PROFILES:
        numbers = ", ".join(str(number) for number in _PROFILES)
        raise CommandError(
            f"Agora has no storage vendor {vendor}: expected one of {numbers}; give profile and "
            "region instead"
        )
    return _PROFILES[vendor]


def region_of(vendor: int, region: int) -> str:
    """The cloud's own id of a region; "" for that of vendor 11, which says nothing.

    Raises:
        CommandError: the number is not known, or not which region of the cloud it is.
    """
    known = _REGIONS.get(vendor, {})
    if region not in known:
        raise CommandError(
            f"which region Agora's number {region} of vendor {vendor} is, is not certain: give the cloud's "
            "own id of it as region"
        )
    return known[region]
