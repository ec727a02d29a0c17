#!/usr/bin/env python3
"""Netto's log beside the reference's reading of perf's stacks and the exact softirq times.

usage: compare.py CASE DIRECTORY HZ
DIRECTORY holds log (netto's JSON lines), stacks (perf script), exact (exact_softirq). Compared
are the periods of netto that lie within perf's time. Prints the tables, writes the
case's row of the summary to DIRECTORY/row, and ends with a line ok or not ok.

A share may be off by 2 points of its context plus three standard errors, both samplers' errors
together; a softirq's time by 3 % of the exact one; a sampled context's share of all samples by
2 points plus three standard errors; 2 % of the samples may be unexplained, 5 % if short.
"""
import bisect
import collections
import datetime
import json
import math
import sys

import reference
import stacks

POINTS, SIGMAS, EXACT_PERCENT = 2, 3, 3
UNEXPLAINED = collections.defaultdict(lambda: 2, short=5)
TIMER_VECTORS = ("hi", "timer", "tasklet", "hrtimer")


def end_ns(line):
    moment = datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000) * 10**6


def periods(path, start, end):
    """Netto's lines whose period lies between start and end; and what they span."""
    with open(path) as log:
        lines = [json.loads(line) for line in log]
    inside = [l for l in lines if start <= end_ns(l) - l["period_ns"] and end_ns(l) <= end]
    return inside, end_ns(inside[0]) - inside[0]["period_ns"], end_ns(inside[-1])


def exact_times(path, start, end):
    """Exact ns by vector between the two moments, straight lines between 100 ms marks."""
    with open(path) as f:
        vectors = f.readline().split()[1:]
        rows = [[int(n) for n in line.split()] for line in f]
    times = [row[0] for row in rows]

    def at(moment):
        i = min(max(bisect.bisect(times, moment), 1), len(rows) - 1)
        part = (moment - times[i - 1]) / (times[i] - times[i - 1])
        return [a + part * (b - a) for a, b in zip(rows[i - 1][1:], rows[i][1:])]
    return {v: b - a for v, a, b in zip(vectors, at(start), at(end))}


class Shares:
    """One view of one context: a weight a name, and how many samples stand behind them."""

    def __init__(self):
        self.weights, self.squares = collections.Counter(), 0

    def add(self, name, weight, samples=1):
        self.weights[name] += weight
        self.squares += weight * weight / samples if samples else 0

    def total(self):
        return sum(self.weights.values())

    def share(self, name):
        return self.weights[name] / self.total() if self.total() else 0

    def samples(self):
        return self.total() ** 2 / self.squares if self.squares else 0


def sigma(p, *samples):
    """Standard error of the difference of two shares around p, in points."""
    if not all(samples):
        return 100
    p = min(max(p, 1 / min(samples)), 1 - 1 / min(samples)) if min(samples) > 2 else 0.5
    return 100 * math.sqrt(p * (1 - p) * sum(1 / n for n in samples))


def read_reference(path, start, end, exact):
    """Shares by (context, view), samples by context, and the timer softirqs' time."""
    counts = collections.Counter()
    with open(path, errors="replace") as lines:
        for time_ns, is_idle, frames in stacks.read(lines):
            found = reference.label(frames, is_idle) if start <= time_ns <= end else None
            if found:
                counts[found] += 1
    by_vector = collections.Counter()
    for (_, _, _, vector), n in counts.items():
        by_vector[vector] += n
    views, samples, timer = collections.defaultdict(Shares), collections.Counter(), 0
    for (context, component, step, vector), n in counts.items():
        if not context or component == "observer":
            continue
        weight = exact[vector] / by_vector[vector] if vector in TIMER_VECTORS else 1
        timer += weight * n if vector in TIMER_VECTORS else 0
        samples[context] += n
        for view, name in (("component", component), ("step", step)):
            views[context, view].add(name, weight * n, n)
    return views, samples, timer


def read_netto(lines):
    views, samples = collections.defaultdict(Shares), collections.Counter()
    ns = collections.Counter()
    unexplained = total = 0
    for line in lines:
        for name, c in line["contexts"].items():
            samples[name] += c["samples"]
            total += c["samples"]
            ns[name] += c["cpu_ns"]
            unexplained += c["unexplained"]
        for c in line["components"]:
            if c["component"] == "observer":
                samples[c["context"]] -= c["samples"]
                views[c["context"], "step"].add("none", -c["cpu_ns"])
                continue
            views[c["context"], "component"].add(c["component"], c["cpu_ns"])
        for s in line["rx_steps"]:
            name = s["step"] + ("/" + s["family"] if s["family"] else "")
            views[s["context"], "step"].add(name, s["cpu_ns"])
    for (context, _), shares in views.items():
        shares.squares = shares.total() ** 2 / samples[context] if samples[context] else 0
    return views, samples, ns, 100 * unexplained / total if total else 100


