"""Denies the network, loopback and local sockets excepted, to every Python process of a test run.

Python imports `sitecustomize` by itself at start; the conftest puts this folder first on PYTHONPATH, so that child
processes are denied too, and loads this file into its own process. An attempt raises NetworkDenied, and is noted in the
file named by ATELIER_NETWORK_ATTEMPTS, so that it fails the test even where the program swallows the error.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

NOTE = "ATELIER_NETWORK_ATTEMPTS"
_LOCAL_NAMES = {"", "localhost", "0.0.0.0", "::", "::1", "ip6-localhost"}


class NetworkDenied(OSError):
    """Something tried to reach another machine while the tests run."""


def _local(host: object) -> bool:
    if host is None:
        return True
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    return name in _LOCAL_NAMES or name.startswith(("127.", "::ffff:127."))


def _refuse(what: str) -> NetworkDenied:
    path = os.environ.get(NOTE)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{what} (process {os.getpid()}: {' '.join(sys.argv[:2])})\n")
    return NetworkDenied(f"the tests run without a network, and this tried to reach {what}")


class _DeniedSocket(socket.socket):
    """A socket that reaches this machine and no other."""

    def _check(self, address: Any) -> None:
        reaches_out = self.family in {socket.AF_INET, socket.AF_INET6}
        if reaches_out and isinstance(address, tuple) and not _local(address[0]):
            raise _refuse(f"{address[0]}:{address[1]}")

    def connect(self, address: Any, /) -> None:
        """Connect within this machine; raises NetworkDenied for any other address."""
        self._check(address)
        super().connect(address)

    def connect_ex(self, address: Any, /) -> int:
        """As connect, with an error number for what the system refuses."""
        self._check(address)
        return super().connect_ex(address)

    def sendto(self, data: Any, *arguments: Any) -> int:
        """Send a datagram within this machine."""
        self._check(arguments[-1])
        return super().sendto(data, *arguments)


def deny() -> None:
    """Replace what programs use to reach out, once per process."""
    if socket.socket is _DeniedSocket:
        return
    real_getaddrinfo = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        if not _local(host):
            raise _refuse(str(host))
        return real_getaddrinfo(host, *arguments, **named)

    socket.getaddrinfo = getaddrinfo
    socket.socket = _DeniedSocket  # type: ignore[misc]  # replacing the class is the purpose


deny()
