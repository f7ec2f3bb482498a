#!/usr/bin/env python3
"""Arrows between folders point down only.

Reads every #include under the folders of the house and fails on one that runs up or sideways, or
that brings a library to where it does not belong. Each finding names file, line, rule and fix.

    python3 tests/house/arrows.py [ROOT]      exit 0: all point down; 1: some do not
"""

import re
import sys
from pathlib import Path

TOP = ("schema", "net", "dht", "gossip", "services", "simnet")
SOURCES = {".hpp", ".cpp", ".h", ".ipp", ".cc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

SCHEMA = ("schema/base", "schema/libp2p", "schema/kith")
NET = (*SCHEMA, "net/base", "net/crypto", "net/wire", "net/host")
OVERLAY = (*NET, "dht", "gossip")
SERVICES = ("services/*",)  # every service that has no line of its own below

# What a folder may include beside itself. A service without a line here may include the overlay.
BELOW = {
    "schema/base": (),
    "schema/libp2p": ("schema/base",),
    "schema/kith": ("schema/base",),
    "net/base": SCHEMA,
    "net/crypto": (*SCHEMA, "net/base"),
    "net/wire": (*SCHEMA, "net/base", "net/crypto"),
    "net/host": (*SCHEMA, "net/base", "net/crypto", "net/wire"),
    "net/asio": NET,
    "dht": NET,
    "gossip": NET,
    "services/store": (*SCHEMA, "net/base"),
    "services/node": (*OVERLAY, "services/store", *SERVICES),
    "services/bridge": (*OVERLAY, "net/asio", "services/store", "services/node", *SERVICES),
    "services/daemon": (*OVERLAY, "net/asio", "services/store", "services/node", "services/bridge",
                        *SERVICES),
    "simnet": (*OVERLAY, "services/store", "services/node", *SERVICES),
    "simnet/scenario": (*OVERLAY, "services/store", "services/node", "simnet", *SERVICES),
    "simnet/program": (*OVERLAY, "services/store", "services/node", "simnet", "simnet/scenario",
                       *SERVICES),
}
SERVICE_BELOW = OVERLAY

# Libraries that only some folders may see: header, name, where, and what to do elsewhere.
CRYPTO = ("schema/base", "net/base", "net/crypto", "net/wire", "net/host", "net/asio")
EDGES = ("net/asio", "services/bridge", "services/daemon")
CORES = ("schema/base", "schema/libp2p", "schema/kith", "net/wire", "dht", "gossip")
LIBRARIES = (
    (r"boost/(asio|beast)(/|\.hpp)", "Asio and Beast", EDGES, "use Transport or Host (net/host)"),
    (r"rocksdb/", "RocksDB", ("services/store",), "use Store (net/base/store.hpp)"),
    (r"openssl/", "libcrypto", CRYPTO, "use schema/base/sha256.hpp or net/crypto"),
    (r"sodium(\.h|/)", "libsodium", CRYPTO, "use net/crypto"),
    (r"(capnp|kj)/|.*\.capnp\.h", "Cap'n Proto", ("schema/kith",),
     "decode into a plain struct in schema/kith"),
    (r"protozero/", "protozero", ("schema/libp2p",), "use schema/libp2p/proto.hpp"),
    (r"google/protobuf/|.*\.pb\.h", "protoc's code", (), "it is the tests' oracle only"),
    (r"boost/(json|url)(/|\.hpp)", "Boost.JSON and Boost.URL",
     ("services/bridge", "services/daemon", "simnet/program"), "leave JSON to the edges"),
    (r"toml\+\+/|toml\.hpp", "toml++", ("services/daemon", "simnet/scenario"),
     "take a configuration struct"),
    (r"CLI/", "CLI11", ("services/daemon", "simnet/program"), "take a configuration struct"),
    (r"spdlog/", "spdlog", EDGES, "use Log (net/base/log.hpp)"),
    (r"liburing", "liburing", ("services/store", "services/r1fs"), "use Store"),
    (r"g(test|mock)/|benchmark/|rapidcheck", "a test library", (), "move the code to tests/"),
)
# What a pure core has no use for.
IMPURE = re.compile(r"(thread|mutex|shared_mutex|condition_variable|future|fstream|iostream|random|"
                    r"filesystem|sys/socket\.h|sys/time\.h|netdb\.h|pthread\.h|unistd\.h)$")


def folder_of(path):
    """The folder of the house that a path lies in, or None."""
    parts = path.split("/")
    if parts[0] in ("dht", "gossip") or (parts[0] == "simnet" and len(parts) == 2):
        return parts[0]
    return "/".join(parts[:2]) if parts[0] in TOP and len(parts) > 2 else None


def is_service(folder):
    return folder.startswith("services/") and folder not in BELOW


def may_include(source, target):
    if source == target:
        return True
    below = SERVICE_BELOW if is_service(source) else BELOW.get(source)
    if below is None:
        return False
    return target in below or (is_service(target) and "services/*" in below)


def arrow_fault(source, target):
    """Why `source` may not include `target`, and what to do."""
    if source not in BELOW and not is_service(source):
        return (f"{source} is not a folder of the house",
                "give it a line in BELOW of tests/house/arrows.py, after design")
    if {source, target} == {"dht", "gossip"}:
        return ("dht and gossip never include each other",
                "let the attachment in services/node carry it, or move the shape to schema/")
    if source.startswith("services/") and is_service(target):
        return (f"{source} looks into another service",
                "let services/node connect the two, or move the shape to schema/kith")
    return (f"the arrow from {source} to {target} does not point down",
            f"move what is shared below both, or invert it with an interface that {source} owns")


def fault_of(source, header, quoted, root):
    """(why, fix) when a file of the folder `source` may not include `header`, else None."""
    for pattern, name, where, instead in LIBRARIES:
        if re.match(pattern, header):
            if source in where:
                return None
            places = ", ".join(where) if where else "no folder of the house"
            return f"{name} may be included in {places} only", instead
    if not quoted:
        if source in CORES and IMPURE.match(header):
            return (f"<{header}> has no place in {source}, which is pure",
                    "take Now, Rng or an event as an argument; threads and files are for the edges")
        return None
    if ".." in header.split("/") or not (root / header).is_file():
        return ("no such file from the root of the project",
                "write the path from the root, such as \"schema/base/bytes.hpp\"")
    target = folder_of(header)
    if target is None:
        return (f"\"{header}\" is not part of the house", "move what is needed into a folder of it")
    return None if may_include(source, target) else arrow_fault(source, target)


def findings(root):
    for top in TOP:
        for path in sorted((root / top).rglob("*")):
            name = path.relative_to(root).as_posix()
            source = folder_of(name)
            if path.suffix not in SOURCES or not path.is_file():
                continue
            if source is None:
                yield f"{name}:1: outside the folders of the house\n  fix: move it into one"
                continue
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            for number, line in enumerate(lines, 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                fault = fault_of(source, match[2], match[1] == '"', root)
                if fault:
                    yield f"{name}:{number}: {line.strip()}: {fault[0]}\n  fix: {fault[1]}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    if not any((root / top).is_dir() for top in TOP):
        print(f"{root}: none of {', '.join(TOP)} is here", file=sys.stderr)
        return 2
    count = 0
    for finding in findings(root):
        print(finding)
        count += 1
    if count:
        print(f"{count} include{'s' if count > 1 else ''} against the order of the house")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
