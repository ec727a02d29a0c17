/* socket_tp.bpf.c - time inside socket calls, by system call
 *
 * hooks   tp_btf sys_enter, sys_exit: where the kernel refuses fentry
 * runs    at every system call of the machine; goes on for sends and receives on sockets only
 * writes  cpus (shared.h): socket_ns, socket_events
 * loses   32-bit calls and io_uring operations: not seen
 * cost    tests/bench/bench_sockets.c
 */
#include "filter.bpf.h"
#include "socket.bpf.h"
#include "socket_calls.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 directions = 1 << SHARED_SEND | 1 << SHARED_RECEIVE;

/* What the descriptors of a call make of it: a bit of `directions`; 0: no socket call.
 * Of two sockets, in sendfile(), the first to be called counts. */
static __always_inline __u32 bit_of(const struct pt_regs *regs, __u8 kind)
{
	const struct task_struct *task = bpf_get_current_task_btf();

	if (in_compat_call(task))
		return 0;
	if (kind & SOCKET_SENDS)
		return 1 << SHARED_SEND;
	if (kind & SOCKET_RECEIVES)
		return 1 << SHARED_RECEIVE;
	if ((kind & SOCKET_FROM_0 && is_socket_fd(task, argument_0(regs))) ||
	    (kind & SOCKET_FROM_1 && is_socket_fd(task, argument_1(regs))))
		return 1 << SHARED_RECEIVE;
	if ((kind & SOCKET_TO_0 && is_socket_fd(task, argument_0(regs))) ||
	    (kind & SOCKET_TO_2 && is_socket_fd(task, argument_2(regs))))
		return 1 << SHARED_SEND;
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	struct shared_function fn = { .number = 1 };
	struct shared_cpu *cpu;
	__u32 bit;

	if ((unsigned long)id >= CALLS_COUNT || !socket_calls[id])
		return 0;
	bit = bit_of(regs, socket_calls[id]);
	if (!(bit & directions))
		return 0;
	cpu = this_cpu();
	if (!cpu)
		return 0;
	fn.direction = bit == 1 << SHARED_RECEIVE;
	enter_call(cpu, &fn);
	return 0;
}

SEC("tp_btf/sys_exit")
int on_sys_exit(void *ctx)
{
	struct shared_cpu *cpu = this_cpu();

	if (cpu)
		(void)leave_call(cpu, 1);
	return 0;
}
