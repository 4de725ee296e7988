"""Walks the local S3 with boto3, and with the `aws` command where it is found: every operation that `pinlake local` has, and
the refusals that clients depend on.

Environment: AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, and PINLAKE_BUCKET, a bucket that
exists. PINLAKE_AWS names the `aws` command. Everything is made under the prefix `s3-walk/`, or in buckets `s3-walk-…`, and
deleted at the end. Prints a line for each step; the first that fails ends it with a traceback.
"""

import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zlib
from datetime import datetime, timedelta, timezone

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["AWS_ENDPOINT_URL_S3"]
BUCKET = os.environ["PINLAKE_BUCKET"]
REGION = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
PREFIX = "s3-walk/"
MIB = 1024 * 1024
ODD_KEYS = ["a b+c%.gz", "ü/é?x=1&y.gz", "quote'\"<&>.gz", "plus+ +", "日本/語", "dots/../up", "a//b", "tilde~-_.!*()"]


def client(signature_version="s3v4", **settings):
    """A client that does not retry: what fails is to be seen."""
    config = Config(region_name=REGION, retries={"max_attempts": 0}, s3={"addressing_style": "path"},
                    signature_version=signature_version)
    return boto3.client("s3", endpoint_url=ENDPOINT, config=config, **settings)


S3 = client()


