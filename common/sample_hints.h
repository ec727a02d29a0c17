/* common/sample_hints.h - what a sample says of the task it interrupted
 *
 * Bits of netto.Sample.hints. bpf/shared.h defines the same values for the
 * kernel side; collector/drain.c asserts that they are equal.
 */
#ifndef NETTO_COMMON_SAMPLE_HINTS_H
#define NETTO_COMMON_SAMPLE_HINTS_H

enum sample_hint {
	HINT_IDLE = 1 << 0,        /* the idle task: pid 0 */
	HINT_KTHREAD = 1 << 1,     /* a kernel thread (PF_KTHREAD) */
	HINT_IO_WORKER = 1 << 2,   /* an io_uring worker (PF_IO_WORKER) */
	HINT_USER_WORKER = 1 << 3, /* a kernel-made thread of a process, vhost (PF_USER_WORKER) */
	HINT_EXITING = 1 << 4,     /* do_exit() has begun (PF_EXITING) */
	HINT_COMPAT = 1 << 5,      /* in a 32-bit system call */
	HINT_TRUNCATED = 1 << 6,   /* the stack was deeper than 127 frames: its root side is missing */
};

#endif
