"""Whether tests have the network: what takes it from them, and how a lack of it shows."""

from __future__ import annotations

import re

OWN_NETWORK = "--unshare-net"
"""The word in bubblewrap's command line that gives programs a network of their own, in which there
is nothing but what they listen on themselves."""

_SIGNS = re.compile(
    r"ConnectionRefused|Connection refused|ECONNREFUSED|Network is unreachable|ENETUNREACH"
    r"|No route to host|EHOSTUNREACH|Temporary failure in name resolution|Name or service not known"
    r"|nodename nor servname|getaddrinfo|gaierror|EAI_AGAIN|ENOTFOUND|could not translate host name"
    r"|Could not resolve host|[Nn]o such host|failed to lookup address|Cannot assign requested addr"
    r"|UnknownHostException|NameResolutionError|[Cc]ould not connect to server",
)


def has_own_network(confine: tuple[str, ...]) -> bool:
    """Return whether programs behind these words are cut off from the user's network."""
    return OWN_NETWORK in confine


def with_network(confine: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that confine programs to the same folders and leave them the network."""
    return tuple(word for word in confine if word != OWN_NETWORK)


def shows_no_network(text: str) -> bool:
    """Return whether a failure looks like that of a program which lacks the network."""
    return _SIGNS.search(text) is not None
