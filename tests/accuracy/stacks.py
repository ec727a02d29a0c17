#!/usr/bin/env python3
"""Reads stacks for the reference: perf's, and the recorded ones that test it.

usage: perf script -F comm,pid,tid,cpu,time,ip,sym --ns | stacks.py
       stacks.py --self-test FILE...      recorded stacks as in tests/data/stacks

Prints "context component step vector samples" and below each its most frequent stacks.
"""
import collections
import re
import sys

import reference


def read(lines):
    """(time_ns, is_idle, frames) of perf script's output."""
    head, frames = None, []
    for line in lines:
        if line.strip() == "":
            if head:
                yield head + (frames,)
            head, frames = None, []
        elif not line[0].isspace():
            match = re.search(r" (-?\d+)/(-?\d+)\s+\[\d+\]\s+(\d+)\.(\d{9}):", line)
            head = (int(match[3]) * 10**9 + int(match[4]), match[2] == "0") if match else None
        else:
            address, name = (line.split() + ["?"])[:2]
            if len(address) == 16 and address.startswith("ff"):
                frames.append(name.split(".")[0])
    if head:
        yield head + (frames,)


def self_test(paths):
    """Against labels that people gave to recorded stacks: nine of ten must agree."""
    agree = 0
    for path in paths:
        with open(path) as f:
            lines = [line for line in f.read().split("\n") if line and line[0] != "#"]
        want = lines[0].split()
        if want[0] == "-":
            want = None
        else:
            want = want[:2] + [want[2] + ("/" + want[3] if want[3] != "-" else "")]
        frames = [f.split()[0].split(".")[0] for f in lines[1:] if ": " not in f]
        found = reference.label(frames, any("idle" in f for f in lines if f.startswith("hints:")))
        same = (list(found[:3]) if found and found[0] else None) == want
        agree += same
        if not same:
            print("#", path, "has", want, "here", found)
    bad = agree < 0.9 * len(paths)
    print("not ok" if bad else "ok", "reference_reads_recorded_stacks" + (
        ": %d of %d agree" % (agree, len(paths)) if bad else ""))
    return 1 if bad else 0


def main():
    counts, seen = collections.Counter(), collections.defaultdict(collections.Counter)
    for _, is_idle, frames in read(sys.stdin):
        found = reference.label(frames, is_idle) if frames else None
        if found:
            counts[found] += 1
            seen[found][" < ".join(frames[:14])] += 1
    for found, n in counts.most_common():
        print(*(f or "-" for f in found), n, sep="\t")
        for stack, times in seen[found].most_common(4):
            print("#", times, stack)


if __name__ == "__main__":
    sys.exit(self_test(sys.argv[2:]) if sys.argv[1:2] == ["--self-test"] else main())
