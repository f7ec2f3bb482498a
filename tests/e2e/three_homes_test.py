"""Three homes share files: A and C know only B."""
import os
import unittest

from harness import MIB, HomesTest, folder_bytes, main, sha256_of, wait_until, write_content

NOT_KEEPING = {"KITH_KEEP__ENABLED": "false"}


class ThreeHomes(HomesTest):
    def three(self, env_of_c=None):
        b = self.home("B")
        a = self.home("A", bootstrap=[b.addr])
        c = self.home("C", bootstrap=[b.addr], env=env_of_c)
        self.connected(a, c)
        return a, b, c

    def add(self, home, size, seed, *flags):
        path = self.path(f"file-{seed}")
        digest = write_content(path, size, seed)
        return home.ask("file", "add", *flags, path)["cid"], digest

    def get(self, home, cid, *flags):
        out = self.path(f"{home.name}-{cid}")
        answer = home.ask("file", "get", *flags, "--out", out, cid)
        digest = sha256_of(out)
        os.unlink(out)
        return digest, answer

    def all_held(self, home, cid):
        stat = home.ask("file", "stat", cid)
        return stat["blocks"] > 0 and stat["blocks_held"] == stat["blocks"]

    def test_each_home_downloads_each_block_once(self):
        a, b, c = self.three()
        cid, digest = self.add(a, 256 * MIB, 1, "--public")
        self.assertEqual(self.get(c, cid)[0], digest)
        wait_until("B keeps all of it", lambda: b.kith("file", "stat", cid).code == 0 and
                   self.all_held(b, cid), 120, 0.5)
        block_bytes = a.status()["storage"]["own_bytes"]
        # 256 leaves and one node with 256 links of some 50 bytes.
        self.assertGreater(block_bytes, 256 * MIB)
        self.assertLess(block_bytes, 256 * MIB + 32 * 1024)
        counts = {home.name: home.status()["blocks"] for home in (a, b, c)}
        self.note(f"block bytes {block_bytes}; " + "; ".join(
            f"{name} in {n['in_bytes']} out {n['out_bytes']} twice {n['duplicates_in']}"
            for name, n in counts.items()))
        self.assertEqual(counts["A"]["in_bytes"], 0)
        for name in "BC":
            self.assertEqual(counts[name]["in_bytes"], block_bytes, name)
            self.assertEqual(counts[name]["duplicates_in"], 0, name)
            self.assertEqual(counts[name]["rubbish_in"], 0, name)
        # Nothing was sent that did not count as received.
        self.assertEqual(sum(n["out_bytes"] for n in counts.values()), 2 * block_bytes)

    def test_a_spread_file_outlives_its_first_home(self):
        a, b, c = self.three(env_of_c=NOT_KEEPING)
        path = self.path("second")
        digest = write_content(path, 64 * MIB, 2)
        added = a.ask("file", "add", "--public", "--spread", "1", path)
        self.assertEqual(added["keepers"], [b.id])
        block_bytes = a.status()["storage"]["own_bytes"]
        a.kill()
        got, answer = self.get(c, added["cid"])
        self.assertEqual(got, digest)
        self.assertEqual(answer["bytes_fetched"], block_bytes)
        blocks = c.status()["blocks"]
        self.assertEqual((blocks["in_bytes"], blocks["duplicates_in"]), (block_bytes, 0))
        self.assertEqual(b.status()["blocks"]["out_bytes"], block_bytes)

    def test_acknowledged_files_survive_a_kill_while_adding(self):
        b = self.home("B")
        files = {}
        for seed, size, flag in ((10, 0, "--public"), (11, 3 * MIB + 5, "--local"),
                                 (12, 20 * MIB, "--public"), (13, 7, "--public")):
            cid, digest = self.add(b, size, seed, flag)
            files[cid] = digest
        own = b.status()["storage"]["own_bytes"]
        store = os.path.join(b.folder, "store")
        before = folder_bytes(store)
        path = self.path("never-acknowledged")
        write_content(path, 768 * MIB, 14)
        adding = b.spawn("file", "add", "--public", path)
        wait_until("B writes", lambda: folder_bytes(store) > before + 48 * MIB, 60, 0.01)
        b.kill()
        code = adding.wait(30)
        adding.communicate()
        self.assertNotEqual(code, 0, "the add ended before the kill")
        b.start()
        for cid, digest in files.items():
            self.assertTrue(self.all_held(b, cid))
            self.assertEqual(self.get(b, cid, "--local-only")[0], digest)
        self.assertEqual({f["cid"] for f in b.ask("file", "ls")["files"]}, set(files))
        self.assertEqual(b.status()["storage"]["own_bytes"], own, "a leftover is counted")
        # The same file can be added after all.
        cid = b.ask("file", "add", "--local", path)["cid"]
        self.assertEqual(self.get(b, cid, "--local-only")[0], sha256_of(path))

    def test_acknowledged_blocks_survive_a_kill_while_keeping(self):
        b = self.home("B")
        a = self.home("A", bootstrap=[b.addr])
        self.connected(a)
        first, digest = self.add(a, 16 * MIB, 20, "--public", "--spread", "1")
        kept = b.status()["storage"]["kept_bytes"]
        self.assertGreaterEqual(kept, 16 * MIB)
        path = self.path("second")
        second_digest = write_content(path, 256 * MIB, 21)
        second = a.ask("file", "add", "--public", path)["cid"]
        wait_until("B keeps more", lambda: b.status()["storage"]["kept_bytes"] > kept + 24 * MIB,
                   60, 0.01)
        b.kill()
        b.start()
        # Of the second, B acknowledged nothing yet; of the first, all.
        self.assertGreaterEqual(b.status()["storage"]["kept_bytes"], kept)
        self.assertTrue(self.all_held(b, first))
        self.assertEqual(self.get(b, first, "--local-only")[0], digest)
        # And it comes to hold the rest: A goes on where it was.
        self.connected(b)
        a.ask("file", "add", "--public", "--spread", "1", path, seconds=150)
        self.assertTrue(self.all_held(b, second))
        self.assertEqual(self.get(b, second, "--local-only")[0], second_digest)


if __name__ == "__main__":
    main()
