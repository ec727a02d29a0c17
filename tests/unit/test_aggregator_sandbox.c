/* test_aggregator_sandbox.c - what an aggregator can still do, and what it cannot
 *
 * Each in a process of its own that has entered the sandbox. The sandbox goes by
 * the names of files, so the runtime directory, the log's and a third one lie
 * beside each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "landlock.h"
#include "log.h"
#include "sandbox.h"

#define POINTER(object) ((long)(object))

static char place[] = "/dev/shm/netto-test-XXXXXX";
static struct options options;
static char page[4096] __attribute__((aligned(4096)));

static const char *in_place(const char *name)
{
	static char path[4][128];
	static unsigned int next;
	char *out = path[next++ % 4];

	snprintf(out, sizeof(path[0]), "%s/%s", place, name);
	return out;
}

static void make_file(const char *name)
{
	const int fd = open(in_place(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_return_code(fd, errno);
	close(fd);
}

static int set_up(void **state)
{
	static char runtime_dir[128], log_file[128];

	(void)state;
	assert_non_null(mkdtemp(place));
	for (size_t i = 0; i < 4; i++) {
		static const char *const dirs[] = { "run", "run/netto", "log", "private" };

		assert_return_code(mkdir(in_place(dirs[i]), 0700), errno);
	}
	make_file("run/netto/ring");
	make_file("private/key");
	snprintf(runtime_dir, sizeof(runtime_dir), "%s/run/netto/", place);
	snprintf(log_file, sizeof(log_file), "%s/log/lines", place);
	options = (struct options){
		.runtime_dir = runtime_dir, .log_file = log_file, .allow_root = true,
		.prometheus = true, .prometheus_port = 24391,
	};
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "run/netto/ring", "private/key", "log/lines", "log/old" };
	static const char *const dirs[] = { "run/netto", "run", "log", "private", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(in_place(files[i]));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		(void)rmdir(in_place(dirs[i]));
	return 0;
}

/* How a child ends that does this in the sandbox: what it returns, or minus the signal. */
static int end_of(int (*steps)(const void *arg), const void *arg)
{
	const pid_t pid = fork();
	int status;

	if (!pid) {
		log_hold();
		_exit(sandbox_enter(&options) ? 255 : steps(arg));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int make_call(const void *arg)
{
	const long *call = arg;

	errno = 0;
	(void)syscall(call[0], call[1], call[2], call[3], call[4], call[5], call[6]);
	return errno;
}

struct call {
	const char *what;
	int end;           /* errno, or minus the signal */
	long call[7];
};

static void check_calls(const struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const int end = end_of(make_call, calls[i].call);

		if (end != calls[i].end)
			fail_msg("%s: ended with %d instead of %d", calls[i].what, end, calls[i].end);
	}
}

static void what_only_an_intruder_calls_kills(void **state)
{
	static char *const argv[] = { "true", NULL };
	const struct call calls[] = {
		{ "execute", -SIGSYS, { SYS_execve, POINTER("/bin/true"), POINTER(argv), 0 } },
#ifndef __SANITIZE_ADDRESS__
		{ "fork", -SIGSYS, { SYS_clone, SIGCHLD } },
		{ "ptrace", -SIGSYS, { SYS_ptrace, 0 } },
#endif
		{ "another's memory", -SIGSYS, { SYS_process_vm_readv, 1, 0 } },
		{ "another's descriptors", -SIGSYS, { SYS_pidfd_getfd, 1, 0, 0 } },
		{ "bpf", -SIGSYS, { SYS_bpf, 0, POINTER(page), 0 } },
		{ "perf_event_open", -SIGSYS, { SYS_perf_event_open, 0, 0, -1, -1, 0 } },
		{ "mount", -SIGSYS, { SYS_mount, 0, 0, 0, 0, 0 } },
		{ "a name space", -SIGSYS, { SYS_unshare, 0 } },
		{ "another user", -SIGSYS, { SYS_setuid, 1 } },
		{ "capabilities", -SIGSYS, { SYS_capset, 0, 0 } },
		{ "keys", -SIGSYS, { SYS_keyctl, 0 } },
		{ "a module", -SIGSYS, { SYS_finit_module, 0, 0, 0 } },
		{ "page faults", -SIGSYS, { SYS_userfaultfd, 0 } },
	};

	(void)state;
	check_calls(calls, sizeof(calls) / sizeof(calls[0]));
}

static void what_is_not_known_is_not_there(void **state)
{
	const struct call calls[] = {
		{ "io_uring", ENOSYS, { SYS_io_uring_setup, 1, POINTER(page) } },
		{ "clone3, that may be a fork", ENOSYS, { SYS_clone3, POINTER(page), 64 } },
		{ "packets", ENOSYS, { SYS_socket, AF_PACKET, SOCK_RAW, 0 } },
		{ "netlink", ENOSYS, { SYS_socket, AF_NETLINK, SOCK_RAW, 4 } },
		{ "code made in memory", ENOSYS, { SYS_mprotect, POINTER(page), 4096, PROT_READ | PROT_EXEC } },
		{ "code from nowhere", ENOSYS, { SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC,
						MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
		{ "type into the terminal", ENOSYS, { SYS_ioctl, 0, TIOCSTI, POINTER("x") } },
		{ "end another process", ENOSYS, { SYS_kill, 1, 0 } },
#ifndef __SANITIZE_ADDRESS__
		{ "be seen again", ENOSYS, { SYS_prctl, PR_SET_DUMPABLE, 1 } },
#endif
		{ "set a limit", ENOSYS, { SYS_prlimit64, 0, 7, POINTER(page), 0 } },
	};

	(void)state;
	check_calls(calls, sizeof(calls) / sizeof(calls[0]));
}

static void *nothing(void *arg)
{
	return arg;
}

/* The number of the first step that fails. */
static int do_the_work(const void *arg)
{
	struct addrinfo *found = NULL;
	pthread_t thread;

	(void)arg;
	if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL))
		return 1;
	if (getaddrinfo("localhost", "80", NULL, &found) == EAI_SYSTEM)
		return 2;
	if (found)
		freeaddrinfo(found);
	if (open("/proc/self/stat", O_RDONLY) < 0 || open("/proc/1/stat", O_RDONLY) < 0)
		return 3;
	if (open("/etc/passwd", O_RDONLY) < 0 || open("/dev/null", O_WRONLY) < 0)
		return 4;
	return kill(getpid(), 0) ? 5 : 0;
}

static void its_own_work_is_left(void **state)
{
	(void)state;
	assert_int_equal(end_of(do_the_work, NULL), 0);
}

/* A descriptor for a page of something, written here or not. */
static int open_code(const char *name)
{
	int fd;

	if (*name == '/')
		return open(name, O_RDONLY | O_CLOEXEC);
	fd = !strcmp(name, "memory") ? memfd_create(name, MFD_CLOEXEC) :
				       open(in_place(name), O_RDWR | O_CREAT | O_CLOEXEC, 0700);
	return fd >= 0 && pwrite(fd, page, sizeof(page), 0) != sizeof(page) ? -1 : fd;
}

/* The error of making it code at once, or later. */
static int map_code(const void *arg)
{
	const int fd = open_code(arg);

	if (fd < 0)
		return 250;
	return mmap(NULL, sizeof(page), PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? errno : 0;
}

static int turn_into_code(const void *arg)
{
	const int fd = open_code(arg);
	void *text = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(page), PROT_READ, MAP_PRIVATE, fd, 0);

	if (text == MAP_FAILED)
		return 250;
	return mprotect(text, sizeof(page), PROT_READ | PROT_EXEC) ? errno : 0;
}

static void no_code_comes_in(void **state)
{
	static const char *const sources[] = { "memory", "log/lines", "/etc/passwd" };

	(void)state;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (end_of(map_code, sources[i]) != ENOSYS)
			fail_msg("%s can be mapped as code", sources[i]);
		if (end_of(turn_into_code, sources[i]) != ENOSYS)
			fail_msg("%s can be turned into code", sources[i]);
	}
}

