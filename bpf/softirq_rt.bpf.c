/* softirq_rt.bpf.c - exact time in every softirq vector where they can be preempted (PREEMPT_RT)
 *
 * hooks   raw_tp softirq_entry, softirq_exit; tp_btf sched_switch
 * runs    softirqs in the task that enables them again or in a thread of their own; it can be
 *         preempted and sleep there, but not migrate, and its softirq does not nest. Before 6.18
 *         a lock lets one task a CPU be inside softirqs, later several can be.
 * writes  cpus (shared.h): as softirq.bpf.c, for the task that runs; paused: what those that do not
 *         run were in
 * loses   nothing until 8192 tasks are off the CPU inside softirqs at once: of those that find no
 *         place the rest of that softirq, as of those whose exit was not seen
 * cost    softirqs as in softirq.bpf.c; a task switch with no softirq in it two loads and branches
 */
#define SOFTIRQS_ARE_PREEMPTED
#include "softirq.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define PAUSED_MAX 8192

/* The vector, plus one, of each task that is off the CPU inside a softirq. Made in advance: under
 * sched_switch nothing can be allocated. No task exits in a softirq, so no entry is left behind. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PAUSED_MAX);
	__type(key, __u32);                  /* thread id */
	__type(value, __u32);
} paused SEC(".maps");

/* The slice that ends here is this CPU's; the softirq goes on in another. */
static __always_inline void pause(struct shared_cpu *cpu, __u32 tid)
{
	__u32 vector = cpu->vector;

	if (!leave(cpu, vector - 1))
		return;
	if (!bpf_map_update_elem(&paused, &tid, &vector, BPF_ANY))
		cpu->softirqs_paused++;
}

static __always_inline void resume(struct shared_cpu *cpu, __u32 tid)
{
	const __u32 *vector = bpf_map_lookup_elem(&paused, &tid);

	if (!vector)
		return;
	enter(cpu, *vector - 1);
	cpu->softirqs_paused--;
	bpf_map_delete_elem(&paused, &tid);
}

/* From 7.0 on a program can be preempted, and does not run for others meanwhile: the exit of a
 * softirq may have gone unseen, and then its task's time is not the softirq's. */
static __always_inline bool is_in_softirq(const struct task_struct *task)
{
	return !bpf_core_field_exists(task->softirq_disable_cnt) || task->softirq_disable_cnt;
}

static __always_inline void forget_softirq(struct shared_cpu *cpu)
{
	cpu->vector = 0;
	cpu->softirq_since_ns = 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *from, struct task_struct *to)
{
	struct shared_cpu *cpu = this_cpu();

	if (!cpu)
		return 0;
	if (cpu->vector && !is_in_softirq(from))
		forget_softirq(cpu);
	if (cpu->vector)
		pause(cpu, from->pid);
	if (cpu->softirqs_paused)
		resume(cpu, to->pid);
	return 0;
}
