/* tests/integration/probes_filter.c - the filter loses no network sample
 *
 * Two samplers at once, one with and one without the filter, look at the same
 * loads; the network samples of each system call and softirq must agree. What is
 * a network sample is told here by a crude list of names, not by netto's.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kallsyms.h"
#include "load.h"
#include "log.h"
#include "preflight.h"
#include "probes.h"

#define MS 1000000ull
#define SECONDS 4
/* Not the same rate: the interrupt of one would come at a fixed distance before
 * the other's, and what it sets off (softirqs at its end) be seen by one alone. */
#define ATTEMPTS 3
#define FILTER_HZ 1499
#define ALL_HZ 1489
#define KEYS 1024            /* system calls, then hints, then vectors */
#define KEY_HINTS 600
#define KEY_VECTORS 900
#define ENOUGH 200           /* network samples, or the load tested nothing */

struct symbol {
	uint64_t address;
	bool network;
};

static struct symbol *symbols;
static size_t symbol_count;

struct seen {
	uint64_t network[KEYS];
	uint64_t network_total, total;
	uint64_t file_calls;     /* samples of what the load "files" does */
};

static bool is_network_name(const char *name, size_t bytes)
{
	static const char *const starts[] = {
		"tcp_", "__tcp_", "udp_", "inet_", "__inet_", "ip_", "__ip_", "sock_", "__sock_",
		"__sys_send", "__sys_recv", "__sys_accept", "__sys_connect", "__sys_socket",
		"skb_", "__skb_", "__alloc_skb", "__dev_", "net_rx_action", "loopback_xmit",
		"splice_to_socket", "sk_", "inet6_", "do_accept",
	};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (bytes >= strlen(starts[i]) && !strncmp(name, starts[i], strlen(starts[i])))
			return true;
	}
	return false;
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static int read_symbols(void)
{
	struct kallsyms_line line;
	const char *at;
	ssize_t bytes;
	char *text;
	int fd;

	fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	bytes = kallsyms_read(fd, &text);
	close(fd);
	if (bytes <= 0)
		return -1;
	symbols = calloc((size_t)bytes / 20, sizeof(*symbols));   /* no line is shorter */
	for (at = text; symbols && kallsyms_next(&at, text + bytes, &line) == 1;)
		symbols[symbol_count++] = (struct symbol) {
			line.address, is_network_name(line.name, line.name_bytes) };
	free(text);
	if (!symbol_count || !symbols[symbol_count - 1].address)
		return -1;
	qsort(symbols, symbol_count, sizeof(*symbols), by_address);
	return 0;
}

static bool is_network_address(uint64_t address)
{
	size_t low = 0, high = symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && symbols[low - 1].network;
}

static void on_sample(void *arg, const struct shared_sample *sample)
{
	struct seen *seen = arg;
	bool network = false;
	unsigned int key;

	for (int i = 0; i < sample->frame_count && !network; i++)
		network = is_network_address(sample->frames[i]);
	seen->total++;
	seen->file_calls += !sample->vector && !sample->hints &&
			    (sample->syscall == SYS_pread64 || sample->syscall == SYS_pwrite64);
	if (!network)
		return;
	if (sample->vector)
		key = KEY_VECTORS + sample->vector;
	else if (sample->hints)
		key = KEY_HINTS + (sample->hints & 0xff);
	else
		key = (unsigned int)sample->syscall < KEY_HINTS ? (unsigned int)sample->syscall : 599;
	seen->network[key % KEYS]++;
	seen->network_total++;
}

/* No chance: five standard deviations, and beside them what the two clocks see
 * differently without any filter (bursts make 25 % of one call's, 10 % of all). */
static bool agree(uint64_t filtered, uint64_t all, double slack)
{
	double expected = (double)all * FILTER_HZ / ALL_HZ;

	return fabs((double)filtered - expected) <=
	       slack * expected + 5 * sqrt((double)filtered + expected) + 5;
}

/* What the filter lets pass cannot be too much; when it has seen more, the
 * other sampler has missed ticks. */
