"""Collection outside requests: memory stays bounded, and nothing else collects."""

from __future__ import annotations

import gc
import threading
import unittest

import support
from cowherd_agent.collection.collector import (
    FULL_PENDING_YOUNG,
    YOUNG_PER_MIDDLE,
    Collector,
    CollectorSettings,
    Generations,
    collection_watch,
)

MIB = 1024 * 1024


class Bounded(unittest.TestCase):
    def test_memory_stays_bounded_under_cyclic_garbage(self) -> None:
        found = support.run("cycles", "collector")
        support.record("20,000 requests of cycles: grown MiB", found["grown"] / MIB)
        support.record("collector, nothing to do: ns", found["idle_ns"])
        support.record("collector, nothing to do: calls", found["idle_ns"] / found["call_ns"])
        self.assertLess(found["grown"], 60 * MIB)
        self.assertGreater(found["freed"], 100_000)
        self.assertGreater(found["collections"], 10)
        self.assertEqual(found["inside"], 0)
        # In calls of a function that reads the clock.
        self.assertLess(found["idle_ns"], 5 * found["call_ns"])

    def test_without_a_collector_it_grows(self) -> None:
        found = support.run("cycles", "none")
        support.record("the same, nothing collects: grown MiB", found["grown"] / MIB)
        self.assertGreater(found["grown"], 150 * MIB)

    def test_threads(self) -> None:
        found = support.run("cycles", "threads")
        self.assertLess(found["grown"], 120 * MIB)
        self.assertGreater(found["freed"], 40_000)


class TheRule(unittest.TestCase):
    def collect(self, generations: Generations, young: int, freed: int) -> int:
        generation = generations.next_collection(young, 1000, True)
        generations.collected(generation, young, freed)
        return generation

    def test_garbage_that_dies_young_needs_no_full_collection(self) -> None:
        generations = Generations()
        done = [self.collect(generations, 1000, 1000) for _ in range(100)]
        self.assertEqual(done.count(1), 100 // YOUNG_PER_MIDDLE)
        self.assertNotIn(2, done)

    def test_survivors_bring_a_full_collection(self) -> None:
        generations = Generations()
        done = [self.collect(generations, 1000, 0) for _ in range(FULL_PENDING_YOUNG)]
        self.assertEqual(done.count(2), 1)
        self.assertEqual(done[-1], 2)
        self.assertEqual(generations.long_lived, 1000 * FULL_PENDING_YOUNG)

    def test_a_large_heap_waits_for_as_many(self) -> None:
        generations = Generations(long_lived=100_000)
        done = [self.collect(generations, 1000, 0) for _ in range(100)]
        self.assertEqual(done.index(2), 99)

    def test_after_a_futile_one_it_waits_for_twice_as_many(self) -> None:
        generations = Generations(long_lived=100_000)
        while self.collect(generations, 1000, 0) != 2:
            pass
        self.assertEqual(generations.long_lived, 200_000)
        done = [self.collect(generations, 1000, 0) for _ in range(400)]
        self.assertEqual(done.index(2), 399)

    def test_after_a_useful_one_it_waits_for_as_many(self) -> None:
        generations = Generations(long_lived=100_000, pending=99_000)
        self.assertEqual(self.collect(generations, 1000, 50_000), 2)
        self.assertEqual(generations.long_lived, 150_000)
        done = [self.collect(generations, 1000, 0) for _ in range(150)]
        self.assertEqual(done.index(2), 149)

    def test_a_large_mold_waits_for_an_eighth(self) -> None:
        generations = Generations(frozen=1_000_000)
        done = [self.collect(generations, 1000, 0) for _ in range(125)]
        self.assertEqual(done.index(2), 124)

    def test_without_a_middle_generation(self) -> None:
        generations = Generations()
        done = [generations.next_collection(1000, 1000, False) for _ in range(20)]
        self.assertEqual(set(done), {0})


class InThisProcess(unittest.TestCase):
    def test_waits_for_requests_in_flight_but_not_forever(self) -> None:
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(0)
        gc.collect()
        collector = Collector(CollectorSettings(collect_after=500))
        kept = [[] for _ in range(700)]
        collector.request_finished(in_flight=2)
        self.assertEqual(collector.collections, 0)
        kept += [[] for _ in range(1500)]
        collector.request_finished(in_flight=2)
        self.assertEqual(collector.collections, 1)
        kept += [[] for _ in range(700)]
        collector.request_finished()
        self.assertEqual(collector.collections, 2)
        self.assertEqual(len(kept), 2900)

    def test_never_two_at_once(self) -> None:
        """A finalizer that runs in a collection, and a second thread, both try to collect."""
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(0)
        collector = Collector(CollectorSettings(collect_after=1))
        answers: list[bool] = []

        class Nosy:
            def __init__(self) -> None:
                self.me = self

            def __del__(self) -> None:
                answers.append(collector.collect(1))
                thread = threading.Thread(target=lambda: answers.append(collector.collect(1)))
                thread.start()
                thread.join()

        Nosy()
        while not answers:
            collector.collect(10_000_000)
        self.assertEqual(answers, [False, False])

    def test_own_collections_are_told_from_others(self) -> None:
        watch = collection_watch()
        watch.install(None)
        before = watch.collections_inside
        collector = Collector(CollectorSettings(collect_after=1))
        collector.collect(1)
        self.assertEqual(watch.collections_inside, before)
        gc.collect()
        self.assertEqual(watch.collections_inside, before + 1)


if __name__ == "__main__":
    unittest.main()
