/* tests/bench/bench_probes.c - what a sample and a softirq pair cost, by bpf_stats
 *
 * Budgets, design: filtered 500 ns (150 where no descriptor is looked at), taken
 * 1000 ns over the unwinder alone, softirq pair 250 ns. All in one run; programs
 * compared run side by side under the same load.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "log.h"
#include "probes.h"
#include "shared.h"

#include "unwinder.skel.h"

#define RATE_HZ 1999
#define SECONDS 3

struct cost {
	double ns;
	double runs;
};

static uint32_t first_id;    /* programs up to here are others' */

/* Sum over our programs of that name (the kernel keeps 15 characters). */
static struct cost read_cost(const char *name)
{
	struct cost cost = { 0 };
	uint32_t id = first_id;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = { 0 };
		uint32_t bytes = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &bytes) && !strcmp(info.name, name)) {
			cost.ns += (double)info.run_time_ns;
			cost.runs += (double)info.run_cnt;
		}
		close(fd);
	}
	return cost;
}

static uint32_t last_id(void)
{
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id))
		;
	return id;
}

static void ignore(void *arg, const struct shared_sample *sample)
{
	(void)arg;
	(void)sample;
}

static void drain_for(struct probes *probes, int ms)
{
	for (; ms > 0; ms -= 50) {
		nanosleep(&(struct timespec) { .tv_nsec = 50000000 }, NULL);
		probes_drain(probes, ignore, NULL);
	}
}

/* System calls that no network code can run under: no descriptor is looked at. */
static void call_nothing(int port)
{
	(void)port;
	for (;;)
		syscall(SYS_sched_yield);
}

static const struct load nothing = { "nothing", call_nothing };

static double each(struct cost cost)
{
	return cost.runs > 0 ? cost.ns / cost.runs : 0;
}

/* A clock on every CPU for the unwinder alone; its descriptors live as long as we. */
static int attach_unwinder(struct unwinder_bpf *skel)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 1000000000ull / RATE_HZ, .exclude_user = 1,
	};

	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++) {
		int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (fd < 0 && errno == ENODEV)
			continue;
		if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(skel->progs.unwind_only)))
			return -errno;
	}
	return 0;
}

/* The cost of a filtered sample among taken ones, from how the slices of a run
 * differ: least squares of ns = filtered * x + taken * y. */
struct fit {
	double ff, ft, tt, fn, tn;
	double filtered, taken;
};

static void add_slice(struct fit *fit, double filtered, double taken, double ns)
{
	fit->ff += filtered * filtered;
	fit->ft += filtered * taken;
	fit->tt += taken * taken;
	fit->fn += filtered * ns;
	fit->tn += taken * ns;
	fit->filtered += filtered;
	fit->taken += taken;
}

static double solve_filtered(const struct fit *fit)
{
	double determinant = fit->ff * fit->tt - fit->ft * fit->ft;

	if (determinant <= 0)        /* no sample taken, or all slices alike */
		return fit->ff > 0 ? fit->fn / fit->ff : 0;
	return (fit->fn * fit->tt - fit->tn * fit->ft) / determinant;
}

static struct shared_cpu sum_of(const struct probes *probes)
{
	struct shared_cpu sum = { 0 };

	for (unsigned int cpu = 0; cpu < probes_cpu_slots(probes); cpu++) {
		sum.samples_taken += probes_cpu(probes, cpu)->samples_taken;
		sum.samples_filtered += probes_cpu(probes, cpu)->samples_filtered;
	}
	return sum;
}

/* One on each CPU, before everything else that wants to run there. */
static void start_everywhere(const struct load *load, pid_t *groups)
{
	for (int cpu = 0; cpu < get_nprocs(); cpu++) {
		groups[cpu] = load_start(load);
		if (groups[cpu] > 0)
			(void)setpriority(PRIO_PGRP, (id_t)groups[cpu], -20);   /* noisier without */
	}
}

static void stop_everywhere(const pid_t *groups)
{
	for (int cpu = 0; cpu < get_nprocs(); cpu++) {
		if (groups[cpu] > 0)
			load_stop(groups[cpu]);
	}
}

static void filtered(const char *what, const struct load *load, double budget_ns)
{
	const struct probes_config config = { .rate_hz = RATE_HZ, .filter = true };
	struct shared_cpu before = { 0 }, now;
	struct cost cost_before = { 0 }, cost;
	struct fit fit = { 0 };
	struct probes *probes;
	pid_t groups[1024];

	first_id = last_id();
	if (probes_attach(&probes, &config))
		return;
	start_everywhere(load, groups);
	for (int i = 0; i < SECONDS * 20; i++) {
		drain_for(probes, 50);
		now = sum_of(probes);
		cost = read_cost("on_tick");
		if (i)
			add_slice(&fit, (double)(now.samples_filtered - before.samples_filtered),
				  (double)(now.samples_taken - before.samples_taken),
				  cost.ns - cost_before.ns);
		before = now;
		cost_before = cost;
	}
	stop_everywhere(groups);
	probes_close(probes);
	printf("sample_filtered_ns %-24s %6.0f   budget %4.0f   (%.0f filtered, %.0f taken beside)\n",
	       what, solve_filtered(&fit), budget_ns, fit.filtered, fit.taken);
}

/* Without the filter every sample is taken, as every stack is unwound beside. */
static void taken_and_pair(void)
{
	const struct probes_config config = { .rate_hz = RATE_HZ, .filter = false };
	struct cost sample, alone, entry, exit, before = read_cost("unwind_only");
	struct probes *probes;
	pid_t pid;

	if (probes_attach(&probes, &config))
		return;
	pid = load_start(&loads[0]);
	drain_for(probes, SECONDS * 1000);
	sample = read_cost("on_tick");
	alone = read_cost("unwind_only");
	entry = read_cost("on_softirq_entr");
	exit = read_cost("on_softirq_exit");
	load_stop(pid);
	probes_close(probes);
	alone.ns -= before.ns;
	alone.runs -= before.runs;
	printf("sample_taken_ns    %-24s %6.0f   budget 1000   (%.0f in all, unwinder alone %.0f)\n",
	       "over_the_unwinder", each(sample) - each(alone), each(sample), each(alone));
	printf("softirq_pair_ns    %-24s %6.0f   budget  250   (entry %.0f, exit %.0f, %.0f pairs)\n",
	       "tcp_bulk", each(entry) + each(exit), each(entry), each(exit), entry.runs);
}

int main(void)
{
	struct unwinder_bpf *unwinder;
	int stats_fd;

	log_open("bench_probes");
	stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats_fd < 0) {
		printf("bench_probes: cannot count BPF run time: %s\n", strerror(errno));
		return 69;
	}
	filtered("no_descriptor", &nothing, 150);
	filtered("descriptor", &loads[load_count - 1], 500);
	first_id = last_id();
	unwinder = unwinder_bpf__open_and_load();
	if (!unwinder || attach_unwinder(unwinder)) {
		printf("bench_probes: cannot attach the unwinder: %s\n", strerror(errno));
		return 69;
	}
	taken_and_pair();
	unwinder_bpf__destroy(unwinder);
	close(stats_fd);
	return 0;
}