static bool no_landlock(void)
{
	struct landlock *l = NULL;
	const bool none = landlock_open(&l) != 0;

	landlock_close(l);
	return none;
}

struct access {
	const char *name;
	int flags;
	int err;
	const char *why;
};

static int open_it(const void *arg)
{
	const struct access *access = arg;
	const char *path = *access->name == '/' ? access->name : in_place(access->name);

	return open(path, access->flags | O_CLOEXEC, 0600) < 0 ? errno : 0;
}

static void only_named_files_are_left(void **state)
{
	static const struct access accesses[] = {
		{ "run/netto/ring", O_RDONLY, 0, "the ring" },
		{ "run/netto", O_RDONLY | O_DIRECTORY, 0, "the runtime directory" },
		{ "run/netto/ring", O_RDWR, EACCES, "the ring, to write" },
		{ "run/netto/new", O_WRONLY | O_CREAT, EACCES, "a file beside the ring" },
		{ "log/lines", O_WRONLY | O_CREAT | O_APPEND, 0, "the log" },
		{ "log/lines", O_RDONLY, 0, "the log's last byte" },
		{ "private/key", O_RDONLY, EACCES, "another's file" },
		{ "private/new", O_WRONLY | O_CREAT, EACCES, "a new file elsewhere" },
		{ "/etc/passwd", O_RDWR, EACCES, "a file of the system, to write" },
		{ "/proc/self/mem", O_RDWR, EACCES, "its own memory, where even code can be written" },
		{ "/dev/shm", O_RDONLY | O_DIRECTORY, EACCES, "what else is there" },
	};

	(void)state;
	if (no_landlock())
		skip();
	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		const int end = end_of(open_it, &accesses[i]);

		if (end != accesses[i].err)
			fail_msg("%s: %s", accesses[i].why, end ? strerror(end) : "opened");
	}
}

