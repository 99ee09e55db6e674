"""ServerConfig: every limit of the web server in one frozen value."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field

from pullfocus.errors import UsageError

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How the server binds and what it accepts.

    token: the run's secret; whoever opens the page or calls the API must show it.
    max_upload_mb, max_megapixels: of one photo, checked before it is decoded.
    temp_cap_mb, max_age_s: of everything kept in the temporary folder.
    idle_s: seconds an upload may stand still; transfer_s: seconds it may take in all.
    header_s: seconds that the headers of a request may take.
    max_memory_mb: of the process that decodes and renders; None for most of the machine's.
    max_open_s: seconds that reading a file may take. max_step_s: that any step of a job may take.
    max_waiting: jobs in the queue before the server says that it is busy.
    preview_px: longer side of the picture that the page refocuses on the GPU.
    extra_hosts: names besides the bound one that a browser may call this server by.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    max_upload_mb: float = 200.0
    max_megapixels: float = 200.0
    temp_cap_mb: float = 4000.0
    max_age_s: float = 24 * 3600.0
    idle_s: float = 20.0
    transfer_s: float = 900.0
    header_s: float = 10.0
    max_memory_mb: float | None = None
    max_open_s: float = 60.0
    max_step_s: float = 300.0
    max_waiting: int = 100
    preview_px: int = 1600
    extra_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"A port lies between 0 and 65535, not {self.port}.")
        if len(self.token) < 16:
            raise UsageError("The token must have at least 16 characters; leave it out for one.")
        if not 64 <= self.preview_px <= 4096:
            raise UsageError(f"The preview is 64 to 4096 px long, not {self.preview_px}.")

    @property
    def max_upload_bytes(self) -> int:
        """The upload cap in bytes."""
        return int(self.max_upload_mb * MEGABYTE)

    @property
    def hosts(self) -> frozenset[str]:
        """Names that the Host header may carry, without the port."""
        own = {self.host.strip("[]").lower(), *(name.lower() for name in self.extra_hosts)}
        if is_loopback(self.host):
            own |= {"127.0.0.1", "localhost", "::1"}
        return frozenset(own)


def is_loopback(host: str) -> bool:
    """Say whether an address or name stays on this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
