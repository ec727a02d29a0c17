/* collector/symbols_live.h - the published symbol table follows the kernel
 *
 * BPF programs and trampolines are told of by the kernel (ksymbol.h); that
 * modules changed is counted (bpf/modules.bpf.c), and what is there now stands
 * in /proc/kallsyms, read through the descriptor that was opened while
 * privileged. Each change becomes a new table and a new generation, and frames
 * use an address only once the published table names it.
 */
#ifndef NETTO_COLLECTOR_SYMBOLS_LIVE_H
#define NETTO_COLLECTOR_SYMBOLS_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "probes.h"
#include "runtime.h"
#include "symbols.h"

#define SYMBOLS_SPARE_FILES 1       /* descriptors it may need beside those that are open */

struct symbols_live;

struct symbols_live_config {
	struct symbols *symbols;
	struct probes *probes;
	struct runtime *runtime;
	int kallsyms_fd;            /* -1: there is none */
	int published_fd;           /* of the table published at start; taken over */
	uint64_t period_ns;
};

/* All of config but published_fd stays the caller's and must live longer. 0; -ENOMEM. */
int symbols_live_open(struct symbols_live **live, const struct symbols_live_config *config);

/* Before each drain, at now_ns (CLOCK_MONOTONIC): follow what changed. The
 * generation just published; 0: none. Says it once when it cannot publish. */
uint64_t symbols_live_follow(struct symbols_live *live, uint64_t now_ns);

/* Changes that were missed: lost by the kernel and not to be had from kallsyms,
 * or without a place in our table. */
uint64_t symbols_live_missed(const struct symbols_live *live);

/* Takes NULL. */
void symbols_live_close(struct symbols_live *live);

#endif
