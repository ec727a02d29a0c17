/* collector/preflight.h - whether this kernel and this process can attach probes at all */
#ifndef NETTO_COLLECTOR_PREFLIGHT_H
#define NETTO_COLLECTOR_PREFLIGHT_H

#include <stddef.h>
#include <stdint.h>

#define PREFLIGHT_KERNEL(major, minor) ((major) << 16 | (minor))

/* Version of the running kernel, as PREFLIGHT_KERNEL(). */
unsigned int preflight_kernel(void);

/* A number under /proc/sys. 0; -errno; -EINVAL: not a number. */
int preflight_sysctl(const char *name, uint64_t *value);

/* Kernel version, capabilities, BTF; says in one line what is missing. 0 or EXIT_ERR(). */
int preflight_check(void);

/* Why perf_event_open, or a BPF load, may have been refused with err: into
 * text, for one line of a message. */
void preflight_say_perf(char *text, size_t text_bytes, unsigned int cpu, int err);
void preflight_say_bpf(char *text, size_t text_bytes, int err, const char *libbpf_says);

#endif
