"""Object storage in the manner of S3: buckets, objects, uploads in parts, as its clients expect them to be answered."""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.sax.saxutils import escape

from .answers import whole_or_range
from .messages import Answer, Bytes, Head, Upload
from .objects import Joined, Objects, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LISTED = 1000
MAX_PARTS = 10_000
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_SIGNED = ("AWS4-HMAC-", "AWS ")
_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-]")
_PART = re.compile(r"<PartNumber>\s*(\d{1,5})\s*</PartNumber>")
_KEY = re.compile(r"<Key>([^<]{1,1024})</Key>")
_REGION = "us-east-1"


def speaks_s3(site: str, head: Head) -> bool:
    """Whether a request is in S3's language: signed in its way, with headers of its own, or for a host of that name."""
    return (
        head.header("authorization").startswith(_SIGNED)
        or any(name.startswith("x-amz-") for name, _ in head.headers)
        or bool({"X-Amz-Signature", "AWSAccessKeyId"} & head.query.keys())
        or site.startswith("s3.")
        or ".s3." in site
    )


class S3:
    """Answers such requests.

    Args:
        objects: keeps what sites are given.
        clock: seconds since 1970.
    """

    def __init__(self, objects: Objects, clock: Callable[[], float]) -> None:
        self._objects = objects
        self._clock = clock

    def answer(self, site: str, head: Head, upload: Upload) -> Answer:
        """The response of `site`."""
        virtual = _VIRTUAL_HOST.match(site)
        path = unquote(head.path).lstrip("/")
        bucket, key = (virtual["bucket"], path) if virtual else (path.partition("/")[0], path.partition("/")[2])
        number = hashlib.sha256(f"{self._clock()}{head.target}".encode(errors="replace")).hexdigest()
        if not bucket:
            answer = _xml(200, "ListAllMyBucketsResult", "<Owner><ID>0</ID></Owner><Buckets></Buckets>")
        elif not key:
            answer = self._ask_bucket(site, bucket, head, upload)
        elif head.method == "PUT":
            answer = self._put(site, f"{bucket}/{key}", head, upload)
        elif head.method == "POST":
            answer = self._post(site, bucket, key, head, upload)
        else:
            answer = self._ask_object(site, bucket, key, head)
        ours = (("x-amz-request-id", number[:16].upper()), ("x-amz-id-2", number[16:]))
        return Answer(answer.status, answer.body, (*ours, *answer.headers))

    # --- buckets ---

    def _ask_bucket(self, site: str, bucket: str, head: Head, upload: Upload) -> Answer:
        query = head.query
        if head.method == "PUT":
            return Answer(200, headers=(("Location", f"/{bucket}"), ("ETag", f'"{upload.md5}"')))
        if head.method == "HEAD":
            return Answer(200, headers=(("x-amz-bucket-region", _REGION),))
        if head.method == "DELETE":
            return Answer(204)
        if head.method == "POST":
            return self._delete_many(site, bucket, upload) if "delete" in query else Answer(204)
        if "location" in query:
            return _xml(200, "LocationConstraint", "")
        if "uploads" in query:
            return _xml(200, "ListMultipartUploadsResult", f"<Bucket>{escape(bucket)}</Bucket>")
        if query.keys() & {"policy", "tagging", "cors", "lifecycle", "website", "encryption", "replication"}:
            return _error(404, "NoSuchConfiguration", "The specified configuration does not exist")
        return self._list(site, bucket, query)

    def _list(self, site: str, bucket: str, query: dict[str, str]) -> Answer:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after") or query.get("marker", "")
        items: list[str] = []
        folders: dict[str, None] = {}
        found = [(name[len(bucket) + 1 :], each) for name, each in self._objects.below(site, f"{bucket}/{prefix}")]
        found = [(key, each) for key, each in found if key > after]
        for key, each in found[:MAX_LISTED]:
            folder, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if cut:
                folders[f"{prefix}{folder}{delimiter}"] = None
            else:
                items.append(_contents(key, each))
        more = len(found) > MAX_LISTED
        said = f"<Name>{escape(bucket)}</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>{MAX_LISTED}</MaxKeys>"
        said += f"<KeyCount>{len(items) + len(folders)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
        if more:
            last = escape(found[MAX_LISTED - 1][0])
            said += f"<NextContinuationToken>{last}</NextContinuationToken><NextMarker>{last}</NextMarker>"
        said += "".join(items)
        said += "".join(f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders)
        return _xml(200, "ListBucketResult", said)

    def _delete_many(self, site: str, bucket: str, upload: Upload) -> Answer:
        keys = _KEY.findall(upload.start.decode(errors="replace"))[:MAX_LISTED]
        for key in keys:
            self._objects.remove(site, f"{bucket}/{key}")
        return _xml(200, "DeleteResult", "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys))

    # --- objects ---

    def _put(self, site: str, name: str, head: Head, upload: Upload) -> Answer:
        query = head.query
        source = unquote(head.header("x-amz-copy-source")).lstrip("/")
        if source:
            return self._copy(site, source, name, is_part="partNumber" in query)
        stored = Stored(upload.body, upload.md5, self._clock(), _kind(head), upload.sha256)
        if "partNumber" in query and "uploadId" in query:
            number = query["partNumber"]
            if not number.isdecimal() or not 1 <= int(number) <= MAX_PARTS:
                return _error(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
            name = f"{name}?{query['uploadId'][:64]}&{int(number):05d}"
            site = _unfinished(site)
        elif "tagging" in query or "acl" in query:
            return Answer(200)
        self._objects.put(site, name, stored)
        return Answer(200, headers=(("ETag", f'"{upload.md5}"'),))

    def _copy(self, site: str, source: str, name: str, *, is_part: bool) -> Answer:
        stored = self._objects.get(site, source)
        if stored is None:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        if not is_part:
            self._objects.put(site, name, stored)
        kind = "CopyPartResult" if is_part else "CopyObjectResult"
        return _xml(200, kind, f"<ETag>&quot;{stored.etag}&quot;</ETag>" + _modified(self._clock()))

    def _post(self, site: str, bucket: str, key: str, head: Head, upload: Upload) -> Answer:
        query, name = head.query, f"{bucket}/{key}"
        said = f"<Bucket>{escape(bucket)}</Bucket><Key>{escape(key)}</Key>"
        if "uploads" in query:
            number = hashlib.sha256(f"{name}{self._clock()}".encode(errors="replace")).hexdigest()[:40]
            return _xml(200, "InitiateMultipartUploadResult", f"{said}<UploadId>{number}</UploadId>")
        if "uploadId" not in query:
            return Answer(204)
        wanted = [int(number) for number in _PART.findall(upload.start.decode(errors="replace"))]
        return self._complete(site, name, query["uploadId"][:64], wanted, said)

    def _complete(self, site: str, name: str, number: str, wanted: list[int], said: str) -> Answer:
        parts = dict(self._objects.below(_unfinished(site), f"{name}?{number}&"))
        chosen = [parts.get(f"{name}?{number}&{each:05d}") for each in sorted(set(wanted))]
        found = [part for part in chosen if part is not None] or list(parts.values())
        digests = b"".join(bytes.fromhex(part.etag) for part in found)
        etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(found)}"
        body = Joined(tuple(draft for part in found for draft in part.body.parts))
        for each in parts:
            self._objects.forget(_unfinished(site), each)
        self._objects.put(site, name, Stored(body, etag, self._clock()))
        return _xml(200, "CompleteMultipartUploadResult", f"{said}<ETag>&quot;{etag}&quot;</ETag>")

    def _ask_object(self, site: str, bucket: str, key: str, head: Head) -> Answer:
        name, query = f"{bucket}/{key}", head.query
        if "uploadId" in query:
            return self._ask_upload(site, name, query["uploadId"][:64], head)
        if head.method == "DELETE":
            self._objects.remove(site, name)
            return Answer(204)
        if head.method not in ("GET", "HEAD"):
            return _error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        stored = self._objects.get(site, name)
        if stored is None:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        return whole_or_range(stored, head)

    def _ask_upload(self, site: str, name: str, number: str, head: Head) -> Answer:
        parts = self._objects.below(_unfinished(site), f"{name}?{number}&")
        if head.method == "DELETE":
            for each, _ in parts:
                self._objects.remove(_unfinished(site), each)
            return Answer(204)
        said = f"<UploadId>{escape(number)}</UploadId><IsTruncated>false</IsTruncated>"
        for each, part in parts[:MAX_LISTED]:
            said += f"<Part><PartNumber>{int(each[-5:])}</PartNumber>{_facts(part)}</Part>"
        return _xml(200, "ListPartsResult", said)


def _unfinished(site: str) -> str:
    """Where the parts of uploads that are not complete are kept: under a name that no site has."""
    return f"{site} (parts)"


def _kind(head: Head) -> str:
    return head.header("content-type")[:100] or "binary/octet-stream"


def _contents(key: str, stored: Stored) -> str:
    return f"<Contents><Key>{escape(key)}</Key>{_facts(stored)}<StorageClass>STANDARD</StorageClass></Contents>"


def _facts(stored: Stored) -> str:
    return f"{_modified(stored.modified)}<ETag>&quot;{stored.etag}&quot;</ETag><Size>{stored.body.size}</Size>"


def _modified(moment: float) -> str:
    return f"<LastModified>{time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(moment))}</LastModified>"


def _xml(status: int, kind: str, inside: str) -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{_NAMESPACE}">{inside}</{kind}>'
    return Answer(status, Bytes(text.encode()), (("Content-Type", "application/xml"),))


def _error(status: int, code: str, message: str) -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, Bytes(text.encode()), (("Content-Type", "application/xml"),))