def refused(status, code, call, *args, **parameters):
    """The call must fail with this status and S3's code for it (HEAD has no body, and so the status for a code)."""
    try:
        answer = call(*args, **parameters)
    except ClientError as error:
        seen = (error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"])
        assert seen == (status, code), f"expected {status} {code}, got {seen}: {error}"
        return error.response
    raise AssertionError(f"expected {status} {code}, and it was answered: {answer}")


def body(key, **parameters):
    """The bytes of an object, or of a part of it."""
    return S3.get_object(Bucket=BUCKET, Key=key, **parameters)["Body"].read()


def raw(method, url, data=None, headers=None):
    """Plain HTTP: status, headers and body."""
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def buckets():
    answer = S3.list_buckets()
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"], "a request id"
    assert BUCKET in [bucket["Name"] for bucket in answer["Buckets"]]
    name = f"s3-walk-{os.getpid()}"
    where = {} if REGION == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    assert S3.create_bucket(Bucket=name, **where)["Location"] == f"/{name}"
    refused(409, "BucketAlreadyOwnedByYou", S3.create_bucket, Bucket=name, **where)
    refused(400, "InvalidBucketName", S3.create_bucket, Bucket="Walk..Walk", **where)
    assert S3.head_bucket(Bucket=name)["BucketRegion"] == REGION
    assert (S3.get_bucket_location(Bucket=name)["LocationConstraint"] or "us-east-1") == REGION
    assert S3.list_objects_v2(Bucket=name)["KeyCount"] == 0
    S3.put_object(Bucket=name, Key="x", Body=b"x")
    refused(409, "BucketNotEmpty", S3.delete_bucket, Bucket=name)
    S3.delete_object(Bucket=name, Key="x")
    S3.delete_bucket(Bucket=name)
    refused(404, "404", S3.head_bucket, Bucket=name)
    for call in (S3.delete_bucket, S3.list_objects_v2, S3.list_objects, S3.get_bucket_location, S3.list_multipart_uploads):
        refused(404, "NoSuchBucket", call, Bucket=name)
    refused(404, "NoSuchBucket", S3.put_object, Bucket=name, Key="x", Body=b"x")
    refused(404, "NoSuchBucket", S3.get_object, Bucket=name, Key="x")
    refused(404, "NoSuchBucket", S3.create_multipart_upload, Bucket=name, Key="x")


def objects():
    key = f"{PREFIX}object"
    told = {
        "ContentType": "text/plain; charset=utf-8", "ContentEncoding": "identity", "ContentLanguage": "de",
        "ContentDisposition": 'attachment; filename="x y.txt"', "CacheControl": "max-age=60",
        "Expires": datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "Metadata": {"who": "me", "why": "a test"},
    }
    put = S3.put_object(Bucket=BUCKET, Key=key, Body=b"0123456789", **told)
    assert put["ETag"] == '"781e5e245d69b566979b86e28d23f2c7"', put["ETag"]
    for answer in (S3.get_object(Bucket=BUCKET, Key=key), S3.head_object(Bucket=BUCKET, Key=key)):
        for name, value in told.items():
            if name != "Expires":
                assert answer[name] == value, (name, answer.get(name))
        assert answer["ExpiresString"] == "Wed, 02 Jan 2030 03:04:05 GMT", answer.get("ExpiresString")
        assert answer["ContentLength"] == 10 and answer["ETag"] == put["ETag"] and answer["AcceptRanges"] == "bytes"
    replaced = S3.get_object(Bucket=BUCKET, Key=key, ResponseContentType="x/y", ResponseContentDisposition="inline")
    assert (replaced["ContentType"], replaced["ContentDisposition"]) == ("x/y", "inline")
    S3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    empty = S3.get_object(Bucket=BUCKET, Key=key)
    assert empty["Body"].read() == b"" and empty["ContentType"] == "binary/octet-stream" and empty["Metadata"] == {}
    for odd in ODD_KEYS:
        S3.put_object(Bucket=BUCKET, Key=PREFIX + odd, Body=odd.encode())
        assert body(PREFIX + odd) == odd.encode(), odd
        S3.delete_object(Bucket=BUCKET, Key=PREFIX + odd)
    refused(404, "NoSuchKey", S3.get_object, Bucket=BUCKET, Key=f"{PREFIX}never")
    refused(404, "404", S3.head_object, Bucket=BUCKET, Key=f"{PREFIX}never")
    refused(400, "KeyTooLongError", S3.put_object, Bucket=BUCKET, Key="k" * 1025, Body=b"")
    md5 = base64.b64encode(hashlib.md5(b"told").digest()).decode()
    S3.put_object(Bucket=BUCKET, Key=key, Body=b"told", ContentMD5=md5)
    refused(400, "BadDigest", S3.put_object, Bucket=BUCKET, Key=key, Body=b"other", ContentMD5=md5)
    refused(400, "InvalidDigest", S3.put_object, Bucket=BUCKET, Key=key, Body=b"other", ContentMD5="no digest")
    assert body(key) == b"told", "a refused put changes nothing"


def ranges():
    key = f"{PREFIX}ranges"
    S3.put_object(Bucket=BUCKET, Key=key, Body=b"0123456789")
    for asked, expected, told in [
        ("bytes=0-0", b"0", "bytes 0-0/10"), ("bytes=9-9", b"9", "bytes 9-9/10"), ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"), ("bytes=-3", b"789", "bytes 7-9/10"), ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ]:
        answer = S3.get_object(Bucket=BUCKET, Key=key, Range=asked)
        assert (answer["ContentRange"], answer["ContentLength"]) == (told, len(expected)), (asked, answer)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206 and answer["Body"].read() == expected, asked
        assert S3.head_object(Bucket=BUCKET, Key=key, Range=asked)["ContentLength"] == len(expected)
    for beyond in ("bytes=10-", "bytes=10-20", "bytes=-0"):
        refused(416, "InvalidRange", S3.get_object, Bucket=BUCKET, Key=key, Range=beyond)


def conditions():
    key = f"{PREFIX}conditions"
    etag = S3.put_object(Bucket=BUCKET, Key=key, Body=b"content")["ETag"]
    written = S3.head_object(Bucket=BUCKET, Key=key)["LastModified"]
    before, after = written - timedelta(hours=1), written + timedelta(hours=1)
    for call in (S3.get_object, S3.head_object):
        failed = "412" if call == S3.head_object else "PreconditionFailed"
        for good in ({"IfMatch": etag}, {"IfMatch": "*"}, {"IfNoneMatch": '"0123"'}, {"IfModifiedSince": before},
                     {"IfUnmodifiedSince": after}, {"IfMatch": etag, "IfUnmodifiedSince": before}):
            call(Bucket=BUCKET, Key=key, **good)
        refused(412, failed, call, Bucket=BUCKET, Key=key, IfMatch='"0123"')
        refused(412, failed, call, Bucket=BUCKET, Key=key, IfUnmodifiedSince=before)
        refused(304, "304", call, Bucket=BUCKET, Key=key, IfNoneMatch=etag)
        refused(304, "304", call, Bucket=BUCKET, Key=key, IfModifiedSince=written)
    refused(412, "PreconditionFailed", S3.put_object, Bucket=BUCKET, Key=key, Body=b"x", IfNoneMatch="*")
    refused(412, "PreconditionFailed", S3.put_object, Bucket=BUCKET, Key=key, Body=b"x", IfMatch='"0123"')
    refused(404, "NoSuchKey", S3.put_object, Bucket=BUCKET, Key=f"{key}-none", Body=b"x", IfMatch=etag)
    etag = S3.put_object(Bucket=BUCKET, Key=key, Body=b"second", IfMatch=etag)["ETag"]
    S3.put_object(Bucket=BUCKET, Key=f"{key}-new", Body=b"x", IfNoneMatch="*")
    refused(412, "PreconditionFailed", S3.delete_object, Bucket=BUCKET, Key=key, IfMatch='"0123"')
    assert body(key) == b"second"
    S3.delete_object(Bucket=BUCKET, Key=key, IfMatch=etag)


def listings():
    root = f"{PREFIX}list/"
    names = [f"{root}{number:04}.gz" for number in range(1_205)]
    for name in names:
        S3.put_object(Bucket=BUCKET, Key=name, Body=b"")
    first = S3.list_objects_v2(Bucket=BUCKET, Prefix=root)
    assert (first["KeyCount"], first["IsTruncated"], first["MaxKeys"]) == (1000, True, 1000)
    assert S3.list_objects_v2(Bucket=BUCKET, Prefix=root, MaxKeys=5000)["KeyCount"] == 1000
    for operation in ("list_objects_v2", "list_objects"):
        for size in (1000, 241):
            pages = S3.get_paginator(operation).paginate(Bucket=BUCKET, Prefix=root, PaginationConfig={"PageSize": size})
            seen = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
            assert seen == names, (operation, size, len(seen))
    rest = S3.list_objects_v2(Bucket=BUCKET, Prefix=root, StartAfter=names[-3])
    assert [entry["Key"] for entry in rest["Contents"]] == names[-2:] and rest["StartAfter"] == names[-3]
    assert S3.list_objects(Bucket=BUCKET, Prefix=root, Marker=names[-2])["Contents"][0]["Key"] == names[-1]
    none = S3.list_objects_v2(Bucket=BUCKET, Prefix=root, MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"]) == (0, False)
    refused(400, "InvalidArgument", S3.list_objects_v2, Bucket=BUCKET, ContinuationToken="?")
    for start in range(0, len(names), 1000):
        keys = [{"Key": name} for name in names[start:start + 1000]]
        assert len(S3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})["Deleted"]) == len(keys)

    odd = sorted((root + key for key in ODD_KEYS), key=lambda key: key.encode())
    for key in odd:
        S3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    pages = S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=root, PaginationConfig={"PageSize": 1})
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == odd
    for position, key in enumerate(odd):
        rest = S3.list_objects_v2(Bucket=BUCKET, Prefix=root, StartAfter=key).get("Contents", [])
        assert [entry["Key"] for entry in rest] == odd[position + 1:], key
    rolled = S3.list_objects_v2(Bucket=BUCKET, Prefix=root, Delimiter="/", FetchOwner=True)
    folders = [entry["Prefix"] for entry in rolled["CommonPrefixes"]]
    assert folders == sorted({root + k.split("/")[0] + "/" for k in ODD_KEYS if "/" in k}, key=str.encode), folders
    assert [entry["Key"] for entry in rolled["Contents"]] == [key for key in odd if "/" not in key[len(root):]]
    assert all(entry["Owner"]["ID"] for entry in rolled["Contents"])
    for operation in ("list_objects_v2", "list_objects"):
        pages = S3.get_paginator(operation).paginate(
            Bucket=BUCKET, Prefix=root, Delimiter="/", PaginationConfig={"PageSize": 1})
        pages = list(pages)
        assert [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])] == folders, operation
    # boto3 asks for `encoding-type=url` by itself and undoes it; without, the XML has the keys as they are.
    plain = S3.list_objects_v2(Bucket=BUCKET, Prefix=root, EncodingType="url")
    assert plain["EncodingType"] == "url" and "%C3%BC" in "".join(entry["Key"] for entry in plain["Contents"])


