/* socket.bpf.c - time inside socket calls, at the kernel functions that serve them
 *
 * hooks   fentry and fexit of one kernel function: loaded once for each (collector/socket.c)
 * runs    in the task that calls; not for kernel threads and io_uring workers, nor in softirqs
 * writes  cpus (shared.h): socket_ns, socket_events, socket_missed
 * loses   a call whose entry or return was not seen: begun before us, or one program preempted
 *         while another task was to run it on this CPU: socket_missed
 * cost    not measured: the machines we could time refuse fentry
 */
#include "filter.bpf.h"
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct shared_function function = { 0 };    /* set by the collector */

static __always_inline bool is_ordinary_task(void)
{
	struct task_struct *task;
	__u32 hints;

	if (HAS_TASK_BTF) {
		hints = task_hints(bpf_get_current_task_btf());
	} else {
		task = (struct task_struct *)bpf_get_current_task();
		hints = BPF_CORE_READ(task, flags) & (PF_KTHREAD | PF_IDLE);
	}
	return !(hints & ~SHARED_HINT_EXITING);
}

/* This CPU's slot; NULL: the call is none that we time. */
static __always_inline struct shared_cpu *caller(void)
{
	struct shared_cpu *cpu = this_cpu();

	return cpu && !cpu->vector && is_ordinary_task() ? cpu : 0;
}

SEC("fentry")
int on_entry(void *ctx)
{
	const struct shared_function fn = {
		.number = function.number,
		.nests_in = function.nests_in,
		.direction = function.direction,
		.in_wrapper = function.in_wrapper,
	};
	struct shared_cpu *cpu = caller();

	if (cpu)
		enter_call(cpu, &fn);
	return 0;
}

SEC("fexit")
int on_return(void *ctx)
{
	struct shared_cpu *cpu = caller();

	if (cpu && !leave_call(cpu, function.number))
		add_atomically(&cpu->socket_missed, 1);
	return 0;
}

/* sendfile() calls the socket once a batch of pages, from here. */
SEC("fentry")
int on_wrapper_entry(void *ctx)
{
	struct shared_cpu *cpu = caller();

	if (cpu)
		cpu->socket.flags = SOCKET_WRAPPED | call_mark();
	return 0;
}

SEC("fexit")
int on_wrapper_return(void *ctx)
{
	struct shared_cpu *cpu = caller();

	if (cpu)
		cpu->socket.flags = 0;
	return 0;
}