static bool loses(uint64_t filtered, uint64_t all, double slack)
{
	return (double)filtered < (double)all * FILTER_HZ / ALL_HZ && !agree(filtered, all, slack);
}

static int judge(const char *load, const struct seen *filtered, const struct seen *all)
{
	int failures = 0;

	printf("# %s: network samples %lu with the filter, %lu without; all samples %lu, %lu\n", load,
	       (unsigned long)filtered->network_total, (unsigned long)all->network_total,
	       (unsigned long)filtered->total, (unsigned long)all->total);
	for (unsigned int key = 0; key < KEYS; key++) {
		if (loses(filtered->network[key], all->network[key], 0.25)) {
			failures++;
			printf("# %s: %s %u: %lu with, %lu without\n", load,
			       key >= KEY_VECTORS ? "vector" : key >= KEY_HINTS ? "hints" : "call",
			       key - (key >= KEY_VECTORS ? KEY_VECTORS : key >= KEY_HINTS ? KEY_HINTS : 0),
			       (unsigned long)filtered->network[key], (unsigned long)all->network[key]);
		}
	}
	return failures || loses(filtered->network_total, all->network_total, 0.1);
}

static int judge_quiet(const char *load, const struct seen *filtered, const struct seen *all)
{
	bool spared = all->file_calls >= ENOUGH && filtered->file_calls < all->file_calls / 20;

	printf("# %s: samples taken of file calls %lu with the filter, %lu without\n", load,
	       (unsigned long)filtered->file_calls, (unsigned long)all->file_calls);
	if (preflight_kernel() < PREFLIGHT_KERNEL(5, 15)) {
		printf("skip filter_spares_what_is_no_network: system calls cannot be told apart "
		       "before Linux 5.15\n");
		return 0;
	}
	printf("%s filter_spares_what_is_no_network\n", spared ? "ok" : "not ok");
	return !spared;
}

static void run(struct probes *with, struct probes *without, struct seen *filtered,
		struct seen *all)
{
	memset(filtered, 0, sizeof(*filtered));
	memset(all, 0, sizeof(*all));
	for (int i = 0; i < SECONDS * 10; i++) {
		nanosleep(&(struct timespec) { .tv_nsec = 100 * MS }, NULL);
		probes_drain(with, on_sample, filtered);
		probes_drain(without, on_sample, all);
	}
}

static int test_load(const struct load *load, struct probes *with, struct probes *without)
{
	static struct seen filtered, all;
	bool quiet = !strcmp(load->name, "files"), lost = true;

	/* Bursts can fall between the two clocks for seconds; what the filter
	 * refuses is missing every time. */
	for (int attempt = 0; lost && attempt < ATTEMPTS; attempt++) {
		pid_t pid = load_start(load);

		if (pid < 0) {
			printf("not ok filter_keeps_what_%s_cost: cannot start\n", load->name);
			return 1;
		}
		run(with, without, &filtered, &all);
		load_stop(pid);
		if (quiet)
			return judge_quiet(load->name, &filtered, &all);
		lost = judge(load->name, &filtered, &all);
	}
	if (lost) {
		printf("not ok filter_keeps_what_%s_cost: the samplers disagree\n", load->name);
		return 1;
	}
	if (all.network_total < ENOUGH) {
		printf("not ok filter_keeps_what_%s_cost: too few network samples\n", load->name);
		return 1;
	}
	printf("ok filter_keeps_what_%s_cost\n", load->name);
	return 0;
}

int main(void)
{
	const struct probes_config filter = { .rate_hz = FILTER_HZ, .filter = true };
	const struct probes_config none = { .rate_hz = ALL_HZ, .filter = false };
	struct probes *with = NULL, *without = NULL;
	int failures = 0;

	log_open("probes_filter");
	if (read_symbols() || probes_attach(&with, &filter) || probes_attach(&without, &none)) {
		printf("skip filter_keeps_what_loads_cost: cannot attach or no kernel addresses\n");
		return 0;
	}
	for (size_t i = 0; i < load_count; i++)
		failures += test_load(&loads[i], with, without);
	probes_close(with);
	probes_close(without);
	free(symbols);
	return failures ? 1 : 0;
}