def deletes():
    keys = [f"{PREFIX}delete/{name}" for name in ("a", "b <&>", "ü")]
    for key in keys:
        S3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    named = [{"Key": key} for key in [*keys, f"{PREFIX}delete/never"]]
    answer = S3.delete_objects(Bucket=BUCKET, Delete={"Objects": named})
    assert [entry["Key"] for entry in answer["Deleted"]] == [entry["Key"] for entry in named] and "Errors" not in answer
    assert "Deleted" not in S3.delete_objects(Bucket=BUCKET, Delete={"Objects": named, "Quiet": True})
    S3.delete_object(Bucket=BUCKET, Key=keys[0])
    refused(400, "MalformedXML", S3.delete_objects, Bucket=BUCKET, Delete={"Objects": [{"Key": "x"}] * 1001})
    refused(404, "NoSuchBucket", S3.delete_objects, Bucket="s3-walk-never", Delete={"Objects": named})


def copies():
    source, target = f"{PREFIX}copy/ü +%", f"{PREFIX}copy/target"
    S3.put_object(Bucket=BUCKET, Key=source, Body=b"copied", ContentType="a/b", Metadata={"m": "1"})
    copied = S3.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": source})
    head = S3.head_object(Bucket=BUCKET, Key=target)
    assert copied["CopyObjectResult"]["ETag"] == head["ETag"] and head["ContentType"] == "a/b" and head["Metadata"] == {"m": "1"}
    S3.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": source}, MetadataDirective="REPLACE",
                   ContentType="c/d", Metadata={"n": "2"})
    head = S3.head_object(Bucket=BUCKET, Key=target)
    assert head["ContentType"] == "c/d" and head["Metadata"] == {"n": "2"} and body(target) == b"copied"
    refused(404, "NoSuchKey", S3.copy_object, Bucket=BUCKET, Key=target, CopySource=f"{BUCKET}/{PREFIX}never")
    refused(400, "InvalidRequest", S3.copy_object, Bucket=BUCKET, Key=target, CopySource=f"{BUCKET}/{target}")
    refused(412, "PreconditionFailed", S3.copy_object, Bucket=BUCKET, Key=target,
            CopySource={"Bucket": BUCKET, "Key": source}, CopySourceIfMatch='"0123"')
    S3.delete_object(Bucket=BUCKET, Key=source)
    assert body(target) == b"copied"


