/* bpf/shared.h - the layout of what the BPF programs share with the collector
 *
 * Included on both sides, first of all on the collector's: skeleton headers
 * repeat these types. Fixed-size members only, naturally aligned.
 */
#ifndef NETTO_BPF_SHARED_H
#define NETTO_BPF_SHARED_H

#ifdef __bpf__
#include "core_types.h"
#else
#include <linux/types.h>
#endif

#define SHARED_FRAMES_MAX 127        /* kernel.perf_event_max_stack's default */
#define SHARED_SOFTIRQ_VECTORS 10    /* include/linux/interrupt.h, HI to RCU */
#define SHARED_IRQ_SLOTS 32          /* hard interrupt handlers told apart on one CPU; 2^n */
#define SHARED_IRQ_NAME_BYTES 24
#define SHARED_COMM_BYTES 16
#define SHARED_RING_BYTES (256u << 10)   /* BPF ring buffer, one a CPU */

/* What the sample's task was; equal to enum sample_hint of common/sample_hints.h. */
enum shared_hint {
	SHARED_HINT_IDLE = 1 << 0,
	SHARED_HINT_KTHREAD = 1 << 1,
	SHARED_HINT_IO_WORKER = 1 << 2,
	SHARED_HINT_USER_WORKER = 1 << 3,
	SHARED_HINT_EXITING = 1 << 4,
	SHARED_HINT_COMPAT = 1 << 5,
	SHARED_HINT_TRUNCATED = 1 << 6,
};

/* Which way a socket call moves data. */
enum shared_direction {
	SHARED_SEND,
	SHARED_RECEIVE,
	SHARED_DIRECTIONS,
};

#define SHARED_SLEEPERS 16384        /* tasks off the CPU inside a socket call; 2^n */

/* One for all CPUs, beside the slots. */
struct shared_sockets {
	__u32 check_tid;                 /* whose events are also counted here; 0: nobody's */
	__u32 reserved;
	__u64 check_events[SHARED_DIRECTIONS];
	__u32 sleepers[SHARED_SLEEPERS]; /* how many of them have a thread id that ends so */
};

#define SHARED_NESTS_NOWHERE 0       /* functions are numbered from 1 */
#define SHARED_NESTS_ANYWHERE 255

/* The function that a program is attached to. A program does not run while one of
 * the same function was preempted on this CPU, so an entry or a return can go
 * unseen: what cannot be nested tells that a call which looks open is over. */
struct shared_function {
	__u8 number;
	__u8 nests_in;                   /* in calls of that number */
	__u8 direction;
	__u8 in_wrapper;                 /* sendfile() can call it */
};

/* Where in its socket calls the task running on a CPU is; all 0: outside. Travels
 * with the task when it is switched out. */
struct shared_socket {
	__u8 depth;                      /* 0: outside */
	__u8 direction;                  /* of the outermost call */
	__u8 function;                   /* which serves that one */
	__u8 flags;                      /* bpf/socket.bpf.h */
} __attribute__((aligned(4), may_alias));

enum shared_loss {
	SHARED_LOST_RING_FULL,
	SHARED_LOST_NO_STACK,
	SHARED_LOST_NO_SCRATCH,
	SHARED_LOSSES,
};

/* One sample. In the ring buffer only the first frame_count frames are there. */
struct shared_sample {
	__u64 cgroup_id;
	__u32 cpu;
	__u32 pid;
	__u32 tgid;
	__s32 syscall;                   /* -1: none known */
	__u16 hints;
	__u8 vector;                     /* softirq vector running here, plus one; 0: none */
	__u8 frame_count;
	__u8 comm[SHARED_COMM_BYTES];
	__u32 reserved;
	__u64 frames[SHARED_FRAMES_MAX]; /* leaf first, addresses as the kernel has them */
};

/* One hard interrupt handler on one CPU; free while handler is 0. Name and
 * handler are written once, before ns and events first change. */
struct shared_irq {
	__u64 handler;
	__u64 ns;
	__u64 events;
	__u32 irq;
	__u32 reserved;
	__u8 name[SHARED_IRQ_NAME_BYTES];   /* not terminated when full */
};

/* Everything of one CPU: cumulative, written on that CPU only, read by the
 * collector through mmap. One slot a possible CPU. */
struct shared_cpu {
	/* What a softirq or a filtered sample touches, in one cache line. */
	__u64 softirq_since_ns;          /* the running softirq's start; 0: none runs */
	__u64 softirq_irq_ns;            /* irq_ns at that moment */
	__u64 irq_ns;                    /* all hard interrupts, local timer included */
	__u64 irq_since_ns;              /* the running hard interrupt's start; 0: none runs */
	__u32 vector;                    /* the running softirq, plus one; 0: none */
	__u32 sampling;                  /* the scratch record is in use */
	__u64 samples_taken;
	__u64 samples_filtered;
	__u64 softirq_all_ns;            /* the sum of softirq_ns */
	/* What a socket call touches, in one cache line. Its ns are task context only: net of
	 * softirqs, hard interrupts and time off the CPU. One event: one finished system call,
	 * or one io_uring operation, that sent or received, however many messages it moved. */
	__u64 socket_since_ns;           /* start of the running task's slice; 0: none counts */
	__u64 socket_stolen_ns;          /* softirqs and hard interrupts until then */
	struct shared_socket socket;
	__u32 socket_cuts;               /* times a slice was begun or ended by others */
	__u64 socket_ns[SHARED_DIRECTIONS];
	__u64 socket_events[SHARED_DIRECTIONS];
	__u64 socket_missed;             /* calls that could not be timed, wholly or in part */
	__u64 irq_other_ns;              /* handlers that found no slot */
	__u64 softirq_ns[SHARED_SOFTIRQ_VECTORS];      /* net of hard interrupts */
	__u64 softirq_events[SHARED_SOFTIRQ_VECTORS];
	__u64 softirqs_paused;           /* tasks off this CPU inside a softirq; PREEMPT_RT only */
	__u64 cpu_changes;               /* times a CPU came or went; in slot 0 only */
	__u64 module_changes;            /* times a module came or went; in slot 0 only */
	__u64 samples_lost[SHARED_LOSSES];
	struct shared_irq irqs[SHARED_IRQ_SLOTS];
} __attribute__((aligned(64)));

#endif
