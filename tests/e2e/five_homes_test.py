"""Five homes: shared state, heartbeats and learning, one command each to follow."""
import random
import time
import unittest

from harness import HomesTest, main, wait_until

# Short slots and epochs: the defaults are ten seconds and a day.
NETWORK = 'name = "five"\nepoch_seconds = 60\nbeat_seconds = 1\n'
SPACE = "shared"


class FiveHomes(HomesTest):
    def setUp(self):
        super().setUp()
        self.network = self.path("network.toml")
        with open(self.network, "w", encoding="ascii") as file:
            file.write(NETWORK)
        self.env = {"KITH_NETWORK": self.network}

    def five(self, names="ABCDE"):
        first = self.home(names[0], env=self.env)
        rest = [self.home(name, bootstrap=[first.addr], env=self.env) for name in names[1:]]
        self.connected(*rest)
        return [first, *rest]

    def again(self, home, bootstrap):
        home.start(bootstrap=[bootstrap.addr], env=self.env)

    # ---- shared state ----------------------------------------------------------------------------

    def root(self, home):
        done = home.kith("--json", "kv", "stat", SPACE)
        return done.json["root"] if done.code == 0 else f"{home.name}: {done.err}"

    def test_writes_on_three_homes_end_in_one_root_on_five(self):
        a, b, c, d = self.five("ABCD")
        for home in (a, b, c, d):
            home.ask("kv", "ls", SPACE)  # joins
        acknowledged, counted, tried = {}, 0, 0

        def write(home, keys):
            """Puts one by one; what ended with 0 is acknowledged."""
            nonlocal counted, tried
            for key in keys:
                value = f"{home.name}-{key}-{random.random()}"
                if home.kith("kv", "put", SPACE, key, value).code == 0:
                    acknowledged.setdefault(key, set()).add(value)
                tried += 1
                counted += home.kith("kv", "incr", SPACE, "visits").code == 0

        # On three at once, some keys on all three, while the third is killed.
        busy = [home.spawn("kv", "put", SPACE, f"at-once-{i}", f"{home.name}{i}")
                for i in range(10) for home in (a, b, c)]
        c.kill()
        for command in busy:
            command.communicate()
        write(a, [f"a{i}" for i in range(10)])
        write(b, [f"b{i}" for i in range(10)])
        self.again(c, a)
        self.connected(c)
        write(c, [f"c{i}" for i in range(10)])
        e = self.home("E", bootstrap=[a.addr], env=self.env)
        self.connected(e)
        e.ask("kv", "ls", SPACE)
        everyone = (a, b, c, d, e)
        wait_until("one root on five", lambda: len({self.root(home) for home in everyone}) == 1, 90, 0.5)
        for home in everyone:
            for key, values in acknowledged.items():
                done = home.kith("kv", "get", SPACE, key)
                self.assertEqual(done.code, 0, f"{home.name} lost {key}: {done}")
                self.assertIn(done.out, values)
            visits = home.ask("kv", "get", SPACE, "visits")
            self.assertEqual(visits["count"], counted)
        self.assertEqual(tried, 30)
        self.note(f"{len(acknowledged)} keys, {counted} counted, root {self.root(a)[:16]} on five")

    # ---- heartbeats ------------------------------------------------------------------------------

    def seen(self, home, peer):
        """Slots of `peer` that counted, and slots in which `home` itself was there, in all epochs."""
        done = home.kith("--json", "uptime", "show", "--peer", peer.id)
        for view in done.json["peers"] if done.code == 0 else ():  # else: never heard
            if view["id"] == peer.id:
                return (sum(epoch["seen"] for epoch in view["epochs"]),
                        sum(epoch["up"] for epoch in view["epochs"]))
        return 0, 0

    def test_calendars_show_each_others_beats_and_the_hole_of_one_that_was_stopped(self):
        homes = self.five()
        a, e = homes[0], homes[-1]
        for home in homes:
            for peer in homes:
                if peer is not home:
                    wait_until(f"{home.name} hears {peer.name}",
                               lambda h=home, p=peer: self.seen(h, p)[0] >= 5, 60, 0.5)
        gone = time.monotonic()
        e.kill()
        before = self.seen(a, e)[0]
        wait_until("ten slots without E", lambda: time.monotonic() - gone > 11, 30)
        self.assertLessEqual(self.seen(a, e)[0], before + 2, "one beat may have been on its way")
        self.again(e, a)
        away = time.monotonic() - gone
        wait_until("E is heard again", lambda: self.seen(a, e)[0] >= before + 5, 60, 0.5)
        seen, up = self.seen(a, e)
        self.note(f"A was up {up} slots and saw E in {seen}; E was away for {away:.0f} s")
        self.assertGreaterEqual(up - seen, 8, "the hole")
        for peer in homes[1:-1]:
            seen, up = self.seen(a, peer)
            self.assertGreaterEqual(seen, up - 6, f"{peer.name} was there all the time")
        shown = a.kith("uptime", "show", "--peer", e.id)
        self.assertEqual(shown.code, 0)
        self.assertIn(e.id[-6:], shown.out)
        # What it counted is kept over a restart.
        kept = self.seen(a, homes[1])[0]
        a.terminate()
        self.again(a, homes[1])
        self.assertGreaterEqual(self.seen(a, homes[1])[0], kept - 3)

    # ---- learning --------------------------------------------------------------------------------

    MODEL = ("--model", "mlp", "--hidden", "48", "--rounds", "10", "--epochs", "2")

    def test_five_learn_as_well_as_one_with_all_samples_though_one_is_killed(self):
        homes = self.five()
        a, e = homes[0], homes[-1]
        task = a.ask("fl", "create", *self.MODEL, "--samples", "1200", "--min", "4",
                     "--round-seconds", "4")["task"]
        for home in homes:
            wait_until(f"{home.name} knows the task", lambda h=home: any(
                one["task"] == task for one in h.ask("fl", "ls")["tasks"]), 60, 0.5)
        for home in homes:
            home.ask("fl", "join", task[:16])
        wait_until("three rounds", lambda: a.ask("fl", "show", task)["round"] >= 3, 120, 0.05)
        e.kill()
        killed_after = a.ask("fl", "show", task)["round"]
        self.assertLess(killed_after, 10, "it was killed while the task went on")
        left = homes[:-1]
        for home in left:
            wait_until(f"{home.name} ends the task",
                       lambda h=home: h.ask("fl", "show", task)["round"] == 10, 180, 0.5)
        self.again(e, a)
        wait_until("E takes over what it missed",
                   lambda: e.ask("fl", "show", task)["round"] == 10, 120, 0.5)
        shown = [home.ask("fl", "show", task) for home in homes]
        self.assertEqual(len({one["model"] for one in shown}), 1, "one model CID on five")
        rounds = a.ask("fl", "rounds", task)["rounds"]
        self.assertEqual([one["round"] for one in rounds], list(range(1, 11)))
        self.assertTrue(any(one["contributors"] == 4 for one in rounds), "the killed one is missing")
        # The same training on one home that has all samples.
        central = a.kith("--json", "fl", "run", *self.MODEL, "--samples", "6000")
        self.assertEqual(central.code, 0, str(central))
        self.note(f"killed after round {killed_after}; together {shown[0]['accuracy']:.3f}, "
                  f"central {central.json['accuracy']:.3f}")
        self.assertGreaterEqual(shown[0]["accuracy"], 0.95 * central.json["accuracy"])
        self.assertGreater(central.json["accuracy"], 0.7, "central training learns something")


if __name__ == "__main__":
    main()
