/* test_filter.c - each system call in a process of its own that has entered the filter
 *
 * A process ends with 0 if the call returned, whatever it returned, and dies of
 * SIGSYS if the filter forbids it. Which files are left is Landlock's part, and
 * what the call says of one is looked at by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "filter.h"

/* A directory with an empty file "x", another one with such a file, a listening socket, and a pair of
 * connected ones: pair[0] is the notify descriptor. */
static char dir_path[] = "/dev/shm/netto-test-XXXXXX", other_path[] = "/dev/shm/netto-other-XXXXXX";
static struct filter_files files;
static int pair[2], client, regular;
static char page[4096] __attribute__((aligned(4096)));

static const char *in_other(const char *name)
{
	static char path[4][64];
	static unsigned int next;
	char *out = path[next++ % 4];

	snprintf(out, sizeof(path[0]), "%s/%s", other_path, name);
	return out;
}

static int set_up(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	assert_non_null(mkdtemp(dir_path));
	assert_non_null(mkdtemp(other_path));
	assert_return_code(close(open(in_other("x"), O_RDWR | O_CREAT | O_CLOEXEC, 0600)), errno);
	files.runtime_dir = open(dir_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	files.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", dir_path);
	assert_return_code(bind(files.listener, (struct sockaddr *)&address, sizeof(address)), errno);
	assert_return_code(listen(files.listener, 8), errno);
	client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_return_code(connect(client, (struct sockaddr *)&address, sizeof(address)), errno);
	assert_return_code(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), errno);
	files.notify = pair[0];
	files.kallsyms = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	regular = openat(files.runtime_dir, "x", O_RDWR | O_CREAT, 0600);
	assert_return_code(regular, errno);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlinkat(files.runtime_dir, "s", 0);
	(void)unlinkat(files.runtime_dir, "x", 0);
	(void)unlinkat(files.runtime_dir, "y", 0);
	(void)rmdir(dir_path);
	(void)unlink(in_other("x"));
	(void)rmdir(other_path);
	return 0;
}