ALGORITHMS = ["CRC32", "SHA1", "SHA256"]


def checksum(algorithm, data):
    digest = zlib.crc32(data).to_bytes(4, "big") if algorithm == "CRC32" else hashlib.new(algorithm.lower(), data).digest()
    return base64.b64encode(digest).decode()


def checksums():
    key, data = f"{PREFIX}sum", b"123456789" * 1000
    for algorithm in ALGORITHMS:
        name = f"Checksum{algorithm}"
        put = S3.put_object(Bucket=BUCKET, Key=key, Body=data, ChecksumAlgorithm=algorithm)
        assert put[name] == checksum(algorithm, data), algorithm
        for call in (S3.get_object, S3.head_object):
            told = call(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
            assert told[name] == put[name] and told["ChecksumType"] == "FULL_OBJECT", (algorithm, told)
        refused(400, "BadDigest", S3.put_object, Bucket=BUCKET, Key=key, Body=b"wrong", **{name: put[name]})
    for name, value in (("ChecksumCRC32C", "4waSgw=="), ("ChecksumCRC64NVME", "rosUhgp5mIg=")):
        assert S3.put_object(Bucket=BUCKET, Key=key, Body=b"123456789", **{name: value})[name] == value
        assert S3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")[name] == value
        refused(400, "BadDigest", S3.put_object, Bucket=BUCKET, Key=key, Body=b"wrong", **{name: value})
    listed = S3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"][0]
    assert listed["ChecksumAlgorithm"] == ["CRC64NVME"] and listed["ChecksumType"] == "FULL_OBJECT", listed
    # Without a declared checksum S3 works out a CRC-64 of its own.
    quiet = boto3.client("s3", endpoint_url=ENDPOINT, config=Config(
        region_name=REGION, request_checksum_calculation="when_required", s3={"addressing_style": "path"}))
    quiet.put_object(Bucket=BUCKET, Key=key, Body=b"123456789")
    assert S3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")["ChecksumCRC64NVME"] == "rosUhgp5mIg="
    attributes = S3.get_object_attributes(Bucket=BUCKET, Key=key, ObjectAttributes=["ETag", "ObjectSize", "Checksum"])
    assert attributes["ObjectSize"] == 9 and attributes["Checksum"]["ChecksumCRC64NVME"] == "rosUhgp5mIg="


def multipart():
    key, parts = f"{PREFIX}parts", [b"a" * (5 * MIB), b"b" * (5 * MIB), b"tail"]
    for algorithm in (None, *ALGORITHMS):
        asked = {"ChecksumAlgorithm": algorithm} if algorithm else {}
        upload = S3.create_multipart_upload(Bucket=BUCKET, Key=key, ContentType="x/y", Metadata={"m": "1"}, **asked)
        target = {"Bucket": BUCKET, "Key": key, "UploadId": upload["UploadId"]}
        named = {}
        # Sent out of order, and one of them twice: the last counts.
        for number in (3, 1, 2, 2):
            sent = S3.upload_part(PartNumber=number, Body=parts[number - 1], **target, **asked)
            named[number] = {"PartNumber": number, "ETag": sent["ETag"]}
            if algorithm:
                named[number][f"Checksum{algorithm}"] = sent[f"Checksum{algorithm}"]
        listed = S3.list_parts(MaxParts=2, **target)
        assert [part["Size"] for part in listed["Parts"]] == [5 * MIB] * 2 and listed["IsTruncated"]
        listed = S3.list_parts(PartNumberMarker=listed["NextPartNumberMarker"], **target)
        assert [part["PartNumber"] for part in listed["Parts"]] == [3] and not listed["IsTruncated"]
        assert listed["Parts"][0]["LastModified"] and listed["StorageClass"] == "STANDARD"
        uploads = S3.list_multipart_uploads(Bucket=BUCKET, Prefix=PREFIX)["Uploads"]
        assert [(entry["Key"], entry["UploadId"]) for entry in uploads] == [(key, upload["UploadId"])], uploads
        complete = lambda *numbers: S3.complete_multipart_upload(
            MultipartUpload={"Parts": [named[number] for number in numbers]}, **target)
        refused(400, "InvalidPartOrder", complete, 2, 1, 3)
        refused(400, "EntityTooSmall", lambda: S3.complete_multipart_upload(MultipartUpload={"Parts": [
            *[named[number] for number in (1, 2, 3)], dict(named[3], PartNumber=4, ETag=S3.upload_part(
                PartNumber=4, Body=b"tail", **target, **asked)["ETag"])]}, **target))
        wrong = {"Parts": [dict(named[1], ETag='"0123"')]}
        refused(400, "InvalidPart", S3.complete_multipart_upload, MultipartUpload=wrong, **target)
        done = complete(1, 2, 3)
        digests = b"".join(hashlib.md5(part).digest() for part in parts)
        assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
        head = S3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (10 * MIB + 4, "x/y", {"m": "1"})
        if algorithm:
            digests = b"".join(base64.b64decode(checksum(algorithm, part)) for part in parts)
            expected = f"{checksum(algorithm, digests)}-3"
            assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (expected, "COMPOSITE"), head
        assert body(key) == b"".join(parts)
        assert body(key, Range="bytes=5242878-5242881") == b"aabb", "a range over the seam of two parts"
        for number, part in enumerate(parts, 1):
            one = S3.get_object(Bucket=BUCKET, Key=key, PartNumber=number)
            assert (one["PartsCount"], one["ResponseMetadata"]["HTTPStatusCode"]) == (3, 206)
            assert one["Body"].read() == part
        assert S3.head_object(Bucket=BUCKET, Key=key, PartNumber=2)["ContentLength"] == 5 * MIB
        refused(416, "InvalidPartNumber", S3.get_object, Bucket=BUCKET, Key=key, PartNumber=4)
        refused(404, "NoSuchUpload", S3.list_parts, **target)
    upload = S3.create_multipart_upload(Bucket=BUCKET, Key=key)
    target = {"Bucket": BUCKET, "Key": key, "UploadId": upload["UploadId"]}
    refused(400, "InvalidArgument", S3.upload_part, PartNumber=10_001, Body=b"x", **target)
    copied = S3.upload_part_copy(PartNumber=1, CopySource={"Bucket": BUCKET, "Key": key}, CopySourceRange="bytes=0-9", **target)
    assert copied["CopyPartResult"]["ETag"] == f'"{hashlib.md5(b"a" * 10).hexdigest()}"'
    S3.abort_multipart_upload(**target)
    refused(404, "NoSuchUpload", S3.abort_multipart_upload, **target)
    refused(404, "NoSuchUpload", S3.upload_part, PartNumber=1, Body=b"x", **target)
    assert "Uploads" not in S3.list_multipart_uploads(Bucket=BUCKET, Prefix=PREFIX)


def transfers():
    """boto3's own transfers, which use parts and ranges from 8 MiB on."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        data = os.urandom(1024) * (21 * 1024)
        (path / "up").write_bytes(data)
        S3.upload_file(str(path / "up"), BUCKET, f"{PREFIX}transfer", Config=TransferConfig(max_concurrency=4))
        S3.download_file(BUCKET, f"{PREFIX}transfer", str(path / "down"), Config=TransferConfig(max_concurrency=4))
        assert (path / "down").read_bytes() == data
        S3.copy({"Bucket": BUCKET, "Key": f"{PREFIX}transfer"}, BUCKET, f"{PREFIX}transfer-copy")
        assert body(f"{PREFIX}transfer-copy") == data


def presigned():
    key = f"{PREFIX}signed ü"
    named = {"Bucket": BUCKET, "Key": key}
    put = S3.generate_presigned_url("put_object", Params=named, ExpiresIn=60)
    assert raw("PUT", put, b"by url")[0] == 200
    get = S3.generate_presigned_url("get_object", Params=named, ExpiresIn=60)
    status, headers, data = raw("GET", get)
    assert (status, data) == (200, b"by url") and headers["x-amz-request-id"]
    old = client(signature_version="s3").generate_presigned_url("get_object", Params=named, ExpiresIn=60)
    assert "AWSAccessKeyId=" in old and raw("GET", old)[2] == b"by url", "signed as before version 4"
    status, _, data = raw("GET", get.replace("Expires=60", "Expires=61"))
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in data, data
    status, _, data = raw("GET", expired(get_url()))
    assert status == 403 and b"<Code>AccessDenied</Code>" in data and b"expired" in data, data


def get_url():
    return f"{ENDPOINT}/{BUCKET}/{PREFIX}any"


def expired(url):
    """The URL signed an hour ago, for a minute."""
    from botocore.auth import S3SigV4QueryAuth
    from unittest import mock
    import botocore.auth
    request = AWSRequest("GET", url)
    with an_hour_ago(botocore.auth, mock):
        S3SigV4QueryAuth(credentials(), "s3", REGION, expires=60).add_auth(request)
    return request.prepare().url


def an_hour_ago(module, mock):
    then = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(hours=1)
    if hasattr(module, "get_current_datetime"):
        return mock.patch.object(module, "get_current_datetime", lambda *_, **__: then)
    clock = mock.Mock(wraps=module.datetime)
    clock.datetime = mock.Mock(wraps=module.datetime.datetime)
    clock.datetime.utcnow.return_value = then
    return mock.patch.object(module, "datetime", clock)


def credentials():
    return boto3.Session().get_credentials().get_frozen_credentials()


def signed(method, url, data):
    request = AWSRequest(method, url, data=data)
    S3SigV4Auth(credentials(), "s3", REGION).add_auth(request)
    return dict(request.prepare().headers)


def refusals():
    from unittest import mock
    import botocore.auth
    keys = credentials()
    wrong = client(aws_access_key_id=keys.access_key, aws_secret_access_key="wrong")
    answer = refused(403, "SignatureDoesNotMatch", wrong.get_object, Bucket=BUCKET, Key="x")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"] == answer["ResponseMetadata"]["RequestId"]
    unknown = client(aws_access_key_id="AKIAWRONGWRONGWRONG0", aws_secret_access_key="wrong")
    refused(403, "InvalidAccessKeyId", unknown.list_objects_v2, Bucket=BUCKET)
    with an_hour_ago(botocore.auth, mock):
        headers = signed("GET", get_url(), b"")
    status, _, data = raw("GET", get_url(), None, headers)
    assert status == 403 and b"<Code>RequestTimeTooSkewed</Code>" in data, data
    status, answered, data = raw("GET", get_url())
    assert status == 403 and b"<Code>AccessDenied</Code>" in data and answered["x-amz-request-id"], data
    status, _, data = raw("PUT", get_url(), b"altered!", signed("PUT", get_url(), b"original"))
    assert status == 400 and b"<Code>XAmzContentSHA256Mismatch</Code>" in data, (status, data)
    status, answered, data = raw("GET", get_url(), None, signed("GET", get_url(), b""))
    assert status == 404 and b"<Code>NoSuchKey</Code>" in data and b"<Key>s3-walk/any</Key>" in data, data
    assert f"<RequestId>{answered['x-amz-request-id']}</RequestId>".encode() in data, data
    for call in (S3.get_bucket_versioning, S3.get_bucket_policy, S3.get_bucket_lifecycle_configuration):
        refused(501, "NotImplemented", call, Bucket=BUCKET)
    refused(501, "NotImplemented", S3.put_object, Bucket=BUCKET, Key=f"{PREFIX}tagged", Body=b"", Tagging="a=b")


def command(program):
    """The `aws` command: `s3 cp`, `s3 sync`, `s3 ls`, `s3 mv`, `s3 rm`, `s3 presign`, `s3api`."""

    def aws(*arguments, fails=False):
        done = subprocess.run([*program, *arguments], capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stderr if fails else done.stdout

    url = f"s3://{BUCKET}/{PREFIX}cli/"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "in").mkdir()
        (path / "in" / "big").write_bytes(os.urandom(1024) * (24 * 1024))
        (path / "in" / "small ü").write_bytes(b"small")
        aws("s3", "cp", str(path / "in" / "big"), f"{url}big")
        aws("s3", "sync", str(path / "in"), url)
        listed = aws("s3", "ls", url)
        assert len(listed.splitlines()) == 2 and "25165824 big" in listed, listed
        assert "PRE s3-walk/" in aws("s3", "ls", f"s3://{BUCKET}")
        aws("s3", "sync", url, str(path / "out"))
        for name in ("big", "small ü"):
            assert (path / "out" / name).read_bytes() == (path / "in" / name).read_bytes(), name
        aws("s3", "mv", f"{url}big", f"{url}moved")
        assert "NoSuchKey" in aws("s3api", "get-object", "--bucket", BUCKET, "--key", f"{PREFIX}cli/big", str(path / "x"),
                                  fails=True)
        signed_url = aws("s3", "presign", f"{url}small ü").strip()
        assert raw("GET", signed_url)[2] == b"small"
        aws("s3", "rm", "--recursive", url)
        aws("s3", "ls", url, fails=True)


def main():
    steps = [buckets, objects, ranges, conditions, listings, deletes, copies, checksums, multipart, transfers, presigned,
             refusals]
    wanted = sys.argv[1:]
    try:
        for step in steps:
            if not wanted or step.__name__ in wanted:
                step()
                print(f"s3 {step.__name__}: as in AWS", flush=True)
        program = os.environ.get("PINLAKE_AWS") or shutil.which("aws", path=str(pathlib.Path(sys.executable).parent)) \
            or shutil.which("aws")
        if program is None:
            print("s3 command: skipped, there is no aws command", flush=True)
        elif not wanted or "command" in wanted:
            command([program])
            print("s3 command: as in AWS", flush=True)
    finally:
        for page in S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX):
            for entry in page.get("Contents", []):
                S3.delete_object(Bucket=BUCKET, Key=entry["Key"])


if __name__ == "__main__":
    main()
