"""Who asks: an address that is only ever held as a hash under a key that dies with the process.

`X-Forwarded-For` is believed as far as our own proxies wrote it: each appends the address that it saw, so with one of
them the last entry counts, and whatever a visitor puts before it changes nothing.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

_DIGEST_BYTES = 16
_IPV6_PREFIX = 56
"""What a provider gives to one customer."""


class Clients:
    """Names those who ask.

    Example:
        >>> clients = Clients(proxies=0)
        >>> clients.key({"client": ("192.0.2.1", 1), "headers": []}) == clients.key({"client": None, "headers": []})
        False
    """

    def __init__(self, proxies: int) -> None:
        """Believes what the last `proxies` stations wrote about where a request came from."""
        self._proxies, self._secret = proxies, secrets.token_bytes(32)

    def key(self, scope: Scope) -> bytes:
        """Returns a name of 16 bytes that says nothing outside this process."""
        peer = scope.get("client")
        forwarded = Headers(scope=scope).getlist("x-forwarded-for") if self._proxies else []
        network = network_of(address_of(peer[0] if peer else "", forwarded, self._proxies))
        return hashlib.blake2b(network.encode(), key=self._secret, digest_size=_DIGEST_BYTES).digest()


def address_of(peer: str, forwarded: Sequence[str], proxies: int) -> str:
    """Returns the address that counts.

    Args:
        peer: Whom the connection is to.
        forwarded: All `X-Forwarded-For` headers, in order.
        proxies: How many stations before us are ours.

    Example:
        >>> address_of("10.0.0.1", ["203.0.113.7, 198.51.100.2"], 1)
        '198.51.100.2'
        >>> address_of("10.0.0.1", ["203.0.113.7"], 0), address_of("10.0.0.1", [], 1)
        ('10.0.0.1', '10.0.0.1')
    """
    entries = [entry.strip() for entry in ",".join(forwarded).split(",")] if forwarded else []
    return entries[-proxies] if 0 < proxies <= len(entries) else peer


def network_of(address: str) -> str:
    """Returns the network that counts as one visitor: an IPv4 address, or the IPv6 network of one customer.

    Example:
        >>> network_of("2001:db8:0:12ff::1"), network_of("[2001:db8::1]:443"), network_of("::ffff:192.0.2.1")
        ('2001:db8:0:1200::/56', '2001:db8::/56', '192.0.2.1')
        >>> network_of("192.0.2.1:50000"), network_of("unknown")
        ('192.0.2.1', '')
    """
    bare = address.partition("]")[0].strip("[") if address.startswith("[") else address
    if bare.count(":") == 1:  # An IPv4 address with a port, as some proxies write it.
        bare = bare.partition(":")[0]
    try:
        known = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, _IPV6_PREFIX), strict=False))
    return str(known)
