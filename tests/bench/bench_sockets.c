/* tests/bench/bench_sockets.c - what --exact-syscalls=tracepoint adds to system calls and switches
 *
 * One process bound to a CPU makes calls, with the probes of socket calls and
 * without them in turn, all other probes in place both times; medians of several
 * turns, each of which takes the best of many short spans, as others disturb only
 * upwards. Then what bpf_stats, which see no dispatch, say of each program.
 * fentry is not measured: it needs a kernel that allows it, and no emulator.
 */
#include <bpf/bpf.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "probes.h"

#define TURNS 7
#define SPANS 40
#define SPAN_NS 1500000ull
#define BATCH 64

static int pair[2], null_fd, ping[2], pong[2];
static char bytes[64];

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void must(ssize_t result)
{
	if (result < 0) {
		perror("bench_sockets");
		exit(69);
	}
}

static void call_none(void) { (void)syscall(SYS_getppid); }
static void call_file(void) { must(write(null_fd, bytes, sizeof(bytes))); }

static void call_socket(void)
{
	must(send(pair[0], bytes, sizeof(bytes), 0));
	must(recv(pair[1], bytes, sizeof(bytes), 0));
}

static void call_socket_by_write(void)
{
	must(write(pair[0], bytes, sizeof(bytes)));
	must(read(pair[1], bytes, sizeof(bytes)));
}

/* The other process answers: two switches, and each side sleeps inside a call. */
static void call_and_sleep(void)
{
	must(send(ping[0], bytes, 1, 0));
	must(recv(pong[0], bytes, 1, 0));
}

static const struct op {
	const char *name;
	void (*call)(void);
	double calls;           /* system calls that one run makes on this CPU */
	double budget_ns;       /* for each */
} ops[] = {
	{ "getppid", call_none, 1, 200 },
	{ "write_to_dev_null", call_file, 1, 500 },
	{ "send_and_recv", call_socket, 2, 500 },
	{ "write_and_read", call_socket_by_write, 2, 700 },
	{ "send_and_recv_asleep", call_and_sleep, 4, 1000 },
};

#define OPS (sizeof(ops) / sizeof(ops[0]))

static double ns_in_span(const struct op *op)
{
	const uint64_t start_ns = now_ns();
	uint64_t end_ns, count = 0;

	do {
		for (int i = 0; i < BATCH; i++)
			op->call();
		count += BATCH;
		end_ns = now_ns();
	} while (end_ns - start_ns < SPAN_NS);
	return (double)(end_ns - start_ns) / (double)count / op->calls;
}

static double ns_each(const struct op *op)
{
	double best_ns = ns_in_span(op), ns;

	for (int i = 1; i < SPANS; i++) {
		ns = ns_in_span(op);
		best_ns = ns < best_ns ? ns : best_ns;
	}
	return best_ns;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double values[TURNS])
{
	qsort(values, TURNS, sizeof(values[0]), by_value);
	return values[TURNS / 2];
}

static int attach(struct probes **probes, enum probes_exact_mode mode)
{
	const struct probes_config config = { .rate_hz = 997, .filter = true, .exact = mode };

	return probes_attach(probes, &config);
}

static int compare(void)
{
	static double without[OPS][TURNS], with[OPS][TURNS];
	struct probes *probes;

	for (int turn = 0; turn < TURNS; turn++) {
		for (int on = 0; on < 2; on++) {
			if (attach(&probes, on ? PROBES_EXACT_TRACEPOINT : PROBES_EXACT_OFF))
				return 69;
			for (size_t i = 0; i < OPS; i++)
				(on ? with : without)[i][turn] = ns_each(&ops[i]);
			probes_close(probes);
		}
	}
	for (size_t i = 0; i < OPS; i++) {
		double off = median(without[i]), on = median(with[i]);

		printf("exact_syscalls_adds_ns %-22s %6.0f   budget %4.0f   (%.0f to %.0f, %.0f %%)\n",
		       ops[i].name, on - off, ops[i].budget_ns, off, on, 100 * (on / off - 1));
	}
	return 0;
}

static void print_programs(const char *load, uint32_t last_id)
{
	uint32_t id = last_id;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = { 0 };
		uint32_t info_bytes = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &info_bytes) && info.run_cnt > 1000 &&
		    (!strncmp(info.name, "on_sys_", 7) || !strcmp(info.name, "on_switch")))
			printf("# bpf_stats, %s: %s %.0f ns, %llu runs\n", load, info.name,
			       (double)info.run_time_ns / (double)info.run_cnt,
			       (unsigned long long)info.run_cnt);
		close(fd);
	}
}

static uint32_t last_program(void)
{
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id))
		;
	return id;
}

static void count_programs(void)
{
	struct probes *probes;
	int stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	for (size_t i = 0; i < OPS && stats_fd >= 0; i++) {
		uint32_t last_id = last_program();

		if (attach(&probes, PROBES_EXACT_TRACEPOINT))
			break;
		(void)ns_each(&ops[i]);
		print_programs(ops[i].name, last_id);
		probes_close(probes);
	}
	if (stats_fd >= 0)
		close(stats_fd);
}

static void answer(void)
{
	char byte;

	close(ping[0]);
	close(pong[0]);
	while (recv(ping[1], &byte, 1, 0) == 1)
		must(send(pong[1], &byte, 1, 0));
	_exit(0);
}

int main(void)
{
	cpu_set_t one;
	int status;

	log_open("bench_sockets");
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	must(sched_setaffinity(0, sizeof(one), &one));
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ping));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pong));
	must(null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC));
	if (!fork())
		answer();
	close(ping[1]);
	close(pong[1]);
	status = compare();
	if (!status)
		count_programs();
	close(ping[0]);
	close(pong[0]);
	wait(NULL);
	return status;
}
