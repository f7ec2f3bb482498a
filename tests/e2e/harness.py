"""Homes as a user has them: real daemons on loopback, each with a folder of its own.

Rules: nothing sleeps for a fixed time; what is waited for is a condition with a total deadline. When a
test fails, what its daemons wrote to stderr is printed.
"""
import hashlib
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

MIB = 1 << 20
PROGRAM = os.path.abspath(
    os.environ.get("KITH_BIN") or os.path.join(os.path.dirname(__file__), "../../build/release/bin/kith"))
LOOPBACK = "/ip4/127.0.0.1/tcp/0"
READY_SECONDS = 60
COMMAND_SECONDS = 240
STDERR_SHOWN = 6000


def clean_environment(extra=None):
    """No setting of the person who runs the tests reaches the daemons."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KITH_", "XDG_"))}
    kept.update(extra or {})
    return kept


def wait_until(what, condition, seconds, every=0.05):
    """Polls until `condition()` is true and returns that; fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"in vain for {seconds} s: {what}")
        time.sleep(every)


def write_content(path, size, seed):
    """`size` bytes, the same for the same seed; no two MiB of it are alike."""
    base = random.Random(seed).randbytes(min(size, MIB))
    digest = hashlib.sha256()
    with open(path, "wb") as out:
        for at in range(0, size, MIB):
            piece = (at.to_bytes(8, "little") + base[8:])[:size - at]
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest()


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_bytes(path):
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                pass  # a compaction removed it meanwhile
    return total


class Ended:
    """What a command left: its exit code and both outputs."""

    def __init__(self, words, code, out, err):
        self.words, self.code, self.out, self.err = words, code, out, err

    @property
    def json(self):
        return json.loads(self.out.splitlines()[-1])

    def __str__(self):
        return f"kith {' '.join(self.words)} ended with {self.code}\n{self.out}{self.err}"


def run_kith(*words, env=None, seconds=COMMAND_SECONDS, data=None, cwd=None):
    words = [str(word) for word in words]
    done = subprocess.run([PROGRAM, *words], input=data, env=clean_environment(env), cwd=cwd,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds,
                          stdin=None if data is not None else subprocess.DEVNULL, check=False)
    return Ended(words, done.returncode, done.stdout.decode(), done.stderr.decode())


class Home:
    """One home folder and, while it runs, its daemon."""

    def __init__(self, folder, name):
        self.name = name
        self.folder = os.path.join(folder, name)
        self.stderr_path = os.path.join(folder, name + ".stderr")
        self.process = None
        self.ready = None
        self.listen = LOOPBACK

    def start(self, bootstrap=(), env=None):
        words = ["run", "--home", self.folder, "--listen", self.listen, "--json"]
        for addr in bootstrap:
            words += ["--bootstrap", addr]
        with open(self.stderr_path, "ab") as err:
            self.process = subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=err,
                                            stdin=subprocess.DEVNULL, env=clean_environment(env))
        line = self._first_line()
        if not line:
            raise AssertionError(f"{self.name} did not become ready: exit {self.process.poll()}\n"
                                 + self.stderr())
        self.ready = json.loads(line)
        # A restart is found at the same address.
        self.listen = self.addr.split("/p2p/")[0]
        return self

    def _first_line(self):
        end = time.monotonic() + READY_SECONDS
        line = b""
        while not line.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return b""
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                self.process.wait(10)
                return b""
            line += got
        return line

    @property
    def addr(self):
        return self.ready["addrs"][0]

    @property
    def id(self):
        return self.ready["id"]

    def kith(self, *words, **more):
        return run_kith("--home", self.folder, *words, **more)

    def ask(self, *words, **more):
        """The JSON answer of a command that must succeed."""
        done = self.kith("--json", *words, **more)
        if done.code != 0:
            raise AssertionError(str(done))
        return done.json

    def spawn(self, *words):
        """A command that goes on beside the test."""
        return subprocess.Popen([PROGRAM, "--home", self.folder, *[str(w) for w in words]],
                                env=clean_environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def status(self):
        return self.ask("status")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self._gone(10)

    def terminate(self, seconds=10):
        """Ends it as a service manager does; returns exit code and seconds."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self._gone(seconds), time.monotonic() - start

    def _gone(self, seconds):
        code = self.process.wait(seconds)
        self.process.stdout.close()
        self.process = None
        return code

    def peak_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        raise AssertionError("no VmHWM")

    def stderr(self):
        try:
            with open(self.stderr_path, encoding="utf-8", errors="replace") as file:
                return file.read()[-STDERR_SHOWN:]
        except FileNotFoundError:
            return ""


class HomesTest(unittest.TestCase):
    """A test with a folder for its homes, whose daemons end with it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kith-e2e-")
        self.homes = []
        self.told = ""
        self.addCleanup(self._clean)

    def _clean(self):
        for home in self.homes:
            if home.process is not None:
                home.process.kill()
                home._gone(10)
            self.told += f"--- stderr of {home.name}\n{home.stderr()}"
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        start = time.monotonic()
        super().run(result)
        print(f"{self._testMethodName}: {time.monotonic() - start:.1f} s", file=sys.stderr)
        if len(result.failures) + len(result.errors) > before:
            print(self.told, file=sys.stderr)

    def home(self, name, **more):
        home = Home(self.folder, name)
        self.homes.append(home)
        return home.start(**more) if more.pop("start", True) else home

    def path(self, name):
        return os.path.join(self.folder, name)

    def connected(self, *homes):
        for home in homes:
            wait_until(f"{home.name} has a peer", lambda h=home: h.status()["peers"] > 0, 30)

    def note(self, text):
        print("  " + text, file=sys.stderr)


def main():
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"{PROGRAM} is not there: build it, or say where it is in KITH_BIN")
    unittest.main(verbosity=2)
