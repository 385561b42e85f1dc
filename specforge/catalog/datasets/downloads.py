"""Fetches a published data set's files with torchvision's own downloader, which checks their MD5, and unpacks them.

In: the name of torchvision's data set class, what to fetch of it, and a folder. Out: the files in that folder, or a
`DataError` that names the addresses and what to do without a network. This is the one place that imports torchvision:
its data set classes would also read and unpack, without limits, so only their addresses are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specforge.catalog.datasets.definition import DataError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on the web: its published MD5, the addresses that have it, in order, and whether it is unpacked here."""

    name: str
    md5: str
    addresses: tuple[str, ...]
    unpack: bool = False


def download_files(
    source: str,
    files: Callable[[Any], Iterable[Remote]],
    folder: Path,
    *,
    by_hand: Callable[[str], str],
) -> None:
    """Fetch what `files` lists of torchvision's class `source`; `by_hand` says how else to get a file of a name."""
    try:
        from torchvision import datasets
    except (ImportError, RuntimeError) as error:  # RuntimeError: operators built for another torch
        raise DataError(
            f"downloading {source} needs torchvision, which cannot be imported: {error}",
            hint="install a torchvision built for this torch: `pip install --force-reinstall torch torchvision` "
            "brings a pair that fits",
        ) from error
    for file in files(getattr(datasets, source)):
        _fetch(source, file, folder, hint=f"without a network, {by_hand(file.name)}")


def _fetch(source: str, file: Remote, folder: Path, *, hint: str) -> None:
    # not above: proving a spec imports this file
    from http.client import HTTPException
    from urllib.error import HTTPError

    from torchvision.datasets.utils import download_url

    from specforge.catalog.datasets.archives import unpack

    failures = []
    for address in file.addresses:
        try:
            download_url(address, str(folder), filename=file.name, md5=file.md5)
        except (OSError, RuntimeError, HTTPException) as error:
            if isinstance(error, HTTPError):
                error.close()  # it holds the connection open
            failures.append((address, error))
        else:
            if file.unpack:
                unpack(folder / file.name, folder)
            return
    tried = "; ".join(f"from {address}: {error}" for address, error in failures)
    raise DataError(f"{source} could not be downloaded {tried}", hint=hint) from failures[-1][1]
