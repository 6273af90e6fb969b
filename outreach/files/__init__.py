"""The files of the register (photos, small pictures, signed papers): sealed, wherever they lie.

Everybody asks `files()` and names a file by its path below the root; what comes out is plain,
what lies on the disk or in the bucket is sealed.
"""

from outreach.files.growing import GrowingFile
from outreach.files.places import (
    BUCKET_ROOMS,
    SENT,
    Folder,
    Place,
    SectorLost,
    is_full,
    lost_sectors_told,
)
from outreach.files.storage import SealedStorage, files, local_files, photo_name, place_of_settings

__all__ = [
    "BUCKET_ROOMS",
    "SENT",
    "Folder",
    "GrowingFile",
    "Place",
    "SealedStorage",
    "SectorLost",
    "files",
    "is_full",
    "local_files",
    "lost_sectors_told",
    "photo_name",
    "place_of_settings",
]
