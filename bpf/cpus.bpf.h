/* bpf/cpus.bpf.h - the one map that all probe families share
 *
 * The collector makes it, with a slot a possible CPU, and hands it to every
 * object. A slot is written on its own CPU only: atomic is just what programs add
 * that can be preempted there, and what is counted in slot 0 for all.
 */
#ifndef NETTO_BPF_CPUS_BPF_H
#define NETTO_BPF_CPUS_BPF_H

#include "shared.h"

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);              /* the collector sets the number of slots */
	__type(key, __u32);
	__type(value, struct shared_cpu);
} cpus SEC(".maps");

static __always_inline struct shared_cpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* Relaxed, as newer compilers make of any other order an instruction that 5.10 does not know. */
#define add_atomically(value, n) ((void)__atomic_fetch_add(value, n, __ATOMIC_RELAXED))

/* What an interrupt may change between two looks is read where it says so. */
static __always_inline __u64 read_now(const __u64 *value)
{
	return *(const volatile __u64 *)value;
}

#endif
