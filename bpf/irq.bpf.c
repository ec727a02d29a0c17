/* irq.bpf.c - exact time in hard interrupts, by handler
 *
 * hooks   tp_btf irq_handler_entry, irq_handler_exit; raw_tp local_timer_entry and _exit (x86)
 * runs    with interrupts off: they do not nest, one start is enough
 * writes  cpus (shared.h): cumulative ns of all, and ns and events of each handler
 * loses   nothing: handlers beyond the slots go to irq_other_ns
 * cost    tests/bench/bench_probes.c
 */
#include "cpus.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void enter(void)
{
	struct shared_cpu *cpu = this_cpu();

	if (cpu)
		cpu->irq_since_ns = bpf_ktime_get_ns();
}

/* The interrupt's time; 0 when its entry was not seen. */
static __always_inline __u64 leave(struct shared_cpu *cpu)
{
	__u64 ns;

	if (!cpu->irq_since_ns)
		return 0;
	ns = bpf_ktime_get_ns() - cpu->irq_since_ns;
	cpu->irq_ns += ns;
	cpu->irq_since_ns = 0;
	return ns;
}

/* The handler's slot, taken if it has none yet; NULL: all are taken. A CPU sees
 * few handlers, so the first try from the interrupt's number mostly hits. */
static __always_inline struct shared_irq *find_slot(struct shared_cpu *cpu, __u32 irq,
						    const struct irqaction *action)
{
	__u64 handler = (__u64)action->handler;
	__u32 tries;

	for (tries = 0; tries < SHARED_IRQ_SLOTS; tries++) {
		struct shared_irq *slot = &cpu->irqs[(irq + tries) % SHARED_IRQ_SLOTS];

		if (slot->handler == handler && slot->irq == irq)
			return slot;
		if (slot->handler)
			continue;
		slot->irq = irq;
		bpf_probe_read_kernel_str(slot->name, sizeof(slot->name), action->name);
		*(volatile __u64 *)&slot->handler = handler;
		return slot;
	}
	return 0;
}

SEC("tp_btf/irq_handler_entry")
int on_irq_entry(__u64 *args)
{
	enter();
	return 0;
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(on_irq_exit, int irq, struct irqaction *action)
{
	struct shared_cpu *cpu = this_cpu();
	struct shared_irq *slot;
	__u64 ns;

	if (!cpu)
		return 0;
	ns = leave(cpu);
	if (!ns)
		return 0;
	slot = find_slot(cpu, irq, action);
	if (slot) {
		slot->ns += ns;
		slot->events++;
	} else {
		cpu->irq_other_ns += ns;
	}
	return 0;
}

SEC("raw_tp/local_timer_entry")
int on_timer_entry(__u64 *args)
{
	enter();
	return 0;
}

SEC("raw_tp/local_timer_exit")
int on_timer_exit(__u64 *args)
{
	struct shared_cpu *cpu = this_cpu();

	if (cpu)
		leave(cpu);
	return 0;
}
