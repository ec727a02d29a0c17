/* collector/handover.c - the descriptor that a service manager may hand over
 *
 * Nothing is parsed: there is one thing that the variables may say.
 */
#include "handover.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "exit_status.h"
#include "log.h"

#define FIRST_FD 3   /* SD_LISTEN_FDS_START */

/* The variables of another process may be inherited. */
static bool is_for_us(void)
{
	const char *pid = getenv("LISTEN_PID");
	char ours[16];

	snprintf(ours, sizeof(ours), "%d", getpid());
	return pid && !strcmp(pid, ours);
}

static bool says(const char *variable, const char *value)
{
	const char *text = getenv(variable);

	return text && !strcmp(text, value);
}

/* Only the kernel writes what is read from /proc. */
static bool is_of_proc(int fd)
{
	struct statfs fs;
	struct stat st;
	const int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & (O_ACCMODE | O_PATH)) == O_RDONLY && !fstat(fd, &st) &&
	       S_ISREG(st.st_mode) && !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

int handover_take(int *kallsyms_fd)
{
	if (!is_for_us())
		return 0;
	if (!says("LISTEN_FDS", "1") || !says("LISTEN_FDNAMES", "kallsyms")) {
		log_error("cannot take over what the service manager hands over: only one descriptor, "
			  "named kallsyms, is wanted: OpenFile=/proc/kallsyms:kallsyms:read-only");
		return EXIT_ERR(EX_CONFIG);
	}
	if (!is_of_proc(FIRST_FD)) {
		log_error("cannot use the descriptor named kallsyms: it is not /proc/kallsyms, open for "
			  "reading");
		return EXIT_ERR(EX_CONFIG);
	}
	*kallsyms_fd = FIRST_FD;
	return 0;
}
