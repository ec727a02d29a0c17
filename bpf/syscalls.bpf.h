/* bpf/syscalls.bpf.h - which system calls can run network code
 *
 * Read by the filter of the sampler. A call that only a socket can serve is
 * "always"; close() and dup2() too, since they empty the descriptor before
 * they work. For the others the descriptors decide, by their argument's place.
 */
#ifndef NETTO_BPF_SYSCALLS_BPF_H
#define NETTO_BPF_SYSCALLS_BPF_H

#include "core_types.h"

enum {
	CALL_FD_0 = 1 << 0,
	CALL_FD_1 = 1 << 1,
	CALL_FD_2 = 1 << 2,
	CALL_ALWAYS = 1 << 3,
};

#define CALLS_COUNT 512

static const __u8 calls[CALLS_COUNT] = {
#if defined(__TARGET_ARCH_x86)     /* arch/x86/entry/syscalls/syscall_64.tbl */
	[3] = CALL_ALWAYS,                   /* close */
	[7] = CALL_ALWAYS,                   /* poll */
	[23] = CALL_ALWAYS,                  /* select */
	[33] = CALL_ALWAYS,                  /* dup2 */
	[41 ... 55] = CALL_ALWAYS,           /* socket ... getsockopt: all calls on sockets */
	[213] = CALL_ALWAYS,                 /* epoll_create */
	[219] = CALL_ALWAYS,                 /* restart_syscall: of poll, after a stop */
	[232] = CALL_ALWAYS,                 /* epoll_wait */
	[233] = CALL_ALWAYS,                 /* epoll_ctl */
	[270] = CALL_ALWAYS,                 /* pselect6 */
	[271] = CALL_ALWAYS,                 /* ppoll */
	[281] = CALL_ALWAYS,                 /* epoll_pwait */
	[288] = CALL_ALWAYS,                 /* accept4 */
	[291] = CALL_ALWAYS,                 /* epoll_create1 */
	[292] = CALL_ALWAYS,                 /* dup3 */
	[299] = CALL_ALWAYS,                 /* recvmmsg */
	[307] = CALL_ALWAYS,                 /* sendmmsg */
	[426] = CALL_ALWAYS,                 /* io_uring_enter */
	[436] = CALL_ALWAYS,                 /* close_range */
	[441] = CALL_ALWAYS,                 /* epoll_pwait2 */
	[0] = CALL_FD_0,                     /* read */
	[1] = CALL_FD_0,                     /* write */
	[16] = CALL_FD_0,                    /* ioctl */
	[17] = CALL_FD_0,                    /* pread64 */
	[18] = CALL_FD_0,                    /* pwrite64 */
	[19] = CALL_FD_0,                    /* readv */
	[20] = CALL_FD_0,                    /* writev */
	[40] = CALL_FD_0 | CALL_FD_1,        /* sendfile */
	[275] = CALL_FD_0 | CALL_FD_2,       /* splice */
	[295] = CALL_FD_0,                   /* preadv */
	[296] = CALL_FD_0,                   /* pwritev */
	[327] = CALL_FD_0,                   /* preadv2 */
	[328] = CALL_FD_0,                   /* pwritev2 */
#elif defined(__TARGET_ARCH_arm64) /* include/uapi/asm-generic/unistd.h */
	[20 ... 22] = CALL_ALWAYS,           /* epoll_create1, epoll_ctl, epoll_pwait */
	[24] = CALL_ALWAYS,                  /* dup3 */
	[57] = CALL_ALWAYS,                  /* close */
	[72] = CALL_ALWAYS,                  /* pselect6 */
	[73] = CALL_ALWAYS,                  /* ppoll */
	[128] = CALL_ALWAYS,                 /* restart_syscall: of poll, after a stop */
	[198 ... 212] = CALL_ALWAYS,         /* socket ... recvmsg: all calls on sockets */
	[242] = CALL_ALWAYS,                 /* accept4 */
	[243] = CALL_ALWAYS,                 /* recvmmsg */
	[269] = CALL_ALWAYS,                 /* sendmmsg */
	[426] = CALL_ALWAYS,                 /* io_uring_enter */
	[436] = CALL_ALWAYS,                 /* close_range */
	[441] = CALL_ALWAYS,                 /* epoll_pwait2 */
	[29] = CALL_FD_0,                    /* ioctl */
	[63 ... 66] = CALL_FD_0,             /* read, write, readv, writev */
	[67 ... 70] = CALL_FD_0,             /* pread64, pwrite64, preadv, pwritev */
	[71] = CALL_FD_0 | CALL_FD_1,        /* sendfile */
	[76] = CALL_FD_0 | CALL_FD_2,        /* splice */
	[286] = CALL_FD_0,                   /* preadv2 */
	[287] = CALL_FD_0,                   /* pwritev2 */
#endif
};

#endif