def compare_contexts(ours, theirs, exact, timer, hz):
    """Rows of the contexts; the worst deviation from exact; what is off."""
    _, samples, ns, _ = ours
    _, reference_samples, _ = theirs
    truth = {"softirq_rx": exact["net_rx"], "softirq_tx": exact["net_tx"], "softirq_timer": timer}
    totals = sum(samples.values()), sum(reference_samples.values())
    worst, off = 0, []
    print("%-14s %10s %10s %8s %8s %8s %7s %6s" % ("context", "netto s", "truth s", "diff %",
                                                   "netto %", "perf %", "diff", "error"))
    for context in sorted(ns, key=ns.get, reverse=True):
        shares = samples[context] / totals[0], reference_samples[context] / totals[1]
        if not any(shares) and not ns[context]:
            continue
        wanted = truth.get(context, reference_samples[context] / hz * 1e9)
        percent = 100 * (ns[context] / wanted - 1) if wanted else 0
        error = sigma(sum(shares) / 2, *totals)
        diff = 100 * (shares[0] - shares[1])
        print("%-14s %10.3f %10.3f %+8.1f %8.1f %8.1f %+7.1f %6.1f" % (
            context, ns[context] / 1e9, wanted / 1e9, percent, 100 * shares[0], 100 * shares[1],
            diff, error))
        if context in truth and wanted > 2e8:
            allowed = EXACT_PERCENT
            if context == "softirq_timer":
                fewest = min(samples[context], reference_samples[context]) or 1
                allowed += SIGMAS * 100 / math.sqrt(fewest)
            else:
                worst = max(worst, percent, key=abs)
            if abs(percent) > allowed:
                off.append("%s %+.1f %% of exact" % (context, percent))
        elif abs(diff) > POINTS + SIGMAS * error:
            off.append("%s %+.1f points" % (context, diff))
    return worst, off


def compare_views(ours, theirs):
    """Rows of components and steps; the worst of each; what is off."""
    worst, off = {"component": (0, 0, "-", "-"), "step": (0, 0, "-", "-")}, []
    for context, view in sorted(set(ours) | set(theirs)):
        a, b = ours[context, view], theirs[context, view]
        for name in sorted(set(a.weights) | set(b.weights), key=lambda n: -a.share(n) - b.share(n)):
            diff = 100 * (a.share(name) - b.share(name))
            error = sigma((a.share(name) + b.share(name)) / 2, a.samples(), b.samples())
            if max(a.share(name), b.share(name)) >= 0.003:
                print("%-14s %-9s %-20s %8.1f %8.1f %+7.1f %6.1f%s" % (
                    context, view, name, 100 * a.share(name), 100 * b.share(name), diff, error,
                    "  <-" if abs(diff) > POINTS + SIGMAS * error else ""))
            if abs(diff) > POINTS + SIGMAS * error:
                off.append("%s %s %s %+.1f points" % (context, view, name, diff))
            if b.samples() >= 200 and a.samples() >= 200:
                worst[view] = max(worst[view], (diff, error, context, name), key=lambda w: abs(w[0]))
    return worst, off


def main(case, directory, hz):
    with open(directory + "/stacks", errors="replace") as lines:
        times = [time_ns for time_ns, _, _ in stacks.read(lines)]
    if len(times) < 100:
        print("not ok %s: perf has only %d samples" % (case, len(times)))
        return 1
    lines, start, end = periods(directory + "/log", times[0], times[-1])
    exact = exact_times(directory + "/exact", start, end)
    theirs = read_reference(directory + "/stacks", start, end, exact)
    ours = read_netto(lines)
    if not theirs[1] or not ours[1]:
        print("not ok %s: no samples of the network's" % case)
        return 1
    print("== %s: %.1f s, %d samples of netto, %d of perf" % (
        case, (end - start) / 1e9, sum(ours[1].values()), sum(theirs[1].values())))
    from_exact, off = compare_contexts(ours, theirs, exact, theirs[2], hz)
    print("%-14s %-9s %-20s %8s %8s %7s %6s" % ("context", "view", "name", "netto %", "perf %",
                                                "diff", "error"))
    worst, views_off = compare_views(ours[0], theirs[0])
    off += views_off
    total = sum(ours[1].values())
    unexplained = ours[3]
    if unexplained > UNEXPLAINED[case]:
        off.append("%.1f %% unexplained" % unexplained)
    with open(directory + "/row", "w") as row:
        text = ["%+.1f ± %.1f (%s %s)" % worst[view] for view in ("component", "step")]
        print("|", " | ".join([case, *text, "%+.1f" % from_exact, "%.1f" % unexplained,
                               "%d / %d" % (total, sum(theirs[1].values()))]), "|", file=row)
    print("not ok %s: %s" % (case, "; ".join(off)) if off else "ok %s" % case)
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
