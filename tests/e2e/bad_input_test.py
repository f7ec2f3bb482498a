"""What a user can get wrong: each gets a clear error with its exit code, and nothing is lost."""
import base64
import json
import os
import socket
import stat
import subprocess
import time
import unittest

from harness import (MIB, HomesTest, clean_environment, main, run_kith, sha256_of, wait_until,
                     write_content)

NOBODY_HAS = "bafkreiffsgtnic7uebaeuaixgph3pmmq2ywglpylzwrswv5so7m23hyuny"  # of a text nobody added


class BadInput(HomesTest):
    def fails(self, done, code, *texts):
        self.assertEqual(done.code, code, str(done))
        for text in texts:
            self.assertIn(text, done.err, str(done))

    def a_file(self, size=3 * MIB, seed=1):
        path = self.path(f"in-{seed}")
        return path, write_content(path, size, seed)

    # Starting

    def test_a_port_in_use_names_its_holder(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = run_kith("--home", self.path("A"), "run", "--listen",
                            f"/ip4/127.0.0.1/tcp/{port}")
        self.fails(done, 1, str(port), f"process {os.getpid()} ", "another port")

    def test_a_second_daemon_on_one_home_names_the_first(self):
        a = self.home("A")
        self.fails(a.kith("run", "--listen", "/ip4/127.0.0.1/tcp/0"), 1, a.folder,
                   f"process {a.process.pid} ", "kith down")
        self.assertEqual(a.status()["id"], a.id)

    def test_a_key_file_open_to_others_is_refused(self):
        a = self.home("A")
        a.terminate()
        key = os.path.join(a.folder, "identity.key")
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        before = sha256_of(key)
        os.chmod(key, 0o644)
        self.fails(a.kith("run"), 1, key, "644", "chmod 600")
        self.assertEqual(sha256_of(key), before)
        os.chmod(key, 0o600)
        identity = a.id
        self.assertEqual(a.start().id, identity)

    def test_a_short_key_file_is_refused_and_kept(self):
        home = self.path("A")
        os.mkdir(home, 0o700)
        key = os.path.join(home, "identity.key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(b"0123456789")
        self.fails(run_kith("--home", home, "run"), 1, key, "10")
        with open(key, "rb") as file:
            self.assertEqual(file.read(), b"0123456789")

    def test_an_unknown_key_is_placed_and_the_nearest_named(self):
        home = self.path("A")
        os.mkdir(home, 0o700)
        config = os.path.join(home, "config.toml")
        with open(config, "w", encoding="ascii") as file:
            file.write('[store]\nquota = "1GiB"\n\n  quotta = "2GiB"\n')
        for command in ("run", "up"):
            self.fails(run_kith("--home", home, command), 1, f"{config}:4:3", "quotta",
                       "store.quota")

    def test_commands_without_a_daemon_say_how_to_start_one(self):
        home = self.path("A")
        for words in (["status"], ["id"], ["peer", "ls"], ["file", "ls"], ["topic", "ls"],
                      ["file", "add", "--public", __file__], ["file", "get", NOBODY_HAS],
                      ["dht", "providers", NOBODY_HAS], ["down"]):
            self.fails(run_kith("--home", home, *words), 3, "not running", "up")
        self.assertFalse(os.path.exists(home))

    # Usage

    def test_usage_errors_end_with_2_and_name_the_nearest(self):
        a = self.home("A")
        for words, texts in (
                (["file", "get", "bafynot-a-cid"], []),
                (["file", "stat", "Qm"], []),
                (["dht", "providers", "zzz"], []),
                (["peer", "connect", "/ip4/127.0.0.1/tpc/4700"], ["tpc"]),
                (["peer", "connect", "/ip4/300.0.0.1/tcp/4700"], []),
                (["run", "--listen", "/ip4/127.0.0.1/tcp/70000"], []),
                (["file", "add", __file__], ["--public", "--local", "anyone"]),
                (["file", "add", "--public", "--local", __file__], []),
                (["file", "add", "--local", "--spread", "1", __file__], ["--spread"]),
                (["stats"], ["stats", "status"]),
                (["file", "lst"], ["lst", "ls"]),
                (["status", "--jsn"], ["--jsn", "--json"])):
            self.fails(a.kith(*words), 2, *texts)
        self.assertEqual(a.ask("file", "ls")["files"], [])

    # Files

    def test_a_cid_that_nobody_has_shows_phases_and_ends_with_5(self):
        b = self.home("B")
        a = self.home("A", bootstrap=[b.addr])
        self.connected(a)
        out = self.path("out")
        start = time.monotonic()
        done = a.kith("--timeout", "5", "file", "get", "--out", out, NOBODY_HAS)
        took = time.monotonic() - start
        self.fails(done, 5, "looking")
        self.assertLess(took, 15)
        self.assertEqual([n for n in os.listdir(self.folder) if n.startswith((".", "out"))], [])

    def test_local_only_asks_nobody(self):
        b = self.home("B", env={"KITH_KEEP__ENABLED": "false"})
        a = self.home("A", bootstrap=[b.addr])
        self.connected(a)
        path, _ = self.a_file()
        cid = a.ask("file", "add", "--public", path)["cid"]
        out = self.path("out")
        self.fails(b.kith("file", "get", "--local-only", "--out", out, cid), 4)
        self.fails(b.kith("file", "stat", cid), 4)
        self.assertFalse(os.path.exists(out))
        self.assertEqual(b.status()["blocks"]["in"], 0)

    def test_an_output_that_exists_is_left_alone(self):
        a = self.home("A")
        path, digest = self.a_file()
        cid = a.ask("file", "add", "--local", path)["cid"]
        out = self.path("out")
        with open(out, "wb") as file:
            file.write(b"precious")
        self.fails(a.kith("file", "get", "--out", out, cid), 1, out, "--overwrite")
        with open(out, "rb") as file:
            self.assertEqual(file.read(), b"precious")
        a.ask("file", "get", "--overwrite", "--out", out, cid)
        self.assertEqual(sha256_of(out), digest)

    def test_what_cannot_be_read_is_not_added(self):
        a = self.home("A")
        self.fails(a.kith("file", "add", "--local", self.path("nothing")), 1, self.path("nothing"))
        self.fails(a.kith("file", "add", "--local", self.folder), 1, self.folder)
        self.assertEqual(a.ask("file", "ls")["files"], [])

    def test_a_removed_file_is_gone_and_its_room_is_free(self):
        a = self.home("A")
        path, _ = self.a_file()
        cid = a.ask("file", "add", "--local", path)["cid"]
        own = a.status()["storage"]["own_bytes"]
        self.assertEqual(a.ask("file", "rm", cid)["bytes_freed"], own)
        self.assertEqual(a.status()["storage"]["own_bytes"], 0)
        self.fails(a.kith("file", "get", "--local-only", "--out", self.path("out"), cid), 4)
        self.fails(a.kith("file", "rm", cid), 4)

    def test_who_opted_out_keeps_nothing(self):
        b = self.home("B", env={"KITH_KEEP__ENABLED": "false"})
        a = self.home("A", bootstrap=[b.addr])
        c = self.home("C", bootstrap=[b.addr])
        self.connected(a, c)
        path, _ = self.a_file()
        added = a.ask("file", "add", "--public", "--spread", "1", path)
        self.assertEqual(added["keepers"], [c.id])
        self.assertEqual(b.status()["storage"]["kept_bytes"], 0)
        self.assertEqual(b.status()["blocks"]["in"], 0)

    # Messages, and the daemon's life

    def test_a_message_reaches_another_home(self):
        b = self.home("B")
        a = self.home("A", bootstrap=[b.addr])
        self.connected(a)
        listener = b.spawn("--json", "--timeout", "60", "topic", "sub", "--count", "1", "news")
        try:
            def heard():
                done = a.kith("topic", "pub", "news", "hello \u00e9")
                self.assertEqual(done.code, 0, str(done))
                return listener.poll() is not None
            wait_until("B hears A", heard, 30, 0.2)
            out, _ = listener.communicate(timeout=10)
        finally:
            if listener.poll() is None:
                listener.kill()
                listener.communicate()
        message = json.loads(out)
        self.assertEqual((message["from"], message["topic"]), (a.id, "news"))
        self.assertEqual(base64.b64decode(message["data"] + "==").decode(), "hello \u00e9")
        self.assertEqual(listener.returncode, 0)

    def test_sigterm_ends_with_0_within_5_seconds(self):
        b = self.home("B")
        a = self.home("A", bootstrap=[b.addr])
        self.connected(a)
        path, digest = self.a_file()
        cid = a.ask("file", "add", "--public", path)["cid"]
        code, seconds = a.terminate()
        self.assertEqual(code, 0)
        self.assertLess(seconds, 5)
        a.start()
        a.ask("file", "get", "--local-only", "--out", self.path("out"), cid)
        self.assertEqual(sha256_of(self.path("out")), digest)

    def test_up_status_down(self):
        home = self.path("A")
        up = run_kith("--home", home, "up", "--listen", "/ip4/127.0.0.1/tcp/0")
        try:
            self.assertEqual(up.code, 0, str(up))
            again = run_kith("--home", home, "up")
            self.assertEqual(again.code, 0, str(again))
            self.assertIn("already", again.err)
            status = run_kith("--home", home, "status")
            self.assertEqual(status.code, 0, str(status))
            self.assertLessEqual(len(status.out.splitlines()), 24)
            for text in ("kith ", "peers", "storage", "/ip4/127.0.0.1/tcp/"):
                self.assertIn(text, status.out)
        finally:
            down = run_kith("--home", home, "down")
        self.assertEqual(down.code, 0, str(down))
        self.fails(run_kith("--home", home, "status"), 3)
        self.assertEqual(run_kith("--home", home, "down").code, 3)


class FullDisk(HomesTest):
    """Homes on file systems of 1 and 64 MiB."""

    def tmpfs(self, name, size_mib):
        folder = self.path(name)
        os.mkdir(folder, 0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=700", "kith",
                               folder], capture_output=True, env=clean_environment(), check=False)
        if done.returncode != 0:
            self.skipTest(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
        # After the daemons have ended: clean-ups run from the last to the first.
        self.mounts.append(folder)
        return folder

    def setUp(self):
        self.mounts = []
        super().setUp()

    def _clean(self):
        for home in self.homes:
            if home.process is not None:
                home.process.kill()
                home._gone(10)
        for folder in self.mounts:
            subprocess.run(["umount", "-l", folder], check=False)
        super()._clean()

    def test_a_home_of_1_mib_is_refused_clearly_or_stores_nothing(self):
        folder = self.tmpfs("A", 1)
        a = self.home("A", start=False)
        self.assertEqual(a.folder, folder)
        try:
            a.start(env={"KITH_STORE__FREE_FLOOR": "0"})
        except AssertionError:
            self.assertRegex(a.stderr().lower(), "disk|space")
            self.assertNotIn("terminate called", a.stderr())
            return
        path = self.path("in")
        write_content(path, 4 * MIB, 1)
        done = a.kith("file", "add", "--local", path)
        self.assertEqual(done.code, 1, str(done))
        self.assertRegex(done.err.lower(), "disk|space")
        self.assertEqual(a.ask("file", "ls")["files"], [])
        self.assertEqual(a.terminate()[0], 0)

    def test_a_full_disk_stops_an_add_and_nothing_else(self):
        for floor in ("1MiB", "0"):
            with self.subTest(floor=floor):
                self.fill("floor-" + floor, {"KITH_STORE__FREE_FLOOR": floor})

    def fill(self, name, env):
        folder = self.tmpfs(name, 64)
        a = self.home(name, env=env)
        self.assertEqual(a.folder, folder)
        files = {}
        done = None
        for seed in range(2, 14):
            path = self.path(f"{name}-{seed}")
            digest = write_content(path, 8 * MIB, seed)
            done = a.kith("--json", "file", "add", "--local", path, seconds=60)
            if done.code != 0:
                break
            files[done.json["cid"]] = digest
        self.assertGreater(len(files), 0, str(done))
        self.assertEqual(done.code, 1, str(done))
        self.assertRegex(done.err.lower(), "disk|space")
        self.assertTrue(a.alive())
        self.all_there(a, files)
        # Also with a file greater than the whole disk, and after a restart.
        path = self.path(name + "-large")
        write_content(path, 80 * MIB, 99)
        done = a.kith("file", "add", "--local", path, seconds=60)
        self.assertEqual(done.code, 1, str(done))
        self.all_there(a, files)
        a.terminate()
        a.start(env=env)
        self.all_there(a, files)
        self.note(f"{len(files)} files of 8 MiB on 64 MiB: {done.err.strip().splitlines()[0]}")

    def all_there(self, home, files):
        out = self.path("out")
        self.assertEqual({f["cid"] for f in home.ask("file", "ls")["files"]}, set(files))
        for cid, digest in files.items():
            home.ask("file", "get", "--local-only", "--overwrite", "--out", out, cid)
            self.assertEqual(sha256_of(out), digest)
            os.unlink(out)

    def test_an_output_that_does_not_fit_leaves_nothing_behind(self):
        full = self.tmpfs("out", 4)
        a = self.home("A")
        path = self.path("in")
        digest = write_content(path, 16 * MIB, 5)
        cid = a.ask("file", "add", "--local", path)["cid"]
        done = a.kith("file", "get", "--out", os.path.join(full, "file"), cid)
        self.assertEqual(done.code, 1, str(done))
        self.assertRegex(done.err.lower(), "disk|space")
        self.assertEqual(os.listdir(full), [])
        out = self.path("elsewhere")
        a.ask("file", "get", "--out", out, cid)
        self.assertEqual(sha256_of(out), digest)


if __name__ == "__main__":
    main()
