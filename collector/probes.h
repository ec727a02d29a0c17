/* collector/probes.h - the probe families: tried at start, each reported
 *
 * None is required but the sampler. After probes_seal() only what keeps
 * programs attached stays open: no map, program or BTF descriptor.
 */
#ifndef NETTO_COLLECTOR_PROBES_H
#define NETTO_COLLECTOR_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ksymbol.h"
#include "shared.h"

struct probes;

/* How to time socket calls exactly. */
enum probes_exact_mode {
	PROBES_EXACT_AUTO,          /* fentry where it loads, else not */
	PROBES_EXACT_FENTRY,        /* the kernel's functions, or none of all this */
	PROBES_EXACT_TRACEPOINT,    /* system calls by number: slows all of them a little */
	PROBES_EXACT_OFF,
};

struct probe_report {
	const char *name;       /* sampler, softirq, hardirq, ...; socket_tx, socket_rx: many */
	const char *function;   /* what it hooks */
	bool attached;
	char reason[120];       /* why not; "" when attached, or when not tried */
};

/* report is valid during the call. */
typedef void (*probes_report_fn)(void *arg, const struct probe_report *report);

struct probes_config {
	uint32_t rate_hz;
	bool filter;        /* false: every sample in kernel mode passes, for comparing */
	enum probes_exact_mode exact;
	probes_report_fn on_report;     /* told of each probe, after a failure too; NULL: nobody */
	void *report_arg;
};

/* Load and attach all families, after preflight_check(); says in one line each
 * what the user has to know. 0; -errno or EXIT_ERR() when the sampler cannot run. */
int probes_attach(struct probes **probes, const struct probes_config *config);

/* Tell on_report of all probes that none was tried, and why. */
void probes_refuse(const struct probes_config *config, const char *why);

/* Close what the steady state does not need. Says nothing; 0 or -errno. */
int probes_seal(struct probes *probes);

/* One report a probe; count of them. */
size_t probes_reports(const struct probes *probes, const struct probe_report **reports);

/* Number of CPU slots (highest possible CPU, plus one), and CPUs sampled. */
unsigned int probes_cpu_slots(const struct probes *probes);
unsigned int probes_cpus_online(const struct probes *probes);
bool probes_cpu_is_online(const struct probes *probes, unsigned int cpu);

/* Counters of one CPU, mapped read-only; the kernel goes on writing them. */
const struct shared_cpu *probes_cpu(const struct probes *probes, unsigned int cpu);

/* What one softirq's time contains of the probes themselves, estimated at attach. */
uint64_t probes_interval_ns(const struct probes *probes);

/* Whether the socket probes time all calls of that direction. */
bool probes_exact(const struct probes *probes, enum shared_direction direction);

/* Whether a CPU has come or gone since attach: perf events on it are dead and
 * only a restart helps. */
bool probes_cpus_changed(const struct probes *probes);

/* Times that modules have come or gone, since before attach. */
uint64_t probes_module_changes(const struct probes *probes);

/* What the kernel told of BPF programs since the last call; see ksymbols_read(). */
uint64_t probes_take_ksymbols(struct probes *probes, ksymbol_fn on_symbol, void *arg);

/* Hand every sample that lies in the BPF ring buffers to on_sample, CPU by
 * CPU; the sample is valid during the call. No system call, no allocation. */
typedef void (*probes_sample_fn)(void *arg, const struct shared_sample *sample);
void probes_drain(struct probes *probes, probes_sample_fn on_sample, void *arg);

/* Detach all; takes NULL. */
void probes_close(struct probes *probes);

#endif
