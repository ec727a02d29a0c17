/* aggregator/filter.c - the system calls that are left to the aggregator
 *
 * The libraries below us (libuv, libmicrohttpd, ncurses, libc with its plug-ins
 * for names) change from version to version, so the list is by purpose rather
 * than by what was seen. Which files and ports is Landlock's part.
 */
#include "filter.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"

#define ROWS(table) table, sizeof(table) / sizeof((table)[0])
#define ANY(name) { SCMP_SYS(name), { { 0 } } }

static const struct call_row files[] = {
	ANY(open), ANY(openat), ANY(close), ANY(close_range), ANY(read), ANY(pread64), ANY(readv),
	ANY(preadv), ANY(write), ANY(pwrite64), ANY(writev), ANY(pwritev), ANY(lseek), ANY(sendfile),
	ANY(fstat), ANY(stat), ANY(lstat), ANY(newfstatat), ANY(statx), ANY(statfs), ANY(fstatfs),
	ANY(access), ANY(faccessat), ANY(faccessat2), ANY(readlink), ANY(readlinkat), ANY(getdents64),
	ANY(getcwd), ANY(fcntl), ANY(flock), ANY(ftruncate), ANY(fallocate), ANY(fsync),
	ANY(fdatasync), ANY(rename), ANY(renameat), ANY(renameat2), ANY(unlink), ANY(unlinkat),
	ANY(umask), ANY(fchmod), ANY(dup), ANY(dup2), ANY(dup3), ANY(pipe), ANY(pipe2), ANY(eventfd2),
	ANY(memfd_create),
};

/* The terminal, and what libuv and the resolver ask of a socket. TIOCSTI, which types
 * into the terminal, is not here. */
static const struct call_row controls[] = {
	{ SCMP_SYS(ioctl), { CALL_IS(1, TCGETS) } },
	{ SCMP_SYS(ioctl), { CALL_IS(1, TCSETS) } },
	{ SCMP_SYS(ioctl), { CALL_IS(1, TCSETSW) } },
	{ SCMP_SYS(ioctl), { CALL_IS(1, TCSETSF) } },
	{ SCMP_SYS(ioctl), { CALL_IS(1, TCFLSH) } },
	{ SCMP_SYS(ioctl), { CALL_IS(1, TIOCGWINSZ) } },
	{ SCMP_SYS(ioctl), { CALL_IS(1, TIOCGPGRP) } },
	{ SCMP_SYS(ioctl), { CALL_IS(1, FIONBIO) } },
	{ SCMP_SYS(ioctl), { CALL_IS(1, FIONREAD) } },
	{ SCMP_SYS(ioctl), { CALL_IS(1, FIOCLEX) } },
};

/* No code any more, of files neither: they can be written, memfd_create()'s by everybody.
 * A library that is loaded yet (libc's plug-ins, see sandbox.c) fails to load. */
static const struct call_row memory[] = {
	{ SCMP_SYS(mmap), { CALL_LACKS(2, PROT_EXEC) } },
	{ SCMP_SYS(mprotect), { CALL_LACKS(2, PROT_EXEC) } },
	ANY(munmap), ANY(mremap), ANY(brk), ANY(madvise), ANY(membarrier),
};

static const struct call_row network[] = {
	{ SCMP_SYS(socket), { CALL_IS(0, AF_UNIX) } },
	{ SCMP_SYS(socket), { CALL_IS(0, AF_INET) } },
	{ SCMP_SYS(socket), { CALL_IS(0, AF_INET6) } },
	{ SCMP_SYS(socket), { CALL_IS(0, AF_NETLINK), CALL_IS(2, NETLINK_ROUTE) } },   /* getaddrinfo() */
	{ SCMP_SYS(socketpair), { CALL_IS(0, AF_UNIX) } },
	ANY(connect), ANY(bind), ANY(listen), ANY(accept), ANY(accept4), ANY(shutdown),
	ANY(getsockname), ANY(getpeername), ANY(getsockopt), ANY(setsockopt), ANY(sendto),
	ANY(sendmsg), ANY(sendmmsg), ANY(recvfrom), ANY(recvmsg), ANY(recvmmsg),
};

static const struct call_row waiting[] = {
	ANY(epoll_create1), ANY(epoll_ctl), ANY(epoll_wait), ANY(epoll_pwait), ANY(epoll_pwait2),
	ANY(poll), ANY(ppoll), ANY(select), ANY(pselect6), ANY(nanosleep), ANY(clock_nanosleep),
	ANY(clock_gettime), ANY(clock_getres), ANY(gettimeofday), ANY(time), ANY(restart_syscall),
	ANY(rt_sigaction), ANY(rt_sigprocmask), ANY(rt_sigreturn), ANY(sigaltstack),
};

