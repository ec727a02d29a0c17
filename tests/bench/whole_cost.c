/* whole_cost.c - what netto takes from the machine, beside an empty program and perf record
 *
 * usage: whole_cost SECONDS LAST_PROGRAM NETTO_PID,PID PERF_PID
 *
 * All of them run already; their perf events are switched on and off every 25
 * ms in an order drawn anew for each round, and the work that a load got done
 * in neighbouring stretches is compared: whole seconds differ by 10 % by
 * themselves. Softirq probes, which nobody can switch, are counted by bpf_stats,
 * which see no dispatch: that is added. Processes by their CPU time, at full rate.
 * BPF programs above id LAST_PROGRAM whose names start with "on_" are netto's.
 */
#include <bpf/bpf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counted_load.h"
#include "observer.h"

#define RATE_HZ 997
#define STRETCH_NS 25000000
#define ROUNDS_MAX 4000
#define PAIR_DISPATCH_NS 160.0    /* two runs of a raw tracepoint, unseen by bpf_stats */
#define PAIR_BUDGET_NS 400.0
#define OVER_EMPTY_BUDGET 1.5
#define PROCESSES_BUDGET 0.1
#define IDLE_BUDGET 0.1

enum mode { NOBODY, EMPTY, NETTO, PERF, MODES };

static struct observer observers[MODES] = {
	{ .name = "nobody" }, { .name = "empty" }, { .name = "netto" }, { .name = "perf" },
};
static double rates[MODES][ROUNDS_MAX];
static double machine_ns_per_s;
static uint32_t last_program;

/* Percent of the machine, and what it may be off by: standard errors of a median. */
struct share {
	double percent;
	double error;
};

struct programs {
	double ns;            /* of all programs, a second */
	double softirq_ns;
	double pairs;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void pause_ns(uint64_t ns)
{
	const struct timespec pause = { .tv_sec = ns / 1000000000u, .tv_nsec = ns % 1000000000u };

	nanosleep(&pause, NULL);
}

static void row(const char *load, const char *what, double measured, double error, double budget)
{
	printf("%s %s\t%.2f %% +- %.2f\t%.2f %%\t%s\n", load, what, measured, error, budget,
	       measured - error <= budget ? "within" : "MISSED");
}

static void note(const char *load, const char *what, double measured, const char *unit)
{
	printf("%s %s\t%.2f %s\t-\t-\n", load, what, measured, unit);
}

static void shuffle(enum mode order[static MODES])
{
	for (int i = 0; i < MODES; i++)
		order[i] = (enum mode)i;
	for (int i = MODES - 1; i > 0; i--) {
		int other = (int)(random() % (i + 1));
		enum mode mode = order[i];

		order[i] = order[other];
		order[other] = mode;
	}
}

static double stretch(const struct counted_load *load, const struct observer *observer)
{
	uint64_t work, start;

	observer_switch(observer, true);
	start = now_ns();
	work = counted_load_work(load);
	pause_ns(STRETCH_NS);
	work = counted_load_work(load) - work;
	start = now_ns() - start;
	observer_switch(observer, false);
	return (double)work / (double)start;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* How much less is done than in the same round with nobody. */
static struct share loss(enum mode mode, int rounds)
{
	static double losses[ROUNDS_MAX];
	struct share share;

	for (int i = 0; i < rounds; i++)
		losses[i] = 100 * (1 - rates[mode][i] / rates[NOBODY][i]);
	share.percent = median(losses, rounds);
	for (int i = 0; i < rounds; i++)
		losses[i] = fabs(losses[i] - share.percent);
	share.error = 1.25 * 1.48 * median(losses, rounds) / sqrt(rounds);
	return share;
}

static void alternate(const struct counted_load *load, double seconds, struct share shares[MODES])
{
	const uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
	int rounds = 0;

	while (now_ns() < end && rounds < ROUNDS_MAX) {
		enum mode order[MODES];

		shuffle(order);
		for (int i = 0; i < MODES; i++)
			rates[order[i]][rounds] = stretch(load, &observers[order[i]]);
		rounds++;
	}
	for (int mode = EMPTY; mode < MODES; mode++)
		shares[mode] = loss((enum mode)mode, rounds);
}

static void add_program(struct programs *sum, const struct bpf_prog_info *info)
{
	if (strncmp(info->name, "on_", 3))
		return;
	sum->ns += (double)info->run_time_ns;
	if (!strncmp(info->name, "on_softirq_", 11)) {
		sum->softirq_ns += (double)info->run_time_ns;
		sum->pairs += (double)info->run_cnt / 2;
	}
}

static struct programs read_programs(void)
{
	struct programs sum = { 0 };
	uint32_t id = last_program;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = { 0 };
		uint32_t bytes = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &bytes))
			add_program(&sum, &info);
		close(fd);
	}
	return sum;
}

/* Counted only while it is read: counting costs, too. */
static struct programs count_programs(double seconds)
{
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	struct programs first = read_programs(), last;
	uint64_t start = now_ns();
	double passed_s;

