/* test_handover.c - what a service manager may hand over, and nothing else */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit_status.h"
#include "handover.h"
#include "log.h"

#define NOTHING 100   /* handed over */

struct row {
	const char *path;
	int flags;
	const char *pid, *fds, *names;   /* pid NULL: this process's */
	int want;                        /* status, 3 for the descriptor, or NOTHING */
	const char *why;
};

/* In a child, since its pid is in the environment and the number is always 3. */
static int take(const struct row *row)
{
	int fd = -1, got;
	char pid[16];

	log_hold();
	(void)close(3);
	if (row->path && open(row->path, row->flags) != 3)
		return NOTHING + 1;
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", row->pid ? row->pid : pid, 1);
	setenv("LISTEN_FDS", row->fds, 1);
	if (row->names)
		setenv("LISTEN_FDNAMES", row->names, 1);
	got = handover_take(&fd);
	if (got)
		return exit_status(got);
	return fd < 0 ? NOTHING : fd;
}

static void only_an_open_kallsyms_is_taken(void **state)
{
	static const char kallsyms[] = "/proc/kallsyms";
	static const struct row rows[] = {
		{ kallsyms, O_RDONLY, NULL, "1", "kallsyms", 3, "as systemd does it" },
		{ kallsyms, O_RDONLY, "1", "1", "kallsyms", NOTHING, "meant for another process" },
		{ kallsyms, O_RDONLY, "", "1", "kallsyms", NOTHING, "meant for nobody" },
		{ kallsyms, O_RDONLY, NULL, "2", "kallsyms:x", EX_CONFIG, "two" },
		{ kallsyms, O_RDONLY, NULL, "0", "", EX_CONFIG, "none" },
		{ kallsyms, O_RDONLY, NULL, "1", NULL, EX_CONFIG, "without a name" },
		{ kallsyms, O_RDONLY, NULL, "1", "symbols", EX_CONFIG, "another name" },
		{ kallsyms, O_RDONLY, NULL, "1", "kallsyms:", EX_CONFIG, "more names than descriptors" },
		{ kallsyms, O_RDONLY, NULL, "01", "kallsyms", EX_CONFIG, "a number of another form" },
		{ kallsyms, O_PATH, NULL, "1", "kallsyms", EX_CONFIG, "not open for reading" },
		{ NULL, 0, NULL, "1", "kallsyms", EX_CONFIG, "a descriptor that is closed" },
		{ "/etc/passwd", O_RDONLY, NULL, "1", "kallsyms", EX_CONFIG, "not the kernel's" },
		{ "/proc", O_RDONLY, NULL, "1", "kallsyms", EX_CONFIG, "a directory" },
		{ "/dev/null", O_RDWR, NULL, "1", "kallsyms", EX_CONFIG, "a device" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const pid_t pid = fork();
		int status;

		if (!pid)
			_exit(take(&rows[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != rows[i].want)
			fail_msg("%s: got %d, want %d", rows[i].why, WEXITSTATUS(status), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_an_open_kallsyms_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