/* clone3() cannot be told apart from a fork: it fails, and libc takes clone(). */
static const struct call_row threads[] = {
	{ SCMP_SYS(clone), { CALL_HAS(0, CLONE_THREAD) } },
	{ SCMP_SYS(prctl), { CALL_IS(0, PR_SET_NAME) } },
	ANY(set_robust_list), ANY(rseq), ANY(futex), ANY(sched_yield), ANY(sched_getaffinity),
	ANY(sched_getparam), ANY(sched_getscheduler), ANY(getpid), ANY(gettid), ANY(exit),
	ANY(exit_group),
};

static const struct call_row facts[] = {
	ANY(getuid), ANY(geteuid), ANY(getgid), ANY(getegid), ANY(getgroups), ANY(getppid),
	ANY(getpgrp), ANY(getpgid), ANY(uname), ANY(sysinfo), ANY(getcpu), ANY(getrandom),
	ANY(getrusage), ANY(getrlimit), ANY(capget),
	{ SCMP_SYS(prlimit64), { CALL_IS(0, 0), CALL_IS(2, 0) } },   /* one's own, not set */
};

/* Nothing here calls these, whatever the library: whoever does is somebody else. */
static const struct call_row deadly[] = {
	ANY(execve), ANY(execveat), ANY(fork), ANY(vfork),
#ifndef __SANITIZE_ADDRESS__   /* LeakSanitizer looks on from a process of its own */
	{ SCMP_SYS(clone), { CALL_LACKS(0, CLONE_THREAD) } },
	ANY(ptrace),
#endif
	ANY(process_vm_readv), ANY(process_vm_writev), ANY(pidfd_getfd), ANY(bpf), ANY(perf_event_open),
	ANY(userfaultfd), ANY(mount), ANY(umount2), ANY(move_mount), ANY(open_tree), ANY(fsopen),
	ANY(pivot_root), ANY(chroot), ANY(setns), ANY(unshare), ANY(setuid), ANY(setgid), ANY(setreuid),
	ANY(setregid), ANY(setresuid), ANY(setresgid), ANY(setgroups), ANY(capset), ANY(keyctl),
	ANY(add_key), ANY(request_key), ANY(init_module), ANY(finit_module), ANY(delete_module),
	ANY(kexec_load), ANY(kexec_file_load), ANY(reboot), ANY(swapon), ANY(open_by_handle_at),
	ANY(personality),
};

#ifdef __SANITIZE_ADDRESS__
static const struct call_row sanitizers[] = {
	ANY(clone), ANY(ptrace), ANY(wait4), ANY(prctl), ANY(tgkill), ANY(getdents),
};
#endif

/* To itself: ncurses stops the program on Ctrl-Z, abort() ends it. */
static int allow_own_signals(scmp_filter_ctx filter)
{
	const struct call_row own[] = {
		{ SCMP_SYS(kill), { CALL_IS(0, getpid()) } },
#ifndef __SANITIZE_ADDRESS__
		{ SCMP_SYS(tgkill), { CALL_IS(0, getpid()) } },
#endif
	};

	return calls_add(filter, SCMP_ACT_ALLOW, ROWS(own));
}

static int add_tables(scmp_filter_ctx filter)
{
	static const struct {
		uint32_t action;
		const struct call_row *rows;
		size_t count;
	} tables[] = {
		{ SCMP_ACT_ALLOW, ROWS(files) }, { SCMP_ACT_ALLOW, ROWS(controls) },
		{ SCMP_ACT_ALLOW, ROWS(memory) }, { SCMP_ACT_ALLOW, ROWS(network) },
		{ SCMP_ACT_ALLOW, ROWS(waiting) }, { SCMP_ACT_ALLOW, ROWS(threads) },
		{ SCMP_ACT_ALLOW, ROWS(facts) }, { SCMP_ACT_KILL_PROCESS, ROWS(deadly) },
#ifdef __SANITIZE_ADDRESS__
		{ SCMP_ACT_ALLOW, ROWS(sanitizers) },
#endif
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(tables) / sizeof(tables[0]); i++)
		err = calls_add(filter, tables[i].action, tables[i].rows, tables[i].count);
	return err;
}

int filter_enter(void)
{
	scmp_filter_ctx filter = NULL;
	int err = calls_open(&filter, SCMP_ACT_ERRNO(ENOSYS));

	if (!err)
		err = add_tables(filter);
	if (!err)
		err = allow_own_signals(filter);
	if (!err)
		err = calls_enter(filter);
	calls_close(filter);
	return err;
}