/* How a child ends that makes one call under the filter: 0, or the signal. */
static int end_of(const long call[7])
{
	const pid_t pid = fork();
	int status;

	if (!pid) {
		(void)prctl(PR_SET_DUMPABLE, 0);
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (filter_enter(&files))
			_exit(1);
		(void)syscall(call[0], call[1], call[2], call[3], call[4], call[5], call[6]);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		fail_msg("the filter cannot be installed");
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#define NEW_FILE (O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
#define POINTER(object) ((long)(object))

static void the_work_of_the_collector_is_allowed(void **state)
{
	static const struct timespec soon = { 0, 1 };
	struct stat st;
	struct ucred peer;
	socklen_t bytes = sizeof(peer);
	struct pollfd polled = { .fd = -1 };
	const struct { const char *what; long call[7]; } rows[] = {
		{ "sleep", { SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, POINTER(&soon) } },
		{ "CPU time", { SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, POINTER(page) } },
		{ "look at an entry", { SYS_newfstatat, files.runtime_dir, POINTER("x"), POINTER(&st),
				       AT_SYMLINK_NOFOLLOW } },
		{ "ring", { SYS_sendto, client, POINTER("x"), 1, MSG_DONTWAIT | MSG_NOSIGNAL } },
		{ "notify", { SYS_sendto, files.notify, POINTER("x"), 1, MSG_NOSIGNAL } },
		{ "wait for clients", { SYS_ppoll, POINTER(&polled), 1, POINTER(&soon) } },
		{ "accept", { SYS_accept4, files.listener, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK } },
		{ "who is it", { SYS_getsockopt, client, SOL_SOCKET, SO_PEERCRED, POINTER(&peer),
				POINTER(&bytes) } },
		{ "shut the way in", { SYS_shutdown, client, SHUT_RD } },
		{ "small buffer", { SYS_setsockopt, client, SOL_SOCKET, SO_SNDBUF, POINTER(&bytes),
				   sizeof(bytes) } },
		{ "close", { SYS_close, client } },
		{ "publish", { SYS_renameat, files.runtime_dir, POINTER("x"), files.runtime_dir,
			      POINTER("x") } },
		{ "remove", { SYS_unlinkat, files.runtime_dir, POINTER("none"), 0 } },
		{ "remove the directory", { SYS_unlinkat, AT_FDCWD, POINTER("/none"), AT_REMOVEDIR } },
		{ "look at a kernel's file", { SYS_pread64, regular, POINTER(page), 1, 0 } },
		{ "a message", { SYS_write, STDERR_FILENO, POINTER(""), 0 } },
		{ "free", { SYS_munmap, POINTER(page), 0 } },
		{ "a new table", { SYS_openat, files.runtime_dir, POINTER("y"), NEW_FILE, 0440 } },
		{ "write it", { SYS_pwrite64, regular, POINTER("x"), 1, 0 } },
		{ "back to the start of kallsyms", { SYS_lseek, files.kallsyms, 0, SEEK_SET } },
		{ "read kallsyms", { SYS_read, files.kallsyms, POINTER(page), 1 } },
		{ "memory", { SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0 } },
		{ "wake", { SYS_futex, POINTER(page), 1, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (end_of(rows[i].call))
			fail_msg("%s: killed", rows[i].what);
}

static void everything_else_kills(void **state)
{
	static char *const argv[] = { "true", NULL };
	const struct { const char *what; long call[7]; } rows[] = {
		{ "open", { SYS_openat, AT_FDCWD, POINTER("/etc/passwd"), O_RDONLY } },
		{ "open in the runtime directory", { SYS_openat, files.runtime_dir, POINTER("x"),
						    O_RDONLY } },
		{ "socket", { SYS_socket, AF_UNIX, SOCK_STREAM, 0 } },
		{ "connect", { SYS_connect, client, POINTER(page), 2 } },
		{ "write a file as if it were a message", { SYS_write, regular, POINTER("x"), 1 } },
		{ "write to a client", { SYS_write, client, POINTER("x"), 1 } },
		{ "make a file for others", { SYS_openat, files.runtime_dir, POINTER("y"), NEW_FILE, 0666 } },
		{ "open by another path", { SYS_openat, files.runtime_dir, POINTER("/etc/passwd"), O_RDONLY } },
		{ "make a file elsewhere", { SYS_openat, AT_FDCWD, POINTER("/dev/shm/none/y"), NEW_FILE,
					    0440 } },
		{ "read a client", { SYS_read, pair[0], POINTER(page), 1 } },
		{ "receive", { SYS_recvfrom, pair[0], POINTER(page), 1, MSG_DONTWAIT } },
		{ "receive a message", { SYS_recvmsg, pair[0], POINTER(page), MSG_DONTWAIT } },
		{ "pass descriptors", { SYS_sendmsg, client, POINTER(page), 0 } },
		{ "wait for a client to read", { SYS_sendto, client, POINTER("x"), 1, MSG_NOSIGNAL } },
		{ "send to an address", { SYS_sendto, client, POINTER("x"), 1,
					 MSG_DONTWAIT | MSG_NOSIGNAL, POINTER(page), 2 } },
		{ "accept with another flag", { SYS_accept4, files.listener, 0, 0, 0 } },
		{ "accept from another socket", { SYS_accept4, client, 0, 0,
						 SOCK_CLOEXEC | SOCK_NONBLOCK } },
		{ "open the way out only", { SYS_shutdown, client, SHUT_WR } },
		{ "take descriptors", { SYS_setsockopt, files.listener, SOL_SOCKET, 83, POINTER(page), 4 } },
		{ "truncate", { SYS_ftruncate, regular, 0 } },
		{ "rename elsewhere", { SYS_renameat, files.runtime_dir, POINTER("x"), AT_FDCWD,
				       POINTER("/dev/shm/none/x") } },
		{ "remove elsewhere", { SYS_unlinkat, AT_FDCWD, POINTER("/none"), 0 } },
		{ "look elsewhere", { SYS_newfstatat, AT_FDCWD, POINTER("/etc"), POINTER(page),
				     AT_SYMLINK_NOFOLLOW } },
		{ "execute", { SYS_execve, POINTER("/bin/true"), POINTER(argv), 0 } },
		{ "fork", { SYS_clone, SIGCHLD } },
		{ "a thread or a process", { SYS_clone3, POINTER(page), 64 } },
		{ "kill", { SYS_kill, 1, 0 } },
		{ "ptrace", { SYS_ptrace, 0 } },
		{ "another's memory", { SYS_process_vm_readv, 1, 0 } },
		{ "bpf", { SYS_bpf, 0, POINTER(page), 0 } },
		{ "perf_event_open", { SYS_perf_event_open, 0, 0, -1, -1, 0 } },
		{ "a probe's rate", { SYS_ioctl, regular, 0x2404, 1 } },
		{ "code in memory", { SYS_mprotect, POINTER(page), sizeof(page), PROT_READ | PROT_EXEC } },
		{ "memory of a file", { SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, regular, 0 } },
		{ "code from nowhere", { SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
		{ "become root", { SYS_setuid, 0 } },
		{ "be seen again", { SYS_prctl, PR_SET_DUMPABLE, 1 } },
		{ "another limit", { SYS_prlimit64, 0, 7, 0, 0 } },
		{ "io_uring", { SYS_io_uring_setup, 1, POINTER(page) } },
		{ "mount", { SYS_mount, 0, 0, 0, 0, 0 } },
		{ "a name space", { SYS_unshare, 0 } },
		{ "a module", { SYS_finit_module, regular, 0, 0 } },
		{ "keys", { SYS_keyctl, 0 } },
		{ "another filter", { SYS_seccomp, 1, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int end = end_of(rows[i].call);

		if (end != SIGSYS)
			fail_msg("%s: %s", rows[i].what, end ? strsignal(end) : "allowed");
	}
}

/* The error of one call where Landlock is in force: 0: none; -1: there is no Landlock. */
static int confined(bool filtered, const long call[7])
{
	const struct confine_files left = { .runtime_dir = files.runtime_dir, .removes_dir = true };
	const pid_t pid = fork();
	bool missing;
	int status;

	if (!pid) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (confine_enter(&left, open("/proc/self/task", O_PATH), &missing) ||
		    (filtered && filter_enter(&files)))
			_exit(254);
		errno = 0;
		if (!missing)
			(void)syscall(call[0], call[1], call[2], call[3], call[4], call[5], call[6]);
		_exit(missing ? 255 : errno);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 254);
	return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

struct confined_call {
	const char *what;
	int err;
	long call[7];
};

static void check_confined(bool filtered, const struct confined_call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const int err = confined(filtered, calls[i].call);

		if (err < 0)
			skip();
		if (err != calls[i].err)
			fail_msg("%s: %s", calls[i].what, err ? strerror(err) : "allowed");
	}
}

/* The filter lets all of these through: what it sees is the right descriptor. */
static void paths_do_not_lead_out_of_the_runtime_directory(void **state)
{
	const char *x = in_other("x"), *y = in_other("y");
	char beside[80], new_beside[80];
	const struct confined_call calls[] = {
		{ "make", 0, { SYS_openat, files.runtime_dir, POINTER("y"), NEW_FILE, 0440 } },
		{ "make elsewhere", EACCES, { SYS_openat, files.runtime_dir, POINTER(y), NEW_FILE, 0440 } },
		{ "make beside", EACCES, { SYS_openat, files.runtime_dir, POINTER(new_beside), NEW_FILE, 0440 } },
		{ "publish", 0, { SYS_renameat, files.runtime_dir, POINTER("y"), files.runtime_dir,
				 POINTER("z") } },
		{ "name the socket", 0, { SYS_renameat, files.runtime_dir, POINTER("s"), files.runtime_dir,
					 POINTER("t") } },
		{ "rename elsewhere", EACCES, { SYS_renameat, files.runtime_dir, POINTER(x), files.runtime_dir,
					       POINTER(y) } },
		{ "rename beside", EACCES, { SYS_renameat, files.runtime_dir, POINTER(beside),
					    files.runtime_dir, POINTER(new_beside) } },
		{ "move out", EACCES, { SYS_renameat, files.runtime_dir, POINTER("x"), files.runtime_dir,
				       POINTER(y) } },
		{ "move in", EACCES, { SYS_renameat, files.runtime_dir, POINTER(x), files.runtime_dir,
				      POINTER("y") } },
		{ "remove elsewhere", EACCES, { SYS_unlinkat, files.runtime_dir, POINTER(x), 0 } },
		{ "remove beside", EACCES, { SYS_unlinkat, files.runtime_dir, POINTER(beside), 0 } },
		{ "remove a far directory", EACCES, { SYS_unlinkat, AT_FDCWD, POINTER("/usr/bin"),
						     AT_REMOVEDIR } },
		{ "remove", 0, { SYS_unlinkat, files.runtime_dir, POINTER("z"), 0 } },
		{ "remove the socket", 0, { SYS_unlinkat, files.runtime_dir, POINTER("t"), 0 } },
	};

	(void)state;
	snprintf(beside, sizeof(beside), "..%s/x", strrchr(other_path, '/'));
	snprintf(new_beside, sizeof(new_beside), "..%s/y", strrchr(other_path, '/'));
	(void)unlinkat(files.runtime_dir, "y", 0);
	check_confined(true, calls, sizeof(calls) / sizeof(calls[0]));
}

/* Landlock alone, so without the filter, which forbids these by itself. */
static void no_file_of_others_is_left(void **state)
{
	static char *const argv[] = { "true", NULL };
	const struct confined_call calls[] = {
		{ "its own", 0, { SYS_openat, files.runtime_dir, POINTER("x"), O_RDWR } },
		{ "read", EACCES, { SYS_openat, files.runtime_dir, POINTER("/etc/passwd"), O_RDONLY } },
		{ "read beside", EACCES, { SYS_openat, files.runtime_dir, POINTER(in_other("x")), O_RDONLY } },
		{ "write beside", EACCES, { SYS_openat, files.runtime_dir, POINTER(in_other("x")), O_WRONLY } },
		{ "its own memory", EACCES, { SYS_openat, AT_FDCWD, POINTER("/proc/self/mem"), O_RDWR } },
		{ "list", EACCES, { SYS_openat, AT_FDCWD, POINTER("/dev/shm"), O_RDONLY | O_DIRECTORY } },
		{ "a directory", EACCES, { SYS_mkdirat, files.runtime_dir, POINTER("d"), 0700 } },
		{ "a link", EACCES, { SYS_symlinkat, POINTER("/"), files.runtime_dir, POINTER("l") } },
		{ "execute", EACCES, { SYS_execve, POINTER("/bin/true"), POINTER(argv), 0 } },
	};

	(void)state;
	check_confined(false, calls, sizeof(calls) / sizeof(calls[0]));
}

static atomic_bool entered;

static void *open_later(void *arg)
{
	while (!atomic_load(&entered))
		(void)poll(NULL, 0, 1);
	return (void *)(long)open(arg, O_RDONLY);
}

/* One that runs already is filtered too. */
static void a_thread_from_before_is_killed_with_the_process(void **state)
{
	const pid_t pid = fork();
	pthread_t thread;
	int status;

	(void)state;
	if (!pid) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (pthread_create(&thread, NULL, open_later, "/dev/null") || filter_enter(&files))
			_exit(1);
		atomic_store(&entered, true);
		(void)poll(NULL, 0, 20000);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_work_of_the_collector_is_allowed),
		cmocka_unit_test(everything_else_kills),
		cmocka_unit_test(paths_do_not_lead_out_of_the_runtime_directory),
		cmocka_unit_test(no_file_of_others_is_left),
		cmocka_unit_test(a_thread_from_before_is_killed_with_the_process),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
