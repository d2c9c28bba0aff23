"""The least that bytes take through a bucket: all objects fetched in parallel, the same bytes put as one.

``python -m benchmarks.plain_copy ENDPOINT CA BUCKET PREFIX TARGET``, with the keys in the environment.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

THREADS = 16
PART = 8 << 20


def main(endpoint: str, ca: str, bucket: str, prefix: str, target: str) -> None:
    """Copy what lies below a prefix into one object."""
    config = Config(
        s3={"addressing_style": "path"},
        max_pool_connections=THREADS,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client = boto3.client("s3", endpoint_url=endpoint, verify=ca, region_name="us-east-1", config=config)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page["Contents"]]
    with ThreadPoolExecutor(THREADS) as pool:
        data = b"".join(pool.map(lambda k: client.get_object(Bucket=bucket, Key=k)["Body"].read(), keys))
        upload = client.create_multipart_upload(Bucket=bucket, Key=target)["UploadId"]
        named = {"Bucket": bucket, "Key": target, "UploadId": upload}
        numbers = range(1, -(-len(data) // PART) + 1)

        def send(number: int) -> dict[str, object]:
            body = data[(number - 1) * PART : number * PART]
            answer = client.upload_part(**named, PartNumber=number, Body=body)
            return {"PartNumber": number, "ETag": answer["ETag"]}

        parts = list(pool.map(send, numbers))
    client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})


if __name__ == "__main__":
    main(*sys.argv[1:])
