/* bpf/core_types.h - the kernel types that our BPF programs look into
 *
 * Written by hand: only the fields used, found at load time through BTF (CO-RE),
 * so that the build needs neither a dumped vmlinux.h nor <linux/...>, whose
 * headers want per-architecture paths under -target bpf.
 */
#ifndef NETTO_BPF_CORE_TYPES_H
#define NETTO_BPF_CORE_TYPES_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

/* include/uapi/linux/bpf.h */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_ANY = 0,
	BPF_F_MMAPABLE = 1 << 10,
	BPF_RB_NO_WAKEUP = 1 << 0,
};

/* include/linux/sched.h */
#define PF_IDLE 0x00000002
#define PF_EXITING 0x00000004
#define PF_IO_WORKER 0x00000010
#define PF_USER_WORKER 0x00004000        /* since 6.4; until 5.17 the bit was PF_USED_ASYNC */
#define PF_KTHREAD 0x00200000

/* include/uapi/linux/stat.h, include/linux/kdev_t.h */
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFCHR 0020000
#define DEV_MINOR_BITS 20

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Whether the running kernel has a helper: its number is in this enum. */
enum bpf_func_id {
	BPF_FUNC_get_current_task_btf = 158,
	BPF_FUNC_task_pt_regs = 175,
};

enum cpuhp_state {
	CPUHP_BRINGUP_CPU = 1,               /* differs from kernel to kernel */
};

struct thread_info {
	unsigned long flags;
	__u32 status;                        /* x86 */
};

struct inode {
	unsigned short i_mode;
	__u32 i_rdev;
};

struct file {
	struct inode *f_inode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int pid;
	int softirq_disable_cnt;             /* PREEMPT_RT */
	struct files_struct *files;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;               /* the system call; -1 in interrupts and faults */
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;                       /* regs[0] until the result overwrites it */
	__s32 syscallno;                     /* -1 in interrupts and faults */
};
#else
#error "netto knows the system calls of x86_64 and arm64 only"
#endif

struct irqaction {
	void *handler;
	const char *name;
};

#pragma clang attribute pop

#endif
