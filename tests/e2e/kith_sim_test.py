"""kith-sim as people use it: one command, its exit code, what it says, and what it leaves behind."""
import csv
import html.parser
import json
import os
import signal
import subprocess
import unittest

import harness
from harness import clean_environment

PROGRAM = os.path.abspath(os.environ.get("KITH_SIM_BIN") or
                          os.path.join(os.path.dirname(harness.PROGRAM), "kith-sim"))
SMALL = """
name = "small"
about = "Twelve homes talk & <listen>."
nodes = 12
until = "32s"
settle = "8s"

[link]
latency = "20ms"
jitter = "5ms"

[node]
topics = ["news"]
beats = false

[topology]
join = "2s"

[[work]]
do = "publish"
at = "18s"
until = "22s"
every = "1s"
"""
FAILS = SMALL + """
[[fault]]
kind = "kill"
count = 2
at = "9s"
down = "1s"

[[fault]]
kind = "kill"
count = 1
at = "11s"
down = "1s"

[[group]]
name = "far"
count = 3

[[expect]]
metric = "gossip.published"
min = 1000.0
"""
LATER = SMALL + """
[[fault]]
kind = "kill"
count = 1
at = "13500ms"
down = "1s"
"""


class Page(html.parser.HTMLParser):
    """Notes what is left open, and what a browser would fetch or run."""

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag in ("script", "link", "img", "iframe") or any(
                name in ("src", "href") for name, _ in attrs):
            self.faults.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append("/" + tag)

    def handle_data(self, data):
        self.text += data


