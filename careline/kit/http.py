"""The only HTTP client of the product: every address is checked when the connection is made, and again at each redirect.

A check before and a look-up after is the known hole (the name can answer differently the second time), so the resolver itself
refuses, and the connector connects to exactly the addresses that passed. Literal addresses pass through the same resolver rule.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from careline.errors import ChannelError, InputRefused, TooLarge
from careline.kit import crashing

MAX_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Global by their prefix, yet nobody's: documentation (RFC 9637, July 2024) and the withdrawn 6to4 relays (RFC 7526, May 2015).
_NOBODYS = (ipaddress.ip_network("3fff::/20"), ipaddress.ip_network("192.88.99.0/24"))


@dataclass(frozen=True)
class Answer:
    """A whole response: status, headers (lower-case names) and at most `limit_bytes` of body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Refused(InputRefused):
    """The address points where Careline must not go."""

    def __init__(self, host: str) -> None:
        super().__init__("address_refused", f"The address {host} is not a public internet address.", status=400)


def is_public(address: str) -> bool:
    """True only for an address a customer-given URL may reach: global, unicast, and not a wrapped private one."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
        if ip.is_site_local:
            return False
    return (
        ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in network for network in _NOBODYS)
    )


class GuardedResolver(AbstractResolver):
    """Resolves a name and hands out only public addresses, or any address where `allow_private` was granted by an administrator."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        except UnicodeError as no_name:
            raise Refused(host) from no_name
        results = [_result(host, port, entry) for entry in found]
        if not self._allow_private and any(not is_public(str(result["host"])) for result in results):
            raise Refused(host)
        return results

    async def close(self) -> None:
        """Nothing is held."""


def _result(
    host: str,
    port: int,
    entry: tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]],
) -> ResolveResult:
    family, _, proto, _, address = entry
    return ResolveResult(
        hostname=host, host=str(address[0]), port=port, family=family, proto=proto, flags=socket.AI_NUMERICHOST
    )


class GuardedClient:
    """One client per event loop. `allow_private` is for addresses an administrator typed (a mail server in the house, the simulator)."""

    def __init__(self, *, allow_private: bool = False, timeout_s: float = 20.0) -> None:
        self._allow_private = allow_private
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(allow_private=allow_private), limit=100, ttl_dns_cache=0, use_dns_cache=False
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=timeout_s, connect=timeout_s / 2),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit_bytes: int = 10 * 1024 * 1024,
        follow: bool = True,
    ) -> Answer:
        """Send and read whole. Raises Refused, TooLarge, aiohttp.ClientError or TimeoutError.

        Redirects are followed for GET only, each one checked; the caller's headers, which may hold a token, stay behind when the
        origin changes. Without `follow` the redirect itself is the answer.
        """
        target = self._check(url)
        for _ in range(MAX_REDIRECTS + 1):
            async with self._session.request(
                method, target, headers=headers, data=body, allow_redirects=False
            ) as response:
                if method == "POST":
                    crashing.pass_point("send.on_wire")
                where = response.headers.get("Location", "")
                if follow and method == "GET" and response.status in REDIRECTS and where:
                    onward = self._check(_join(target, where))
                    headers = headers if onward.origin() == target.origin() else None
                    target = onward
                    continue
                content = await _read_at_most(response, limit_bytes)
                lowered = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, lowered, content, str(target))
        raise Refused(str(target.host))

    async def lines(
        self, url: str, *, headers: Mapping[str, str] | None = None, silence_s: float = 60.0, limit_bytes: int = 1 << 20
    ) -> AsyncIterator[bytes]:
        """Lines of an answer that goes on (server-sent events), as they come, until the other side ends it.

        Redirects are not followed. Raises ChannelError, never with an unknown outcome: for an answer that is no 200, a break, a line of more
        than `limit_bytes`, or `silence_s` seconds without a word.
        """
        patience = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=silence_s)
        rest = b""
        try:
            async with self._session.get(
                self._check(url), headers=headers, timeout=patience, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise ChannelError("stream_refused", f"The other side answered {response.status}.")
                async for chunk in response.content.iter_any():
                    *whole, rest = (rest + chunk).split(b"\n")
                    if len(rest) > limit_bytes:
                        raise ChannelError("response_too_large", f"A line of more than {limit_bytes} bytes.")
                    for line in whole:
                        yield line.removesuffix(b"\r")
        except Refused as refused:
            raise ChannelError("address_refused", refused.message, permanent=True) from refused
        except (aiohttp.ClientError, TimeoutError, OSError) as broken:
            raise ChannelError("connection_cut", "The stream was cut.") from broken

    def _check(self, url: str) -> URL:
        """The address as the connector will read it: judging another reading of the same text is how full-width digits got in."""
        target = _parse(url)
        if (
            target.scheme not in {"http", "https"}
            or not target.raw_host
            or target.raw_user is not None
            or target.raw_password is not None
        ):
            raise Refused(url[:80])
        try:
            literal = ipaddress.ip_address(target.raw_host)
        except ValueError:
            if target.raw_host.replace(
                ".", ""
            ).isdigit():  # "127.1" and "2130706433": spellings of an address, never a name
                raise Refused(target.raw_host) from None
            return target
        # aiohttp does not ask the resolver about literal addresses, so they are judged here.
        if not self._allow_private and not is_public(str(literal)):
            raise Refused(target.raw_host)
        return target

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def _parse(url: str) -> URL:
    try:
        return URL(url)
    except ValueError as malformed:
        raise Refused(url[:80]) from malformed


def _join(base: URL, where: str) -> str:
    try:
        return str(base.join(URL(where)))
    except ValueError as malformed:
        raise Refused(where[:80]) from malformed


async def _read_at_most(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    size_bytes = 0
    async for part in response.content.iter_chunked(65536):
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise TooLarge("response_too_large", f"The other side sent more than {limit_bytes} bytes.")
        parts.append(part)
    return b"".join(parts)


@asynccontextmanager
async def guarded_client(*, allow_private: bool = False, timeout_s: float = 20.0) -> AsyncIterator[GuardedClient]:
    """A client for one task."""
    client = GuardedClient(allow_private=allow_private, timeout_s=timeout_s)
    try:
        yield client
    finally:
        await client.close()


async def send_once(client: GuardedClient, method: str, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
    """One request of an outbound message, with the outcome said as the outbox needs it.

    Raises ChannelError: not `outcome_unknown` when the connection was never made, `outcome_unknown` when it broke after the request may
    have been read. Statuses are the caller's to judge.
    """
    try:
        return await client.request(method, url, headers=headers, body=body)
    except Refused as refused:
        raise ChannelError("address_refused", refused.message, permanent=True) from refused
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as never_connected:
        raise ChannelError("unreachable", "The platform could not be reached.") from never_connected
    except (aiohttp.ClientError, TimeoutError, OSError) as broken:
        raise ChannelError("connection_cut", "The connection was cut while sending.", outcome_unknown=True) from broken
