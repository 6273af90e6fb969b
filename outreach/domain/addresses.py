"""Whose line an address on the network is."""

from __future__ import annotations

from ipaddress import IPv6Network, ip_address


def line_of(address: str) -> str:
    """Return what one caller is counted by: the address, or of IPv6 its first 64 bits.

    Each home has at least all the addresses of those (RFC 6177), and may ask from another one each
    time. What is no address stays as it is.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))
