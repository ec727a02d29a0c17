/* socket_switch.bpf.c - takes a task's place in its socket calls off the CPU with it, and back on
 *
 * hooks   tp_btf sched_switch
 * runs    at every switch, interrupts off; reads the clock only for tasks inside a socket call
 * writes  cpus (shared.h): ends and begins slices; sleepers: where those that are away stand
 * loses   more than SHARED_SLEEPERS tasks away at once: socket_missed
 * cost    tests/bench/bench_sockets.c
 *
 * Attached only together with the socket probes.
 */
#include "filter.bpf.h"
#include "socket.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* By thread id. Not task storage: making one allocates, which may wake up a
 * task, and sched_switch holds the run queue. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHARED_SLEEPERS);
	__type(key, __u32);
	__type(value, __u32);
} sleepers SEC(".maps");

static __always_inline void go_away(struct shared_cpu *cpu, struct shared_sockets *all,
				    const struct task_struct *task)
{
	__u32 state = *(__u32 *)&cpu->socket;
	__u32 tid = task->pid;

	/* of one that exits nothing may be kept: it does not come back */
	if (has_moved_on(cpu) || task->flags & PF_EXITING) {
		forget_call(cpu);
		return;
	}
	if (cpu->socket.depth)
		end_slice(cpu);
	*(__u32 *)&cpu->socket = 0;
	if (bpf_map_update_elem(&sleepers, &tid, &state, BPF_ANY)) {
		add_atomically(&cpu->socket_missed, 1);
		return;
	}
	add_atomically(&all->sleepers[tid % SHARED_SLEEPERS], 1);
}

static __always_inline void come_back(struct shared_cpu *cpu, struct shared_sockets *all, __u32 tid)
{
	__u32 *kept = bpf_map_lookup_elem(&sleepers, &tid);

	if (!kept)                   /* another one's */
		return;
	*(__u32 *)&cpu->socket = *kept;
	bpf_map_delete_elem(&sleepers, &tid);
	add_atomically(&all->sleepers[tid % SHARED_SLEEPERS], -1);
	if (cpu->socket.depth)
		begin_slice(cpu);
}

/* Most switches are between tasks outside: those cost three loads. */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct shared_sockets *all = all_sockets();
	struct shared_cpu *cpu = this_cpu();
	__u32 tid = next->pid;

	if (!cpu || !all)
		return 0;
	if (is_inside(cpu))
		go_away(cpu, all, prev);
	cpu->socket_cuts++;
	if (all->sleepers[tid % SHARED_SLEEPERS])
		come_back(cpu, all, tid);
	return 0;
}
