/* cpuhp.bpf.c - tells when a CPU comes or goes
 *
 * hooks   raw_tp cpuhp_exit
 * runs    at each step of a CPU's way up or down, and when a driver registers such a step
 * writes  cpus (shared.h): cpu_changes, in slot 0, from any CPU: atomic
 * loses   nothing
 * cost    none while no CPU comes or goes
 */
#include "cpus.bpf.h"

#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* One step that no driver registers and every CPU passes in both directions
 * (bringup_cpu up, finish_cpu down: kernel/cpu.c, 5.7 and later). */
SEC("raw_tp/cpuhp_exit")
int on_cpuhp_exit(__u64 *args)
{
	__u32 first = 0, step = args[2];
	struct shared_cpu *cpu;

	if (step != bpf_core_enum_value(enum cpuhp_state, CPUHP_BRINGUP_CPU))
		return 0;
	cpu = bpf_map_lookup_elem(&cpus, &first);
	if (cpu)
		add_atomically(&cpu->cpu_changes, 1);
	return 0;
}
