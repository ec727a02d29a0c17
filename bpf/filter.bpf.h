/* bpf/filter.bpf.h - which samples can be network samples
 *
 * Unwinding is most of what a sample costs, so what cannot be network work is
 * filtered out before. In doubt a sample passes: dearer, never blind.
 */
#ifndef NETTO_BPF_FILTER_BPF_H
#define NETTO_BPF_FILTER_BPF_H

#include "shared.h"
#include "syscalls.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Set by the collector before loading. */
const volatile bool filter_on = 0;           /* 0: everything in kernel mode passes */
const volatile bool reads_kernel = 0;        /* bpf_probe_read_kernel is allowed: lockdown */
const volatile bool has_user_workers = 0;    /* PF_USER_WORKER means that: 6.4 */

/* Whose sample it is, as far as the filter and the record want to know. */
struct sampled {
	struct task_struct *task;
	struct pt_regs *regs;                /* NULL: no way to get at them */
	__u32 hints;
	__s32 syscall;                       /* -1: none known */
};

/* bpf_get_current_task_btf: 5.11; bpf_task_pt_regs: 5.15. Their absence is
 * decided at load time, and the dead branch is never looked at. */
#define HAS_TASK_BTF bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)
#define HAS_TASK_REGS bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)

static __always_inline bool in_compat_call(const struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & 0x0002;        /* TS_COMPAT */
#else
	return task->thread_info.flags & (1ul << 22);    /* TIF_32BIT */
#endif
}

static __always_inline __s32 syscall_of(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

static __always_inline __u32 argument_0(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->di;
#else
	return regs->orig_x0;
#endif
}

static __always_inline __u32 argument_1(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->si;
#else
	return regs->regs[1];
#endif
}

static __always_inline __u32 argument_2(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->dx;
#else
	return regs->regs[2];
#endif
}

/* The pid lies in another cache line than the flags: most tasks are spared it. */
static __always_inline __u32 task_hints(const struct task_struct *task)
{
	__u32 flags = task->flags, hints = 0;

	if (flags & (PF_IDLE | PF_KTHREAD) && !task->pid)
		return SHARED_HINT_IDLE;
	if (flags & PF_KTHREAD)
		hints |= SHARED_HINT_KTHREAD;
	if (flags & PF_IO_WORKER)
		hints |= SHARED_HINT_IO_WORKER;
	if (has_user_workers && flags & PF_USER_WORKER)
		hints |= SHARED_HINT_USER_WORKER;
	if (flags & PF_EXITING)
		hints |= SHARED_HINT_EXITING;
	return hints;
}

/* The registers with which an ordinary task of user space entered the kernel. */
static __always_inline void look_at_call(struct sampled *s)
{
	if (in_compat_call(s->task)) {
		s->hints |= SHARED_HINT_COMPAT;
		return;
	}
	if (!HAS_TASK_REGS)
		return;
	s->regs = (struct pt_regs *)bpf_task_pt_regs(s->task);
	s->syscall = syscall_of(s->regs);
}

static __always_inline void look_at_task(struct sampled *s)
{
	s->regs = 0;
	s->syscall = -1;
	if (HAS_TASK_BTF) {
		s->task = (struct task_struct *)bpf_get_current_task_btf();
		s->hints = task_hints(s->task);
		if (!(s->hints & ~SHARED_HINT_EXITING))
			look_at_call(s);
	} else {
		s->task = 0;
		s->hints = (__u32)bpf_get_current_pid_tgid() ? 0 : SHARED_HINT_IDLE;
	}
}

/* Sockets; /dev/net/tun; any character device with a dynamic major, which is
 * what macvtap and ipvtap get (and little else that is read or written much). */
static __always_inline bool is_network_inode(const struct inode *inode)
{
	__u16 mode = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	__u32 device, major;

	if (mode == S_IFSOCK)
		return 1;
	if (mode != S_IFCHR)
		return 0;
	device = BPF_CORE_READ(inode, i_rdev);
	major = device >> DEV_MINOR_BITS;
	return device == (10u << DEV_MINOR_BITS | 200) ||
	       (major >= 234 && major <= 254) || (major >= 384 && major <= 511);
}

/* NULL: none is open there. */
static __always_inline struct file *file_of(const struct task_struct *task, __u32 fd)
{
	const struct fdtable *table = task->files->fdt;
	struct file **slot, *file = 0;

	if (fd >= table->max_fds)
		return 0;
	slot = table->fd + fd;
	bpf_probe_read_kernel(&file, sizeof(file), slot);
	return file;
}

/* An empty descriptor passes: another thread may just have closed it. */
static __always_inline bool is_network_fd(const struct task_struct *task, __u32 fd)
{
	struct file *file = file_of(task, fd);

	return !file || is_network_inode(BPF_CORE_READ(file, f_inode));
}

static __always_inline bool is_socket_fd(const struct task_struct *task, __u32 fd)
{
	struct file *file = file_of(task, fd);

	return file && (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFSOCK;
}

static __always_inline bool is_network_call(const struct sampled *s)
{
	__u32 call = s->syscall;
	__u8 kind;

	if (call == (__u32)-1)               /* entered by an interrupt or a fault */
		return 0;
	if (call >= CALLS_COUNT)             /* x32, or newer than our table */
		return 1;
	kind = calls[call];
	if (!kind)
		return 0;
	if (kind & CALL_ALWAYS || !reads_kernel)
		return 1;
	return (kind & CALL_FD_0 && is_network_fd(s->task, argument_0(s->regs))) ||
	       (kind & CALL_FD_1 && is_network_fd(s->task, argument_1(s->regs))) ||
	       (kind & CALL_FD_2 && is_network_fd(s->task, argument_2(s->regs)));
}

static __always_inline bool may_be_network(const struct shared_cpu *cpu, const struct sampled *s)
{
	if (!filter_on || cpu->vector)
		return 1;
	if (s->hints)                        /* all but the idle task has network work to do */
		return !(s->hints & SHARED_HINT_IDLE);
	if (!HAS_TASK_REGS)
		return 1;
	return is_network_call(s);
}

#endif
