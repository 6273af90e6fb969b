"""A bucket of an S3-compatible store, through django-storages: the only module that knows it.

What lies there is sealed already, so nothing of it is public and no address of it is given out
(docs/adr/0015). A file is kept when the store has answered: only then does the caller go on.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from outreach.environment import parse_bucket

_IN_MEMORY = 1024 * 1024
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity"})


class Bucket:
    """A bucket; what it answered to have is as safe as the store is."""

    def __init__(self, address: str, key: str, secret: str) -> None:
        """Name the bucket as `parse_bucket` reads it; raises `MalformedBucket`."""
        named = parse_bucket(address)
        self._within = f"{named.prefix}/" if named.prefix else ""
        self._storage = S3Storage(
            bucket_name=named.name,
            endpoint_url=named.endpoint,
            region_name=named.region,
            location=named.prefix,
            access_key=key,
            secret_key=secret,
            default_acl=None,
            file_overwrite=True,
            max_memory_size=_IN_MEMORY,
            transfer_config=TransferConfig(use_threads=False),
            client_config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=3,
                read_timeout=20,
                retries={"total_max_attempts": 3, "mode": "standard"},
            ),
        )

    def put(self, name: str, blocks: Iterable[bytes]) -> None:
        """Send a file whole: an object is there in one piece or not at all."""
        with SpooledTemporaryFile(_IN_MEMORY) as whole:  # a source that fails sends nothing
            for block in blocks:
                whole.write(block)
            with _plainly():
                self._storage.save(name, File(cast(Any, whole)))

    def put_new(self, name: str, blocks: Iterable[bytes]) -> bool:
        """Send a file whole; whoever sends it at the same time sends the same."""
        self.put(name, blocks)
        return True

    def take_over(self, name: str, file: Path) -> bool:
        """Send a file of this machine as it is."""
        with file.open("rb") as own:
            self.put(name, iter(partial(own.read, _IN_MEMORY), b""))
        return True

    def assure(self, name: str) -> None:
        """Ask for nothing: what the store answered to have, it has."""

    def open(self, name: str) -> BinaryIO:
        """Fetch a file."""
        with _plainly(), self._absence_of(name):
            found = self._storage.open(name)
            found.file  # noqa: B018  # fetched now, where a failure is told as one
        return cast(BinaryIO, found)

    def size(self, name: str) -> int:
        """Ask for the size of a file."""
        with _plainly(), self._absence_of(name):
            return int(self._storage.size(name))

    def delete(self, name: str) -> None:
        """Remove a file."""
        with _plainly():
            self._storage.delete(name)

    def delete_where(self, name: str, is_wrong: Callable[[], bool]) -> None:
        """Look again, and remove the file: a store keeps only what came whole."""
        with suppress(FileNotFoundError):
            if is_wrong():
                self.delete(name)

    def names(self, room: str) -> Iterator[str]:
        """List the room, a thousand names a question."""
        with _plainly():
            for found in self._storage.bucket.objects.filter(Prefix=f"{self._within}{room}/"):
                yield str(found.key).removeprefix(self._within)

    def forget_drafts(self, before: datetime) -> None:
        """Remove nothing: a store keeps only what came whole."""

    def probe(self) -> None:
        """Ask whether the bucket, or our part of it, is there and ours.

        A key that may enter one prefix only may list that, and not ask about the bucket.
        """
        client, bucket = self._storage.bucket.meta.client, self._storage.bucket_name
        with _plainly():
            if self._within:
                client.list_objects_v2(Bucket=bucket, Prefix=self._within, MaxKeys=1)
            else:
                client.head_bucket(Bucket=bucket)

    @contextmanager
    def _absence_of(self, name: str) -> Iterator[None]:
        """Tell a file that is not there as such where the store only says that it refuses.

        A key that may list one prefix only is not told 404: the question for a file names none.
        """
        try:
            yield
        except ClientError as error:
            if not self._within or _answer(error) != "403" or self._is_listed(name):
                raise
            raise FileNotFoundError(name) from error

    def _is_listed(self, name: str) -> bool:
        client, key = self._storage.bucket.meta.client, f"{self._within}{name}"
        found = client.list_objects_v2(Bucket=self._storage.bucket_name, Prefix=key, MaxKeys=1)
        return any(one["Key"] == key for one in found.get("Contents", ()))


@lru_cache(maxsize=4)
def bucket_at(address: str, key: str, secret: str) -> Bucket:
    """Return the bucket of a setting, with its connections, once in the life of this process."""
    return Bucket(address, key, secret)


@contextmanager
def _plainly() -> Iterator[None]:
    """Tell what a store does as a disk would: `FileNotFoundError`, full, or gone.

    Never as a lost sector (EIO): it may be there again in a minute.
    """
    try:
        yield
    except ClientError as error:
        answer = _answer(error)
        kind = errno.ENOSPC if answer in _FULL else errno.EREMOTEIO
        raise OSError(kind, f"the bucket answered {answer or 'an error'}") from error
    except (BotoCoreError, Boto3Error) as error:
        raise OSError(errno.EREMOTEIO, "the bucket does not answer") from error


def _answer(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
