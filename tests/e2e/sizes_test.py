"""Files of the sizes at which chunking turns, and the memory that a large one takes."""
import os
import unittest

from harness import MIB, HomesTest, main, sha256_of, write_content

ADD_PEAK_MIB_MAX = 200
# A home that keeps a file and fetches it at once: both have blocks under way. However large the file.
FETCH_PEAK_MIB_MAX = 320
LARGE = 1024 * MIB + 1


class Sizes(HomesTest):
    def setUp(self):
        super().setUp()
        self.a = self.home("A")
        self.c = self.home("C", bootstrap=[self.a.addr])
        self.connected(self.a, self.c)

    def peaks(self):
        return {home.name: home.peak_mib() for home in (self.a, self.c)}

    def round_trip(self, size):
        path, out = self.path("in"), self.path("out")
        digest = write_content(path, size, size)
        added = self.a.ask("file", "add", "--public", path)
        self.peaks_after_add = self.peaks()
        os.unlink(path)
        self.assertEqual(added["bytes"], size)
        got = self.c.ask("file", "get", "--out", out, added["cid"])
        self.assertEqual(os.path.getsize(out), size)
        self.assertEqual(sha256_of(out), digest)
        self.assertEqual(got["cid"], added["cid"])
        os.unlink(out)
        return added

    def test_sizes_around_a_chunk_round_trip(self):
        for size in (0, 1, MIB - 1, MIB, MIB + 1):
            with self.subTest(size=size):
                added = self.round_trip(size)
                # One chunk is its own root; two have a node above them.
                self.assertEqual(added["blocks"], 1 if size <= MIB else 3)

    def test_a_gibibyte_and_one_byte_round_trips_in_bounded_memory(self):
        added = self.round_trip(LARGE)
        # 1,025 leaves are one more than a node holds: two nodes, and a root above them.
        self.assertEqual(added["blocks"], 1025 + 3)
        for when, peaks, most in (("add", self.peaks_after_add, ADD_PEAK_MIB_MAX),
                                  ("fetch", self.peaks(), FETCH_PEAK_MIB_MAX)):
            self.note(f"after the {when}: " + ", ".join(
                f"{name} {peak:.0f} MiB at most" for name, peak in peaks.items()))
            for name, peak in peaks.items():
                self.assertLess(peak, most, f"{name}, {when}")
        self.assertEqual(self.c.status()["blocks"]["duplicates_in"], 0)


if __name__ == "__main__":
    main()
