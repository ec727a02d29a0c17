/* bpf/slice.bpf.h - the time that the running task spends inside its socket calls
 *
 * A slot of `cpus` says how deep in socket calls the task is that runs there, and
 * since when this slice of them counts. What softirqs and interrupts took
 * meanwhile is subtracted by the difference of their own counters. At a switch
 * the slice ends, and the depth goes away with the task (socket_switch.bpf.c),
 * so that a call costs no look-up unless it sleeps.
 *
 * Who writes: programs in the task, which can be interrupted anywhere, and in
 * fentry also preempted, though not moved to another CPU; the switch; and the
 * sampler, which cuts long slices from its interrupt. Whoever was interrupted
 * finds its depth as it left it, since others leave theirs at 0 or take it
 * along. That its slice was cut meanwhile it sees by socket_cuts; then what it
 * has measured counts already, but for some ns. A counter never goes back, and
 * no time counts twice.
 */
#ifndef NETTO_BPF_SLICE_BPF_H
#define NETTO_BPF_SLICE_BPF_H

#include "cpus.bpf.h"
#include "filter.bpf.h"

#define SOCKET_WRAPPED 1             /* in a system call that makes many calls: one event */
#define SOCKET_COUNTED 2             /* which is counted already */
#define SOCKET_FLAGS 3               /* the bits above: call_mark() */
#define SOCKET_MARK_SHIFT 2

static __always_inline void write_now(__u64 *value, __u64 now)
{
	*(volatile __u64 *)value = now;
}

static __always_inline __u32 cuts_of(const struct shared_cpu *cpu)
{
	return *(const volatile __u32 *)&cpu->socket_cuts;
}

static __always_inline bool is_inside(const struct shared_cpu *cpu)
{
	return *(const volatile __u32 *)&cpu->socket;
}

/* The system call that the running task is in, folded to six bits; 0 in user space, and where
 * that cannot be told (before 5.15). */
static __always_inline __u8 call_mark(void)
{
	__u32 call;

	if (!HAS_TASK_REGS)
		return 0;
	call = syscall_of((struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf())) + 1;
	return (call ^ call >> 6) << SOCKET_MARK_SHIFT;
}

/* The task is elsewhere than where its socket call began: the call is over, its end was not seen,
 * and what came after it is not its time. */
static __always_inline bool has_moved_on(const struct shared_cpu *cpu)
{
	return (cpu->socket.flags & ~SOCKET_FLAGS) != call_mark();
}

/* A call that never ended, as far as we saw. */
static __always_inline void forget_call(struct shared_cpu *cpu)
{
	*(volatile __u32 *)&cpu->socket = 0;
	write_now(&cpu->socket_since_ns, 0);
	add_atomically(&cpu->socket_missed, 1);
}

static __always_inline __u64 stolen_ns(const struct shared_cpu *cpu)
{
	return read_now(&cpu->irq_ns) + read_now(&cpu->softirq_all_ns);
}

/* Nothing may be stolen between the two looks, or it would be subtracted from a
 * slice that does not contain it. False: something was. */
static __always_inline bool try_to_begin(struct shared_cpu *cpu)
{
	__u32 cuts = cuts_of(cpu);
	__u64 stolen = stolen_ns(cpu);
	__u64 now_ns = bpf_ktime_get_ns();

	write_now(&cpu->socket_stolen_ns, stolen);
	write_now(&cpu->socket_since_ns, now_ns);
	return stolen == stolen_ns(cpu) && cuts == cuts_of(cpu);
}

/* (Not a loop: up to 6.1 the verifier takes none that is entered in its middle.) */
static __always_inline void begin_slice(struct shared_cpu *cpu)
{
	if (!try_to_begin(cpu) && !try_to_begin(cpu))
		(void)try_to_begin(cpu);
}

/* Atomic: a task preempted between load and store would set the counter back. */
static __always_inline void add_slice(struct shared_cpu *cpu, __u64 ns)
{
	if (ns >> 63)                /* begun in a storm of interrupts: by some ns, not more */
		return;
	if (cpu->socket.direction == SHARED_RECEIVE)
		add_atomically(&cpu->socket_ns[SHARED_RECEIVE], ns);
	else
		add_atomically(&cpu->socket_ns[SHARED_SEND], ns);
}

/* The slice until now, the same way. False: something was stolen meanwhile, which is in it. */
static __always_inline bool try_to_measure(const struct shared_cpu *cpu, __u64 since_ns, __u64 *ns)
{
	__u64 stolen = stolen_ns(cpu);

	*ns = bpf_ktime_get_ns() - since_ns - (stolen - read_now(&cpu->socket_stolen_ns));
	return stolen == stolen_ns(cpu);
}

static __always_inline void end_slice(struct shared_cpu *cpu)
{
	__u32 cuts = cuts_of(cpu);
	__u64 since_ns = read_now(&cpu->socket_since_ns), ns;

	if (!try_to_measure(cpu, since_ns, &ns))
		(void)try_to_measure(cpu, since_ns, &ns);
	write_now(&cpu->socket_since_ns, 0);
	if (since_ns && cuts == cuts_of(cpu))
		add_slice(cpu, ns);
}

/* From the sampler's interrupt: a call that goes on for long shows meanwhile.
 * The slice ends where the interrupt began, which is not in irq_ns yet; one that
 * a softirq interrupted is left for the next time. */
static __always_inline void cut_slice(struct shared_cpu *cpu)
{
	__u64 stolen, now_ns;

	if (!cpu->socket.depth || !cpu->socket_since_ns || cpu->vector)
		return;
	if (has_moved_on(cpu)) {
		forget_call(cpu);
		return;
	}
	stolen = stolen_ns(cpu);
	now_ns = cpu->irq_since_ns;
	if (!now_ns)
		now_ns = bpf_ktime_get_ns();
	add_slice(cpu, now_ns - cpu->socket_since_ns - (stolen - cpu->socket_stolen_ns));
	cpu->socket_since_ns = now_ns;
	cpu->socket_stolen_ns = stolen;
	cpu->socket_cuts++;
}

#endif