	pause_ns((uint64_t)(seconds * 1e9));
	last = read_programs();
	passed_s = (double)(now_ns() - start) / 1e9;
	close(stats);
	return (struct programs){
		.ns = (last.ns - first.ns) / passed_s,
		.softirq_ns = (last.softirq_ns - first.softirq_ns) / passed_s,
		.pairs = (last.pairs - first.pairs) / passed_s,
	};
}

/* Percent of the machine that its processes take. */
static double processes(const struct observer *observer, double seconds)
{
	uint64_t cpu_ns = observer_cpu_ns(observer), start = now_ns();

	pause_ns((uint64_t)(seconds * 1e9));
	cpu_ns = observer_cpu_ns(observer) - cpu_ns;
	return 100 * (double)cpu_ns / (double)(now_ns() - start) * 1e9 / machine_ns_per_s;
}

static double of_machine(double ns_per_s)
{
	return 100 * ns_per_s / machine_ns_per_s;
}

static void report_loaded(const char *name, const struct share *shares,
			  const struct programs *programs, double netto_cpu, double perf_cpu)
{
	const double pairs = of_machine(programs->softirq_ns + PAIR_DISPATCH_NS * programs->pairs);
	const double whole = shares[NETTO].percent + pairs + netto_cpu;
	const double perf = shares[PERF].percent + perf_cpu;

	note(name, "empty program", shares[EMPTY].percent, "%");
	note(name, "netto: sampler", shares[NETTO].percent, "%");
	note(name, "netto: softirq probes", pairs, "%");
	note(name, "softirq pairs", programs->pairs / 1000, "thousand/s");
	note(name, "perf record -a -g", perf, "%");
	row(name, "netto: both processes", netto_cpu, 0, PROCESSES_BUDGET);
	row(name, "netto: whole, over the empty program", whole - shares[EMPTY].percent,
	    shares[NETTO].error + shares[EMPTY].error,
	    OVER_EMPTY_BUDGET + of_machine(PAIR_BUDGET_NS * programs->pairs));
	if (strcmp(name, "udp_64"))
		row(name, "netto: whole, against perf record", whole,
		    shares[NETTO].error + shares[PERF].error, perf);
}

static int measure_loaded(unsigned int which, double seconds)
{
	struct share shares[MODES] = { 0 };
	struct counted_load *load;
	struct programs programs;
	double netto_cpu, perf_cpu;
	int err = counted_load_start(&load, which);

	if (err)
		return err;
	pause_ns(300000000);
	alternate(load, seconds * 0.6, shares);
	observer_switch(&observers[NETTO], true);
	netto_cpu = processes(&observers[NETTO], seconds * 0.2);
	programs = count_programs(seconds * 0.1);
	observer_switch(&observers[NETTO], false);
	observer_switch(&observers[PERF], true);
	perf_cpu = processes(&observers[PERF], seconds * 0.1);
	observer_switch(&observers[PERF], false);
	counted_load_stop(load);
	report_loaded(counted_load_names[which], shares, &programs, netto_cpu, perf_cpu);
	return 0;
}

static void measure_idle(double seconds)
{
	double cpu, bpf;

	observer_switch(&observers[NETTO], true);
	cpu = processes(&observers[NETTO], seconds / 2);
	bpf = of_machine(count_programs(seconds / 2).ns);
	observer_switch(&observers[NETTO], false);
	note("idle", "netto: BPF programs", bpf, "%");
	note("idle", "netto: both processes", cpu, "%");
	row("idle", "netto: whole", bpf + cpu, 0, IDLE_BUDGET);
}

static int take(enum mode mode, char *pids)
{
	struct observer *o = &observers[mode];
	int err;

	for (int i = 0; i < OBSERVER_PROCESSES_MAX && pids; i++)
		o->pids[i] = atoi(strsep(&pids, ","));
	err = observer_take(o);
	if (err)
		fprintf(stderr, "whole_cost: cannot switch %s: %s\n", o->name, strerror(-err));
	return err;
}

int main(int argc, char *argv[])
{
	double seconds;
	int err;

	if (argc != 5) {
		fputs("usage: whole_cost SECONDS LAST_PROGRAM NETTO_PID,PID PERF_PID\n", stderr);
		return 64;
	}
	seconds = atof(argv[1]);
	last_program = (uint32_t)atoi(argv[2]);
	machine_ns_per_s = 1e9 * (double)sysconf(_SC_NPROCESSORS_ONLN);
	err = observer_empty(&observers[EMPTY], RATE_HZ);
	if (!err)
		err = take(NETTO, argv[3]);
	if (!err)
		err = take(PERF, argv[4]);
	if (err)
		return 69;
	for (unsigned int i = 0; i + 1 < counted_load_count && !err; i++)
		err = measure_loaded(i, seconds);
	if (err)
		fprintf(stderr, "whole_cost: cannot start a load: %s\n", strerror(-err));
	else
		measure_idle(seconds * 0.6);
	return err ? 70 : 0;
}