/* Outside the sandbox, while a child waits in it. */
static int look_after_a_restart(const void *arg)
{
	const int *pipes = arg;
	char byte;

	if (write(pipes[1], "x", 1) != 1 || read(pipes[2], &byte, 1) != 1)
		return 254;
	return open(in_place("run/netto/ring"), O_RDONLY) < 0 ? errno : 0;
}

static void a_runtime_directory_made_anew_is_found(void **state)
{
	int there[2], back[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_return_code(pipe(there), errno);
	assert_return_code(pipe(back), errno);
	pid = fork();
	if (!pid) {
		const int pipes[3] = { -1, there[1], back[0] };

		log_hold();
		_exit(sandbox_enter(&options) ? 255 : look_after_a_restart(pipes));
	}
	assert_int_equal(read(there[0], &byte, 1), 1);
	assert_return_code(unlink(in_place("run/netto/ring")), errno);
	assert_return_code(rmdir(in_place("run/netto")), errno);
	assert_return_code(mkdir(in_place("run/netto"), 0700), errno);
	make_file("run/netto/ring");
	assert_int_equal(write(back[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int rotate(const void *arg)
{
	(void)arg;
	if (open(in_place("log/lines"), O_WRONLY | O_CREAT, 0600) < 0)
		return errno;
	return rename(in_place("log/lines"), in_place("log/old")) || unlink(in_place("log/old")) ? errno : 0;
}

static void the_log_can_be_rotated(void **state)
{
	(void)state;
	assert_int_equal(end_of(rotate, NULL), 0);
}

static int use_port(const void *arg)
{
	const int port = *(const int *)arg;
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)(port < 0 ? -port : port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	errno = 0;
	if (port < 0)
		(void)connect(fd, (struct sockaddr *)&address, sizeof(address));
	else
		(void)bind(fd, (struct sockaddr *)&address, sizeof(address));
	return errno;
}

static void only_its_own_port_is_left(void **state)
{
	static const int ports[] = { 24391, 24392, -24391 };
	struct landlock *l = NULL;
	bool limits;

	(void)state;
	limits = !landlock_open(&l) && landlock_limits_ports(l);
	landlock_close(l);
	if (!limits)
		skip();
	assert_int_equal(end_of(use_port, &ports[0]), 0);
	assert_int_equal(end_of(use_port, &ports[1]), EACCES);
	assert_int_equal(end_of(use_port, &ports[2]), EACCES);
}

/* No capability in any set, nobody looks in. */
static int look_at_status(const void *arg)
{
	char line[256], value[64];
	FILE *file = fopen("/proc/self/status", "re");
	int sets = 0;

	(void)arg;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Cap%*3c: %63s", value) == 1) {
			sets++;
			if (strtoull(value, NULL, 16))
				return 1;
		}
		if (!strncmp(line, "NoNewPrivs:", 11) && !strchr(line, '1'))
			return 2;
		if (!strncmp(line, "Seccomp:", 8) && !strchr(line, '2'))
			return 3;
	}
	return sets == 5 ? 0 : 4;
}

static void no_capability_is_left(void **state)
{
	(void)state;
	if (geteuid())
		skip();   /* the bounding set is not ours to empty */
	assert_int_equal(end_of(look_at_status, NULL), 0);
}

static void root_is_refused(void **state)
{
	struct options careless = options;

	(void)state;
	if (geteuid())
		skip();
	careless.allow_root = false;
	log_hold();
	assert_int_equal(sandbox_enter(&careless), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_only_an_intruder_calls_kills),
		cmocka_unit_test(what_is_not_known_is_not_there),
		cmocka_unit_test(its_own_work_is_left),
		cmocka_unit_test(no_code_comes_in),
		cmocka_unit_test(only_named_files_are_left),
		cmocka_unit_test(a_runtime_directory_made_anew_is_found),
		cmocka_unit_test(the_log_can_be_rotated),
		cmocka_unit_test(only_its_own_port_is_left),
		cmocka_unit_test(no_capability_is_left),
		cmocka_unit_test(root_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
