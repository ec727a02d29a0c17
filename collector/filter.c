/* collector/filter.c - the system calls that are left to the collector
 *
 * A row allows one call with these arguments; a call may have several rows. A
 * descriptor or a flag is compared in all 64 bits, of which the kernel looks at
 * 32: what differs above them is killed too. poll, rmdir and their like do not
 * exist everywhere, libseccomp leaves them out there; the row below each is what
 * the C library calls instead.
 *
 * Nothing is received, and no file is opened but a new one. read is left for
 * kallsyms alone: pread fails on a socket or a pipe by its nature.
 */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONDITIONS_MAX 4
#define API_LEVEL 3   /* of seccomp_api_get(3): all threads at once, killing the whole process */
#define NEW_FILE (O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)   /* runtime_create()'s */
#define NEW_FILE_MODE 0440

struct row {
	int call;
	struct scmp_arg_cmp conditions[CONDITIONS_MAX];   /* all of them; the first without an op ends them */
};

#define IS(argument, value) { argument, SCMP_CMP_EQ, (scmp_datum_t)(value), 0 }

#ifdef __SANITIZE_ADDRESS__
/* What the sanitizers do beside the program, most of it when a thread ends. Their
 * report of an error is more than this: it stops after its first line. */
static const struct row sanitizer_rows[] = {
	{ SCMP_SYS(mmap), { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
			    { 3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS } } },
	{ SCMP_SYS(madvise), { { 0 } } },
	{ SCMP_SYS(sched_yield), { { 0 } } },
	{ SCMP_SYS(sigaltstack), { { 0 } } },
	{ SCMP_SYS(getpid), { { 0 } } },
	{ SCMP_SYS(gettid), { { 0 } } },
};
#endif

static unsigned int count_conditions(const struct row *row)
{
	unsigned int count = 0;

	while (count < CONDITIONS_MAX && row->conditions[count].op)
		count++;
	return count;
}

static int add_rows(scmp_filter_ctx filter, const struct row *rows, size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rows[i].call,
					     count_conditions(&rows[i]), rows[i].conditions);
	return err;
}

static int add_table(scmp_filter_ctx filter, const struct filter_files *f)
{
	const struct row rows[] = {
		/* the loop: wait, look at the clock and at the published files */
		{ SCMP_SYS(clock_nanosleep), { IS(0, CLOCK_MONOTONIC), IS(1, TIMER_ABSTIME) } },
		{ SCMP_SYS(restart_syscall), { { 0 } } },   /* that wait, after SIGSTOP and SIGCONT */
		{ SCMP_SYS(clock_gettime), { { 0 } } },     /* CPU time, and all clocks without a vDSO */
		{ SCMP_SYS(newfstatat), { IS(0, f->runtime_dir), IS(3, AT_SYMLINK_NOFOLLOW) } },

		/* hello and doorbell, to no other address and never waiting; READY and STOPPING */
		{ SCMP_SYS(sendto), { IS(3, MSG_DONTWAIT | MSG_NOSIGNAL), IS(4, 0) } },
		{ SCMP_SYS(sendto), { IS(0, f->notify), IS(3, MSG_NOSIGNAL), IS(4, 0) } },

		/* clients: wait for them, let them in, see who they are, close their way to us */
		{ SCMP_SYS(poll), { { 0 } } },
		{ SCMP_SYS(ppoll), { { 0 } } },
		{ SCMP_SYS(accept4), { IS(0, f->listener), IS(1, 0), IS(3, SOCK_CLOEXEC | SOCK_NONBLOCK) } },
		{ SCMP_SYS(getsockopt), { IS(1, SOL_SOCKET), IS(2, SO_PEERCRED) } },
		{ SCMP_SYS(getsockopt), { IS(1, SOL_SOCKET), IS(2, SO_PEERGROUPS) } },
		{ SCMP_SYS(geteuid), { { 0 } } },
		{ SCMP_SYS(shutdown), { IS(1, SHUT_RD) } },
		{ SCMP_SYS(shutdown), { IS(0, f->listener), IS(1, SHUT_RDWR) } },   /* ends the thread's wait */
		{ SCMP_SYS(setsockopt), { IS(1, SOL_SOCKET), IS(2, SO_SNDBUF) } },
		{ SCMP_SYS(close), { { 0 } } },

		/* the socket gets its name; at the end the entries go, and the directory */
		{ SCMP_SYS(renameat), { IS(0, f->runtime_dir), IS(2, f->runtime_dir) } },
		{ SCMP_SYS(unlinkat), { IS(0, f->runtime_dir), IS(2, 0) } },
		{ SCMP_SYS(rmdir), { { 0 } } },
		{ SCMP_SYS(unlinkat), { IS(0, AT_FDCWD), IS(2, AT_REMOVEDIR) } },

		/* sandbox_seal() looks into /proc/self/task once more, under the filter; the last
		 * table of symbols */
		{ SCMP_SYS(pread64), { { 0 } } },

		/* messages; a new table of symbols is the only file that can be made and written */
		{ SCMP_SYS(write), { { 0 } } },
		{ SCMP_SYS(umask), { { 0 } } },
		{ SCMP_SYS(openat), { IS(0, f->runtime_dir), IS(2, NEW_FILE), IS(3, NEW_FILE_MODE) } },
		{ SCMP_SYS(read), { IS(0, f->kallsyms) } },
		{ SCMP_SYS(lseek), { IS(0, f->kallsyms) } },

		/* memory, for what kallsyms says: never for code, never of a file */
		{ SCMP_SYS(mmap), { IS(2, PROT_READ | PROT_WRITE), IS(3, MAP_PRIVATE | MAP_ANONYMOUS) } },
		{ SCMP_SYS(mremap), { IS(3, MREMAP_MAYMOVE) } },
		{ SCMP_SYS(munmap), { { 0 } } },
		{ SCMP_SYS(brk), { { 0 } } },

		/* signals, and the ends of a thread and of the process */
		{ SCMP_SYS(rt_sigreturn), { { 0 } } },
		{ SCMP_SYS(rt_sigprocmask), { { 0 } } },
		{ SCMP_SYS(madvise), { IS(2, MADV_DONTNEED) } },    /* the thread's stack, malloc_trim() */
		{ SCMP_SYS(futex), { { 0 } } },
		{ SCMP_SYS(exit), { { 0 } } },
		{ SCMP_SYS(exit_group), { { 0 } } },
	};

	return add_rows(filter, rows, sizeof(rows) / sizeof(rows[0]));
}

/* For all threads, and for system calls of other architectures as well. */
static int set_up(scmp_filter_ctx filter)
{
	int err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* no translation into -ECANCELED: what the kernel says */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	return err;
}

int filter_enter(const struct filter_files *files)
{
	scmp_filter_ctx filter;
	int err;

	if (seccomp_api_get() < API_LEVEL)
		return -ENOSYS;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	err = set_up(filter);
	if (!err)
		err = add_table(filter, files);
#ifdef __SANITIZE_ADDRESS__
	if (!err)
		err = add_rows(filter, sanitizer_rows, sizeof(sanitizer_rows) / sizeof(sanitizer_rows[0]));
#endif
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}
