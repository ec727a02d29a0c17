/* bpf/socket.bpf.h - entering and leaving socket calls: the outermost one decides */
#ifndef NETTO_BPF_SOCKET_BPF_H
#define NETTO_BPF_SOCKET_BPF_H

#include "slice.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shared_sockets);
} sockets SEC(".maps");

static __always_inline struct shared_sockets *all_sockets(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&sockets, &first);
}

static __always_inline void count_event(struct shared_cpu *cpu, __u32 direction)
{
	struct shared_sockets *all = all_sockets();

	if (cpu->socket.flags & SOCKET_COUNTED)
		return;
	if (cpu->socket.flags & SOCKET_WRAPPED)
		cpu->socket.flags |= SOCKET_COUNTED;
	direction = direction == SHARED_RECEIVE;
	add_atomically(&cpu->socket_events[direction], 1);
	if (all && all->check_tid && all->check_tid == (__u32)bpf_get_current_pid_tgid())
		add_atomically(&all->check_events[direction], 1);
}

/* In one store: whoever interrupts finds no half of it, and it travels with the task as a whole. */
static __always_inline void set_socket(struct shared_cpu *cpu, struct shared_socket socket)
{
	*(volatile __u32 *)&cpu->socket = *(__u32 *)&socket;
}

static __always_inline void enter_call(struct shared_cpu *cpu, const struct shared_function *fn)
{
	struct shared_socket begun = {
		.depth = 1,
		.direction = fn->direction,
		.function = fn->number,
	};

	if (cpu->socket.depth) {
		if (fn->nests_in == SHARED_NESTS_ANYWHERE || fn->nests_in == cpu->socket.function) {
			cpu->socket.depth += cpu->socket.function == fn->number;
			return;
		}
		forget_call(cpu);
	}
	begun.flags = (fn->in_wrapper ? cpu->socket.flags & SOCKET_FLAGS : 0) | call_mark();
	set_socket(cpu, begun);
	begin_slice(cpu);
}

/* False: its entry was not seen, or its state was lost. */
static __always_inline bool leave_call(struct shared_cpu *cpu, __u8 number)
{
	struct shared_socket outside = { 0 };

	if (!cpu->socket.depth)
		return 0;
	if (cpu->socket.function != number)
		return 1;
	if (cpu->socket.depth > 1) {
		cpu->socket.depth--;
		return 1;
	}
	end_slice(cpu);
	count_event(cpu, cpu->socket.direction);
	outside.flags = cpu->socket.flags & SOCKET_WRAPPED ? cpu->socket.flags : 0;
	set_socket(cpu, outside);
	write_now(&cpu->socket_since_ns, 0);
	return 1;
}

#endif
