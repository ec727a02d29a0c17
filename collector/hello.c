/* hello.c - the first message to every aggregator */
#include "hello.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>

#include "message.h"
#include "symbols.h"

#define NS_PER_S 1000000000ull
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

/* "8c52ba8f-...": 32 digits, with dashes between some of them. */
static int parse_boot_id(const char *text, uint8_t id[static 16])
{
	for (int i = 0; i < 16; i++) {
		unsigned int byte;

		text += *text == '-';
		if (sscanf(text, "%2x", &byte) != 1 || !text[1])
			return -EINVAL;
		id[i] = (uint8_t)byte;
		text += 2;
	}
	return 0;
}

int hello_identity(struct ring_identity *identity)
{
	FILE *file = fopen(BOOT_ID_FILE, "re");
	char text[64] = "";

	if (!file)
		return -errno;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	identity->generation = 0;
	while (!identity->generation)
		if (getrandom(&identity->generation, sizeof(identity->generation), 0) < 0)
			return -errno;
	return parse_boot_id(text, identity->boot_id);
}

/* A probe as it is packed. */
struct row {
	Netto__Probe probe;
	struct probe_report report;     /* a copy, whose reason may be cut */
};

static void fill_row(struct row *row, const struct probe_report *report)
{
	row->report = *report;
	netto__probe__init(&row->probe);
	row->probe.name = (char *)report->name;     /* protobuf_c knows no const */
	row->probe.function = (char *)report->function;
	row->probe.attached = report->attached;
	row->probe.reason = row->report.reason;
}

static void fill(Netto__Hello *hello, const struct options *options, const struct probes *probes,
		 const struct ring_identity *identity)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	hello->schema_major = RING_SCHEMA_MAJOR;
	hello->schema_minor = RING_SCHEMA_MINOR;
	hello->version = NETTO_VERSION;
	hello->ring_generation = identity->generation;
	hello->symbol_generation = SYMBOLS_FIRST_GENERATION;
	hello->boot_id.data = (uint8_t *)identity->boot_id;
	hello->boot_id.len = sizeof(identity->boot_id);
	hello->rate_hz = options->rate_hz;
	hello->sample_ns = NS_PER_S / options->rate_hz;
	hello->period_ns = options->period_ns;
	hello->cpus_online = probes_cpus_online(probes);
	hello->cpu_slots = probes_cpu_slots(probes);
	hello->probe_interval_ns = probes_interval_ns(probes);
	hello->exact_syscall_tx = probes_exact(probes, SHARED_SEND);
	hello->exact_syscall_rx = probes_exact(probes, SHARED_RECEIVE);
	hello->started_ns = now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* No probe is left out, and no collector stays out for the length of its excuses:
 * the longest reasons are cut until all fits. Without any, it always does. */
static ssize_t pack_cut(const Netto__Hello *hello, struct row *rows, void *buf, size_t buf_bytes)
{
	size_t longest = sizeof(rows->report.reason);
	ssize_t bytes = message_pack_hello(hello, buf, buf_bytes);

	while (bytes == -EMSGSIZE && longest) {
		longest--;
		for (size_t i = 0; i < hello->n_probes; i++)
			rows[i].report.reason[longest] = '\0';
		bytes = message_pack_hello(hello, buf, buf_bytes);
	}
	return bytes;
}

ssize_t hello_pack(const struct options *options, const struct probes *probes,
		   const struct ring_identity *identity, bool addresses_hidden,
		   void *buf, size_t buf_bytes)
{
	const struct probe_report *reports;
	const size_t count = probes_reports(probes, &reports);
	struct row *rows = calloc(count + 1, sizeof(*rows));
	Netto__Probe **list = calloc(count + 1, sizeof(*list));
	Netto__Hello hello = NETTO__HELLO__INIT;
	struct utsname host;
	ssize_t bytes = -ENOMEM;

	if (rows && list && !uname(&host)) {
		fill(&hello, options, probes, identity);
		hello.addresses_hidden = addresses_hidden;
		hello.kernel_release = host.release;
		hello.machine = host.machine;
		hello.host = host.nodename;
		for (size_t i = 0; i < count; i++) {
			fill_row(&rows[i], &reports[i]);
			list[i] = &rows[i].probe;
		}
		hello.probes = list;
		hello.n_probes = count;
		bytes = pack_cut(&hello, rows, buf, buf_bytes);
	}
	free(list);
	free(rows);
	return bytes;
}
