/* bpf/softirq.bpf.h - the interval that a softirq runs on a CPU, and what an empty one costs
 *
 * Shared by the two ways to follow softirqs: softirq.bpf.c and softirq_rt.bpf.c.
 */
#ifndef NETTO_BPF_SOFTIRQ_BPF_H
#define NETTO_BPF_SOFTIRQ_BPF_H

#include "cpus.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Where softirqs can be preempted, so can these programs, between load and store. */
#ifdef SOFTIRQS_ARE_PREEMPTED
#define count(value, n) add_atomically(value, n)
#else
#define count(value, n) ((void)(*(value) += (n)))
#endif

/* The slot that calibrate_* time an empty interval on. */
struct shared_cpu calibration;

/* At entry the clock is read before irq_ns, at exit after it: an interrupt that
 * lands in between is then inside the interval rather than subtracted from an
 * interval that does not contain it, and the difference cannot go negative. */
static __always_inline void enter(struct shared_cpu *cpu, __u32 vector)
{
	cpu->vector = vector + 1;
	cpu->softirq_since_ns = bpf_ktime_get_ns();
	cpu->softirq_irq_ns = read_now(&cpu->irq_ns);
}

/* End the interval. Whether it was one: its begin was seen. */
static __always_inline bool leave(struct shared_cpu *cpu, __u32 vector)
{
	__u64 irq_ns = read_now(&cpu->irq_ns);
	__u64 now_ns = bpf_ktime_get_ns();
	__u64 since_ns = cpu->softirq_since_ns;

	if (since_ns && vector < SHARED_SOFTIRQ_VECTORS) {
		now_ns -= since_ns + (irq_ns - cpu->softirq_irq_ns);
		count(&cpu->softirq_ns[vector], now_ns);
		count(&cpu->softirq_all_ns, now_ns);
	}
	cpu->softirq_since_ns = 0;
	/* last: until then the time is not counted yet, and whoever interrupts must see that */
	*(volatile __u32 *)&cpu->vector = 0;
	return since_ns && vector < SHARED_SOFTIRQ_VECTORS;
}

static __always_inline void finish(struct shared_cpu *cpu, __u32 vector)
{
	if (leave(cpu, vector))
		count(&cpu->softirq_events[vector], 1);
}

SEC("raw_tp/softirq_entry")
int on_softirq_entry(__u64 *args)
{
	struct shared_cpu *cpu = this_cpu();

	if (cpu)
		enter(cpu, args[0]);
	return 0;
}

SEC("raw_tp/softirq_exit")
int on_softirq_exit(__u64 *args)
{
	struct shared_cpu *cpu = this_cpu();

	if (cpu)
		finish(cpu, args[0]);
	return 0;
}

/* One tracepoint calls both, one after the other, whenever a test run of a
 * packet program ends: an interval with nothing in it but ourselves. */
SEC("raw_tp/bpf_test_finish")
int calibrate_entry(__u64 *args)
{
	enter(&calibration, 0);
	return 0;
}

SEC("raw_tp/bpf_test_finish")
int calibrate_exit(__u64 *args)
{
	finish(&calibration, 0);
	return 0;
}

SEC("socket")
int calibrate_run(void *packet)
{
	return 0;
}

#endif
