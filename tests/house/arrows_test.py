#!/usr/bin/env python3
"""arrows.py finds what is planted in a small house, and nothing in an orderly one."""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import arrows

HOUSE = ("schema/base/bytes.hpp", "schema/libp2p/proto.hpp", "schema/kith/offer.hpp",
         "net/base/time.hpp", "net/crypto/key.hpp", "net/wire/noise.hpp", "net/host/host.hpp",
         "net/asio/loop.hpp", "dht/dht.hpp", "gossip/router.hpp", "services/store/rocks.hpp",
         "services/r1fs/files.hpp", "services/poa/heart.hpp", "services/node/node.hpp",
         "services/bridge/http.hpp", "services/daemon/config.hpp", "simnet/world.hpp",
         "tests/support/clock.hpp")


def check(file, *lines):
    """Exit code and output of arrows.py over the house with `lines` in `file`."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in HOUSE:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("#pragma once\n#include <vector>\n")
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("\n".join(lines) + "\n")
        told = io.StringIO()
        arguments = mock.patch.object(sys, "argv", ["arrows.py", folder])
        with arguments, contextlib.redirect_stdout(told):
            return arrows.main(), told.getvalue()


class Arrows(unittest.TestCase):
    def refused(self, file, include, why):
        code, text = check(file, "// a comment", f"#include {include}")
        self.assertEqual(code, 1, f"{file} may include {include}")
        self.assertIn(f"{file}:2: ", text)
        self.assertIn(why, text)
        self.assertIn("fix: ", text)

    def accepted(self, file, include):
        code, text = check(file, f"#include {include}")
        self.assertEqual((code, text), (0, ""))

    def test_an_orderly_house_passes(self):
        for file, include in (
                ("schema/libp2p/a.cpp", '"schema/base/bytes.hpp"'),
                ("net/base/a.hpp", '"schema/kith/offer.hpp"'),
                ("net/wire/a.cpp", '"net/crypto/key.hpp"'),
                ("net/asio/a.cpp", '"net/host/host.hpp"'),
                ("net/asio/a.cpp", "<boost/asio/ip/tcp.hpp>"),
                ("dht/a.cpp", '"net/host/host.hpp"'),
                ("gossip/a.cpp", '"gossip/router.hpp"'),
                ("services/r1fs/a.cpp", '"gossip/router.hpp"'),
                ("services/r1fs/deep/a.cpp", '"services/r1fs/files.hpp"'),
                ("services/store/a.cpp", "<rocksdb/db.h>"),
                ("services/node/a.cpp", '"services/r1fs/files.hpp"'),
                ("services/node/a.cpp", '"services/poa/heart.hpp"'),
                ("services/bridge/a.cpp", '"services/node/node.hpp"'),
                ("services/bridge/a.cpp", "<boost/beast.hpp>"),
                ("services/daemon/a.cpp", '"services/bridge/http.hpp"'),
                ("simnet/a.cpp", '"services/node/node.hpp"'),
                ("schema/base/a.cpp", "<openssl/evp.h>"),
                ("net/crypto/a.cpp", "<sodium.h>"),
                ("services/node/a.cpp", "<thread>")):
            with self.subTest(file=file, include=include):
                self.accepted(file, include)

    def test_an_arrow_that_runs_up_is_found(self):
        for file, include in (
                ("schema/base/a.hpp", '"schema/libp2p/proto.hpp"'),
                ("schema/kith/a.hpp", '"schema/libp2p/proto.hpp"'),
                ("schema/base/a.hpp", '"net/base/time.hpp"'),
                ("net/base/a.hpp", '"net/crypto/key.hpp"'),
                ("net/wire/a.cpp", '"net/host/host.hpp"'),
                ("net/host/a.cpp", '"net/asio/loop.hpp"'),
                ("net/host/a.cpp", '"dht/dht.hpp"'),
                ("dht/a.cpp", '"net/asio/loop.hpp"'),
                ("dht/a.cpp", '"services/r1fs/files.hpp"'),
                ("services/store/a.cpp", '"net/host/host.hpp"'),
                ("services/r1fs/a.cpp", '"services/node/node.hpp"'),
                ("services/node/a.cpp", '"services/bridge/http.hpp"'),
                ("services/node/a.cpp", '"net/asio/loop.hpp"'),
                ("services/node/a.cpp", '"simnet/world.hpp"'),
                ("services/daemon/a.cpp", '"simnet/world.hpp"'),
                ("simnet/a.cpp", '"services/bridge/http.hpp"'),
                ("simnet/a.cpp", '"net/asio/loop.hpp"')):
            with self.subTest(file=file, include=include):
                self.refused(file, include, "does not point down")

    def test_an_arrow_that_runs_sideways_is_found(self):
        self.refused("dht/a.cpp", '"gossip/router.hpp"', "never include each other")
        self.refused("gossip/a.cpp", '"dht/dht.hpp"', "never include each other")
        self.refused("services/r1fs/a.cpp", '"services/poa/heart.hpp"', "another service")
        self.refused("services/store/a.cpp", '"services/r1fs/files.hpp"', "another service")
        self.refused("services/poa/a.cpp", '"services/store/rocks.hpp"', "does not point down")

    def test_a_library_out_of_place_is_found(self):
        self.refused("dht/a.cpp", "<boost/asio.hpp>", "Asio and Beast")
        self.refused("services/node/a.cpp", "<boost/beast/core.hpp>", "Asio and Beast")
        self.refused("services/r1fs/a.cpp", "<rocksdb/db.h>", "RocksDB")
        self.refused("gossip/a.cpp", "<openssl/evp.h>", "libcrypto")
        self.refused("services/r1fs/a.cpp", "<sodium.h>", "libsodium")
        self.refused("gossip/a.cpp", "<protozero/varint.hpp>", "protozero")
        self.refused("services/r1fs/a.cpp", '"offer.capnp.h"', "Cap'n Proto")
        self.refused("schema/libp2p/a.cpp", '"libp2p_oracle/keys.pb.h"', "protoc")
        self.refused("gossip/a.cpp", "<gtest/gtest.h>", "a test library")

    def test_a_core_is_pure(self):
        self.refused("gossip/a.cpp", "<thread>", "pure")
        self.refused("dht/a.cpp", "<random>", "pure")
        self.refused("net/wire/a.cpp", "<sys/socket.h>", "pure")

    def test_strangers_and_relative_paths_are_found(self):
        self.refused("gossip/a.cpp", '"router.hpp"', "from the root")
        self.refused("gossip/a.cpp", '"../dht/dht.hpp"', "from the root")
        self.refused("gossip/a.cpp", '"net/base/../../dht/dht.hpp"', "from the root")
        self.refused("gossip/a.cpp", '"tests/support/clock.hpp"', "not part of the house")
        self.refused("net/quic/a.cpp", '"schema/base/bytes.hpp"', "not a folder of the house")
        self.refused("gossip/a.cpp", '  "dht/dht.hpp"  // indented', "never include each other")

    def test_every_finding_is_told(self):
        code, text = check("dht/a.cpp", '#  include "gossip/router.hpp"', "",
                           '#include <boost/asio.hpp>')
        self.assertEqual(code, 1)
        self.assertIn("dht/a.cpp:1: ", text)
        self.assertIn("dht/a.cpp:3: ", text)
        self.assertIn("2 includes", text)


if __name__ == "__main__":
    unittest.main()
