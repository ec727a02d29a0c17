/* modules.bpf.c - tells when a kernel module comes or goes
 *
 * hooks   raw_tp module_load, module_free
 * runs    in load_module() once its symbols can be seen, in free_module() before they go
 * writes  cpus (shared.h): module_changes, in slot 0, from any CPU: atomic
 * loses   nothing
 * cost    none while no module comes or goes
 */
#include "cpus.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("raw_tp/module_load")
int on_module_change(void *ctx)
{
	__u32 first = 0;
	struct shared_cpu *cpu = bpf_map_lookup_elem(&cpus, &first);

	if (cpu)
		add_atomically(&cpu->module_changes, 1);
	return 0;
}
