/* exact_softirq.bpf.c - softirq time in slices between hard interrupts
 *
 * hooks   tp_btf softirq_entry and _exit, irq_handler_entry and _exit; raw_tp local_timer_*
 * runs    on the CPU that serves the softirq
 * writes  slots: ns and events by vector, a slot a CPU
 * loses   CPUs beyond EXACT_CPUS_MAX
 * cost    does not matter: this is the ruler, not the thing measured
 */
#include "exact.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EXACT_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct exact_cpu);
} slots SEC(".maps");

static __always_inline struct exact_cpu *this_slot(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&slots, &cpu);
}

static __always_inline void end_slice(struct exact_cpu *cpu, __u64 now_ns)
{
	__u64 vector = cpu->vector - 1;

	if (cpu->slice_since_ns && vector < EXACT_VECTORS)
		cpu->ns[vector] += now_ns - cpu->slice_since_ns;
	cpu->slice_since_ns = 0;
}

static __always_inline void pause(void)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct exact_cpu *cpu = this_slot();

	if (cpu)
		end_slice(cpu, now_ns);
}

static __always_inline void resume(void)
{
	struct exact_cpu *cpu = this_slot();

	if (cpu && cpu->vector)
		cpu->slice_since_ns = bpf_ktime_get_ns();
}

SEC("tp_btf/softirq_entry")
int exact_entry(__u64 *args)
{
	struct exact_cpu *cpu = this_slot();

	if (!cpu)
		return 0;
	cpu->vector = args[0] + 1;
	cpu->slice_since_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/softirq_exit")
int exact_exit(__u64 *args)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct exact_cpu *cpu = this_slot();
	__u64 vector = (__u32)args[0];

	if (!cpu)
		return 0;
	end_slice(cpu, now_ns);
	if (cpu->vector && vector < EXACT_VECTORS)
		cpu->events[vector]++;
	cpu->vector = 0;
	return 0;
}

SEC("tp_btf/irq_handler_entry")
int exact_irq_entry(__u64 *args)
{
	pause();
	return 0;
}

SEC("tp_btf/irq_handler_exit")
int exact_irq_exit(__u64 *args)
{
	resume();
	return 0;
}

SEC("raw_tp/local_timer_entry")
int exact_timer_entry(__u64 *args)
{
	pause();
	return 0;
}

SEC("raw_tp/local_timer_exit")
int exact_timer_exit(__u64 *args)
{
	resume();
	return 0;
}