class KithSim(harness.HomesTest):
    def sim(self, *words, code=0, seconds=60, **more):
        words = [str(word) for word in words]
        done = subprocess.run([PROGRAM, *words], env=clean_environment(), cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=more.pop("stdout", subprocess.PIPE),
                              stderr=subprocess.PIPE, timeout=seconds, check=False, **more)
        ended = harness.Ended(["(sim)", *words], done.returncode,
                              (done.stdout or b"").decode(), done.stderr.decode())
        self.assertEqual(ended.code, code, str(ended))
        return ended

    def fails(self, done, *texts):
        for text in texts:
            self.assertIn(text, done.err, str(done))
        self.assertTrue(done.err.startswith("error[KITH-"), str(done))

    def file(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        return name

    # run

    def test_a_run_opens_with_its_sentence_and_leaves_its_files(self):
        self.file("small.toml", SMALL)
        done = self.sim("run", "small.toml", "--out", "o", "--quiet")
        self.assertEqual(done.err, "")
        self.assertRegex(done.out.splitlines()[0], r"^12 homes found each other; each of \d+ "
                         r"messages reached all 11 others, half of them within [\d.]+ ms over \d ")
        self.assertRegex(done.out, r"\nall \d+ checks passed; 32 s simulated")
        with open(self.path("o/manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        for key in ("commit", "version", "started", "scenario_sha256"):
            self.assertTrue(manifest[key], key)
        self.assertEqual(manifest["command"], "kith-sim run small.toml")
        self.assertIn(manifest["summary"]["hash"], done.out)
        with open(self.path("o/metrics.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        self.assertEqual(rows[0], ["second", "metric", "value"])
        self.assertEqual({len(row) for row in rows}, {3})
        self.assertIn(["", "gossip.delivery", "1"], rows)
        self.assertEqual(len([row for row in rows if row[1] == "up"]), 32)
        with open(self.path("o/hashes.csv"), encoding="utf-8") as file:
            self.assertGreater(len(file.readlines()), 10)
        page = Page()
        with open(self.path("o/report.html"), encoding="utf-8") as file:
            page.feed(file.read())
        self.assertEqual((page.open, page.faults), ([], []))
        self.assertIn("Twelve homes talk & <listen>.", page.text)
        # The same again, from the folder; then with another program's hash.
        self.assertIn("the same run", self.sim("replay", "o", "--quiet").out)
        ran_hash = manifest["summary"]["hash"]
        manifest["summary"]["hash"] = "0" * 16
        self.file("o/manifest.json", json.dumps(manifest))
        self.assertIn("another run", self.sim("replay", "o", "--quiet", code=10).out)
        # A seed edited by hand does not mislead; another change of the scenario is named.
        manifest["summary"]["hash"] = ran_hash
        self.file("o/manifest.json", json.dumps(manifest))
        with open(self.path("o/scenario.toml"), encoding="utf-8") as file:
            ran = file.read()
        self.assertIn("\nseed = 1\n", ran)
        self.file("o/scenario.toml", ran.replace("\nseed = 1\n", "\nseed = 9\n"))
        self.assertIn("the same run", self.sim("replay", "o", "--quiet").out)
        self.file("o/scenario.toml", ran.replace("nodes = 12", "nodes = 11"))
        self.assertIn("it was changed since", self.sim("replay", "o", "--quiet", code=10).out)
        # The report anew; the folder itself is not overwritten unless told.
        os.unlink(self.path("o/report.html"))
        self.sim("report", "o")
        self.assertTrue(os.path.exists(self.path("o/report.html")))
        self.fails(self.sim("run", "small.toml", "--out", "o", code=1), "already holds a run",
                   "--overwrite")
        self.sim("run", "small.toml", "--out", "o", "--overwrite", "--quiet", "--seed", "2")
        self.sim("run", "small.toml", "--out", "p", "--quiet", "--set", "link.latency=60ms")
        diff = self.sim("diff", "o", "p").out
        self.assertRegex(diff, r"(?m)^gossip\.latency_ms_p50 .* \+\d+\.\d %$")
        self.assertIn("they first differ in second 0", diff)
        self.assertIn("the same run", self.sim("diff", "p", "p").out)

    def test_json_is_one_line_and_a_failed_check_ends_with_10(self):
        self.file("small.toml", SMALL)
        self.file("fails.toml", FAILS)
        good = self.sim("run", "small.toml", "--json", "--quiet")
        self.assertEqual(len(good.out.splitlines()), 1)
        self.assertEqual((good.json["schema"], good.json["ok"], good.json["failed"]), (1, True, []))
        for key in ("name", "seed", "hash", "nodes", "simulated_s", "wall_s", "cpu_s", "events",
                    "events_per_cpu_s", "rss_mib", "metrics"):
            self.assertIn(key, good.json)
        again = self.sim("run", "small.toml", "--json", "--quiet")
        self.assertEqual(good.json["hash"], again.json["hash"])
        other = self.sim("run", "small.toml", "--json", "--quiet", "--seed", "2")
        self.assertNotEqual(good.json["hash"], other.json["hash"])
        bad = self.sim("run", "fails.toml", "--json", "--quiet", code=10)
        self.assertEqual([f["what"] for f in bad.json["failed"]],
                         ["expect gossip.published >= 1000"])
        text = self.sim("run", "fails.toml", "--seed", "3", "--quiet", code=10).out
        self.assertIn("FAILED  expect gossip.published >= 1000: found ", text)
        self.assertIn("repeat it: kith-sim run fails.toml --seed 3\n", text)

    def test_shipped_scenarios_run_anywhere_by_name(self):
        names = [line.split()[0] for line in self.sim("scenario", "ls").out.splitlines()]
        self.assertIn("hello", names)
        self.assertIn('name = "hello"', self.sim("scenario", "show", "hello").out)
        done = self.sim("run", "hello", "--nodes", "20", "--quiet")
        self.assertTrue(done.out.startswith("20 homes found each other; each of 20 messages reached "
                                            "all 19 others, "), done.out)
        whole = self.sim("export", "hello", "--nodes", "20").out
        self.file("whole.toml", whole)
        self.assertEqual(self.sim("export", "whole.toml").out, whole)

    # verify, sweep

    def test_verify_compares_two_processes_and_names_the_event_that_differs(self):
        self.file("small.toml", SMALL)
        self.file("later.toml", LATER)
        done = self.sim("verify", "small.toml", "--jobs", "2")
        self.assertIn("two runs are the same, event by event: hash ", done.out)
        done = self.sim("verify", "small.toml", "--against", "later.toml", "--jobs", "2", code=10)
        self.assertIn("two runs differ in second 13", done.out)
        self.assertRegex(done.out, r"right: +at 13\.500000000 s, node \d+, handler Faults, kind \d")

    def test_sweep_makes_the_first_seed_that_fails_small(self):
        self.file("small.toml", SMALL)
        self.file("fails.toml", FAILS)
        done = self.sim("sweep", "small.toml", "--seeds", "3", "--jobs", "2", "--verify", "--quiet")
        self.assertIn("3 seeds from 1: all passed", done.out)
        done = self.sim("sweep", "fails.toml", "--seeds", "4", "--first", "5", "--jobs", "2",
                        "--quiet", code=10)
        self.assertIn("seed 5 fails: expect gossip.published >= 1000: found ", done.out)
        self.assertIn("repeat it: kith-sim run ./small-5-small.toml\n", done.out)
        again = self.sim("run", "small-5-small.toml", "--json", "--quiet", code=10).json
        self.assertEqual(again["seed"], 5)
        self.assertLess(again["nodes"], 12)
        self.assertEqual(again["metrics"]["faults.crashes"], 0)  # both faults were dropped
        self.assertEqual([f["what"] for f in again["failed"]], ["expect gossip.published >= 1000"])

    def children_of(self, process):
        try:
            with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
                return [int(pid) for pid in file.read().split()]
        except FileNotFoundError:
            return []

    def start_sweep(self):
        process = subprocess.Popen(
            [PROGRAM, "sweep", "hello", "--nodes", "300", "--seeds", "2", "--tries", "0"],
            cwd=self.folder, env=clean_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(lambda: process.poll() is not None or process.kill())
        child = harness.wait_until("the sweep has a child", lambda: self.children_of(process), 20)
        return process, child[0]

    def test_a_run_that_dies_is_a_failure_of_its_seed(self):
        process, child = self.start_sweep()
        os.kill(child, signal.SIGKILL)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 10, (out, err))
        self.assertIn("seed 1 fails: it was killed by signal 9 (Killed)", out.decode())
        self.assertTrue(os.path.exists(self.path("hello-1-small.toml")))

    def test_no_run_outlives_its_sweep(self):
        process, child = self.start_sweep()
        process.kill()
        process.communicate(timeout=20)

        def gone():
            try:
                with open(f"/proc/{child}/stat", encoding="ascii") as file:
                    return file.read().split(") ")[1].startswith("Z")
            except (FileNotFoundError, ProcessLookupError):
                return True
        harness.wait_until("the child is gone", gone, 10)

    def test_a_terminal_sees_one_line_of_progress_and_then_none(self):
        leader, follower = os.openpty()
        self.addCleanup(os.close, leader)
        process = subprocess.Popen([PROGRAM, "run", "hello", "--nodes", "80"], cwd=self.folder,
                                   env=clean_environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=follower)
        os.close(follower)
        seen = b""
        while True:
            try:
                seen += os.read(leader, 65536)
            except OSError:  # the last writer has closed it
                break
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, (out, seen))
        self.assertRegex(seen.decode(), r"^\r\x1b\[K[\d.]+ s of 90 s, [\d,]+ events/s, [\d.,]+ times "
                                        r"real time, [\d.]+ s left")
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen)
        self.assertNotIn(b"\n", seen)

    # What can be got wrong

    def test_usage_errors_end_with_2_and_name_the_nearest(self):
        self.file("small.toml", SMALL)
        for words, texts in (
                (["runn", "hello"], ["runn", "'run'"]),
                (["run", "helo"], ["helo", "'hello'"]),
                (["run", "hello", "--sed", "3"], ["--sed", "--seed"]),
                (["run", "nothing.toml"], ["nothing.toml", "scenario ls"]),
                (["run", "small.toml", "--until", "soon"], ["soon", "90s"]),
                (["run", "small.toml", "--until", "5s"], ["settle"]),
                (["run", "small.toml", "--set", "link.latncy=5ms"], ["link.latncy", "'latency'"]),
                (["run", "small.toml", "--set", "link.latency=fast"], ["link.latency", "25ms"]),
                (["run", "small.toml", "--set", "work.7.every=1s"], ["work.7", "from 0"]),
                (["sweep", "small.toml"], ["--seeds"]),
                (["replay", "small.toml"], ["manifest.json", "--out"]),
                (["diff", ".", "."], ["data.json"]),
                (["scenario", "show", "hallo"], ["'hello'"])):
            self.fails(self.sim(*words, code=2), *texts)

    def test_a_bad_scenario_is_placed_by_line_and_column(self):
        self.file("key.toml", SMALL + "evry = \"1s\"\n")
        self.fails(self.sim("run", "key.toml", code=2), f"key.toml:{SMALL.count(chr(10)) + 1}:1", "work.evry", "'every'")
        self.file("value.toml", SMALL.replace('"20ms"', '"20 m"'))
        self.fails(self.sim("verify", "value.toml", code=2), "value.toml:9:11", "link.latency")
        self.file("text.toml", "name = = 3\n")
        self.fails(self.sim("sweep", "text.toml", "--seeds", "2", code=2), "text.toml:1:8", "TOML")

    def test_what_the_machine_cannot_do_ends_with_1_before_the_run(self):
        self.file("small.toml", SMALL)
        self.fails(self.sim("run", "small.toml", "--set", "memory=1MiB", code=1), "memory",
                   "--nodes")
        self.fails(self.sim("verify", "small.toml", "--set", "memory=1MiB", code=1), "memory")
        self.fails(self.sim("run", "small.toml", "--set", "memory=1KiB", code=1), "raise `memory`")
        # What a folder holds is not given up for a run that does not begin.
        self.sim("run", "small.toml", "--out", "o", "--quiet")
        self.fails(self.sim("run", "small.toml", "--set", "memory=1MiB", "--out", "o",
                            "--overwrite", code=1), "memory")
        self.assertIn("the same run", self.sim("replay", "o", "--quiet").out)
        self.fails(self.sim("run", "./", code=2), "directory", "scenario ls")
        self.file("taken", "")
        self.fails(self.sim("run", "small.toml", "--out", "taken/o", code=1), "taken/o", "--out")
        self.fails(self.sim("run", "small.toml", "--out", "taken", code=1), "taken", "--out")
        self.fails(self.sim("run", "small.toml", "--out", "/proc/o", code=1), "/proc/o", "--out")
        with open("/dev/full", "wb") as full:
            self.fails(self.sim("run", "small.toml", "--quiet", code=1, stdout=full), "stdout")

    def test_a_full_disk_is_told_and_the_run_is_not_called_complete(self):
        self.file("small.toml", SMALL)
        os.mkdir(self.path("tiny"))
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "kith", self.path("tiny")],
                              capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.path("tiny")], check=False)
        done = self.sim("run", "small.toml", "--out", "tiny", "--quiet", code=1)
        self.fails(done, "disk is full", "tiny/")
        self.assertTrue(done.out.startswith("12 homes"), str(done))  # what was found is not lost
        self.assertFalse(os.path.exists(self.path("tiny/manifest.json")))


if __name__ == "__main__":
    if not os.access(PROGRAM, os.X_OK):
        raise SystemExit(f"{PROGRAM} is not there: build it, or say where it is in KITH_SIM_BIN")
    unittest.main(verbosity=2)
