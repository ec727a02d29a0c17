/* collector/ksymbol.h - the kernel tells of BPF programs and trampolines as they come and go
 *
 * PERF_RECORD_KSYMBOL (5.1) of a dummy event on every CPU: opened while
 * privileged, read by mmap alone, at every kernel.kptr_restrict. The mapping
 * keeps the event, so no descriptor stays open.
 */
#ifndef NETTO_COLLECTOR_KSYMBOL_H
#define NETTO_COLLECTOR_KSYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu_list.h"

#define KSYMBOL_NAME_BYTES 128      /* what is longer is cut */

struct ksymbols;

/* One record. Some kernels send each twice. */
struct ksymbol {
	uint64_t address;
	uint32_t bytes;
	bool gone;                  /* unregistered; else registered */
	bool bpf;                   /* else out of line: ftrace trampolines, kprobes */
	char name[KSYMBOL_NAME_BYTES];
	size_t name_bytes;
};

typedef void (*ksymbol_fn)(void *arg, const struct ksymbol *symbol);

/* Open and map an event on each CPU of online. 0; -errno. */
int ksymbols_open(struct ksymbols **ksymbols, const struct cpu_list *online);

/* The same over rings that lie at memory: data_bytes, a power of two, behind
 * one page each. For tests. */
int ksymbols_open_at(struct ksymbols **ksymbols, void *const memory[], size_t count,
		     size_t data_bytes);

/* Hand every record to on_symbol in the order of their time over all CPUs.
 * Returns how many the kernel says it could not write since the last call. No
 * system call, no allocation. Takes NULL. */
uint64_t ksymbols_read(struct ksymbols *ksymbols, ksymbol_fn on_symbol, void *arg);

/* Takes NULL. */
void ksymbols_close(struct ksymbols *ksymbols);

#endif
