/* bpf/socket_calls.bpf.h - which system calls send and receive
 *
 * The others on sockets (connect, poll, setsockopt, ...) are the sampler's
 * business: bpf/syscalls.bpf.h. pread and its kin fail on sockets.
 */
#ifndef NETTO_BPF_SOCKET_CALLS_BPF_H
#define NETTO_BPF_SOCKET_CALLS_BPF_H

#include "syscalls.bpf.h"

enum {
	SOCKET_SENDS = 1 << 0,               /* only sockets serve it */
	SOCKET_RECEIVES = 1 << 1,
	SOCKET_TO_0 = 1 << 2,                /* sends if that argument is a socket */
	SOCKET_TO_2 = 1 << 3,
	SOCKET_FROM_0 = 1 << 4,              /* receives if that argument is a socket */
	SOCKET_FROM_1 = 1 << 5,
};

static const __u8 socket_calls[CALLS_COUNT] = {
#if defined(__TARGET_ARCH_x86)     /* arch/x86/entry/syscalls/syscall_64.tbl */
	[44] = SOCKET_SENDS,                 /* sendto */
	[46] = SOCKET_SENDS,                 /* sendmsg */
	[307] = SOCKET_SENDS,                /* sendmmsg */
	[1] = SOCKET_TO_0,                   /* write */
	[20] = SOCKET_TO_0,                  /* writev */
	[328] = SOCKET_TO_0,                 /* pwritev2 */
	[45] = SOCKET_RECEIVES,              /* recvfrom */
	[47] = SOCKET_RECEIVES,              /* recvmsg */
	[299] = SOCKET_RECEIVES,             /* recvmmsg */
	[0] = SOCKET_FROM_0,                 /* read */
	[19] = SOCKET_FROM_0,                /* readv */
	[327] = SOCKET_FROM_0,               /* preadv2 */
	[40] = SOCKET_TO_0 | SOCKET_FROM_1,  /* sendfile */
	[275] = SOCKET_FROM_0 | SOCKET_TO_2, /* splice */
#elif defined(__TARGET_ARCH_arm64) /* include/uapi/asm-generic/unistd.h */
	[206] = SOCKET_SENDS,                /* sendto */
	[211] = SOCKET_SENDS,                /* sendmsg */
	[269] = SOCKET_SENDS,                /* sendmmsg */
	[64] = SOCKET_TO_0,                  /* write */
	[66] = SOCKET_TO_0,                  /* writev */
	[287] = SOCKET_TO_0,                 /* pwritev2 */
	[207] = SOCKET_RECEIVES,             /* recvfrom */
	[212] = SOCKET_RECEIVES,             /* recvmsg */
	[243] = SOCKET_RECEIVES,             /* recvmmsg */
	[63] = SOCKET_FROM_0,                /* read */
	[65] = SOCKET_FROM_0,                /* readv */
	[286] = SOCKET_FROM_0,               /* preadv2 */
	[71] = SOCKET_TO_0 | SOCKET_FROM_1,  /* sendfile */
	[76] = SOCKET_FROM_0 | SOCKET_TO_2,  /* splice */
#endif
};

#endif
