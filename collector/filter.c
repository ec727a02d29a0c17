/* collector/filter.c - the system calls that are left to the collector
 *
 * A row allows one call with these arguments; a call may have several rows. poll,
 * rmdir and their like do not exist everywhere: the row below each is what the C
 * library calls there.
 *
 * Nothing is received, and no file is opened but a new one. read is left for
 * kallsyms alone and write for messages: pread and pwrite fail on a socket or a
 * pipe by their nature.
 */
#include "filter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"

#define NEW_FILE (O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)   /* runtime_create()'s */
#define NEW_FILE_MODE 0440

#ifdef __SANITIZE_ADDRESS__
/* What the sanitizers do beside the program, most of it when a thread ends. Their
 * report of an error is more than this: it stops after its first line. */
static const struct call_row sanitizer_rows[] = {
	{ SCMP_SYS(mmap), { CALL_LACKS(2, PROT_EXEC), CALL_HAS(3, MAP_ANONYMOUS) } },
	{ SCMP_SYS(madvise), { { 0 } } },
	{ SCMP_SYS(sched_yield), { { 0 } } },
	{ SCMP_SYS(sigaltstack), { { 0 } } },
	{ SCMP_SYS(getpid), { { 0 } } },
	{ SCMP_SYS(gettid), { { 0 } } },
};
#endif

static int add_table(scmp_filter_ctx filter, const struct filter_files *f)
{
	const struct call_row rows[] = {
		/* the loop: wait, look at the clock and at the published files */
		{ SCMP_SYS(clock_nanosleep), { CALL_IS(0, CLOCK_MONOTONIC), CALL_IS(1, TIMER_ABSTIME) } },
		{ SCMP_SYS(restart_syscall), { { 0 } } },   /* that wait, after SIGSTOP and SIGCONT */
		{ SCMP_SYS(clock_gettime), { { 0 } } },     /* CPU time, and all clocks without a vDSO */
		{ SCMP_SYS(newfstatat), { CALL_IS(0, f->runtime_dir), CALL_IS(3, AT_SYMLINK_NOFOLLOW) } },

		/* hello and doorbell, to no other address and never waiting; READY and STOPPING */
		{ SCMP_SYS(sendto), { CALL_IS(3, MSG_DONTWAIT | MSG_NOSIGNAL), CALL_IS(4, 0) } },
		{ SCMP_SYS(sendto), { CALL_IS(0, f->notify), CALL_IS(3, MSG_NOSIGNAL), CALL_IS(4, 0) } },

		/* clients: wait for them, let them in, see who they are, close their way to us */
		{ SCMP_SYS(poll), { { 0 } } },
		{ SCMP_SYS(ppoll), { { 0 } } },
		{ SCMP_SYS(accept4), { CALL_IS(0, f->listener), CALL_IS(1, 0), CALL_IS(3, SOCK_CLOEXEC | SOCK_NONBLOCK) } },
		{ SCMP_SYS(getsockopt), { CALL_IS(1, SOL_SOCKET), CALL_IS(2, SO_PEERCRED) } },
		{ SCMP_SYS(getsockopt), { CALL_IS(1, SOL_SOCKET), CALL_IS(2, SO_PEERGROUPS) } },
		{ SCMP_SYS(geteuid), { { 0 } } },
		{ SCMP_SYS(shutdown), { CALL_IS(1, SHUT_RD) } },
		{ SCMP_SYS(shutdown), { CALL_IS(0, f->listener), CALL_IS(1, SHUT_RDWR) } },   /* ends the thread's wait */
		{ SCMP_SYS(setsockopt), { CALL_IS(1, SOL_SOCKET), CALL_IS(2, SO_SNDBUF) } },
		{ SCMP_SYS(close), { { 0 } } },

		/* the socket gets its name; at the end the entries go, and the directory */
		{ SCMP_SYS(renameat), { CALL_IS(0, f->runtime_dir), CALL_IS(2, f->runtime_dir) } },
		{ SCMP_SYS(unlinkat), { CALL_IS(0, f->runtime_dir), CALL_IS(2, 0) } },
		{ SCMP_SYS(rmdir), { { 0 } } },
		{ SCMP_SYS(unlinkat), { CALL_IS(0, AT_FDCWD), CALL_IS(2, AT_REMOVEDIR) } },

		/* sandbox_seal() looks into /proc/self/task once more, under the filter; the last
		 * table of symbols */
		{ SCMP_SYS(pread64), { { 0 } } },

		/* messages */
		{ SCMP_SYS(write), { CALL_IS(0, STDERR_FILENO) } },

		/* a new table of symbols, the only file that can be made; kallsyms again */
		{ SCMP_SYS(pwrite64), { { 0 } } },
		{ SCMP_SYS(umask), { { 0 } } },
		{ SCMP_SYS(openat), { CALL_IS(0, f->runtime_dir), CALL_IS(2, NEW_FILE), CALL_IS(3, NEW_FILE_MODE) } },
		{ SCMP_SYS(read), { CALL_IS(0, f->kallsyms) } },
		{ SCMP_SYS(lseek), { CALL_IS(0, f->kallsyms) } },

		/* memory, for what kallsyms says: never for code, never of a file */
		{ SCMP_SYS(mmap), { CALL_IS(2, PROT_READ | PROT_WRITE), CALL_IS(3, MAP_PRIVATE | MAP_ANONYMOUS) } },
		{ SCMP_SYS(mremap), { CALL_IS(3, MREMAP_MAYMOVE) } },
		{ SCMP_SYS(munmap), { { 0 } } },
		{ SCMP_SYS(brk), { { 0 } } },

		/* signals, and the ends of a thread and of the process */
		{ SCMP_SYS(rt_sigreturn), { { 0 } } },
		{ SCMP_SYS(rt_sigprocmask), { { 0 } } },
		{ SCMP_SYS(madvise), { CALL_IS(2, MADV_DONTNEED) } },    /* the thread's stack, malloc_trim() */
		{ SCMP_SYS(futex), { { 0 } } },
		{ SCMP_SYS(exit), { { 0 } } },
		{ SCMP_SYS(exit_group), { { 0 } } },
	};

	return calls_add(filter, SCMP_ACT_ALLOW, rows, sizeof(rows) / sizeof(rows[0]));
}

int filter_enter(const struct filter_files *files)
{
	scmp_filter_ctx filter = NULL;
	int err = calls_open(&filter, SCMP_ACT_KILL_PROCESS);

	if (!err)
		err = add_table(filter, files);
#ifdef __SANITIZE_ADDRESS__
	if (!err)
		err = calls_add(filter, SCMP_ACT_ALLOW, sanitizer_rows,
				sizeof(sanitizer_rows) / sizeof(sanitizer_rows[0]));
#endif
	if (!err)
		err = calls_enter(filter);
	calls_close(filter);
	return err;
}
