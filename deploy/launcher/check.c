/* check.c - netto check, step by step */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "exit_status.h"
#include "log.h"
#include "options.h"
#include "parse.h"

#define NOBODY_ID 65532         /* also the aggregator's, where there is no user for it */
#define PATIENCE_MS 2000
#define COLUMNS_MIN 60

/* What the collector is started with: not more than the kernel allows, or it
 * would refuse before it has tried anything. */
static const char *frequency(const struct check_facts *facts, uint32_t rate_hz)
{
	static char text[16];
	const struct fact_number *limit = &facts->sysctls[SYSCTL_SAMPLE_RATE];

	if (!rate_hz)
		rate_hz = HZ_DEFAULT;
	if (limit->known && limit->value > 0 && limit->value < rate_hz)
		rate_hz = (uint32_t)limit->value;
	snprintf(text, sizeof(text), "%u", rate_hz);
	return text;
}

/* Start "netto-collector --check", its report coming out of *report_fd. 0 or
 * EXIT_ERR(), said. */
static int start_collector(struct child *collector, const char *frequency, const char *exact,
			   int *report_fd)
{
	int pipe_fds[2], err;

	if (pipe2(pipe_fds, O_CLOEXEC)) {
		log_error("cannot make a pipe: %s", strerror(errno));
		return EXIT_ERR(EX_SOFTWARE);
	}
	collector->program = "netto-collector";
	child_add(collector, collector->program, NULL);
	child_add(collector, "--check", NULL);
	child_add(collector, "--frequency", frequency);
	if (exact)
		child_add(collector, "--exact-syscalls", exact);
	collector->output_fd = pipe_fds[1];
	err = child_start(collector);
	close(pipe_fds[1]);
	*report_fd = pipe_fds[0];
	return err;
}

/* For good, before the first byte of the report is read: from here on nothing
 * but reading and printing is left to do, so that no further process is needed
 * for it. The collector cannot be signalled any more; it ends by itself. */
static int give_up_root(void)
{
	if (geteuid())
		return 0;
	if (setgroups(0, NULL) || setresgid(NOBODY_ID, NOBODY_ID, NOBODY_ID) ||
	    setresuid(NOBODY_ID, NOBODY_ID, NOBODY_ID))
		return -errno;
	return 0;
}

/* Everything up to the end of file, which a collector waiting for busy CPUs
 * may delay. Bytes, or -errno. */
static ssize_t read_report(int fd, char text[static REPORT_BYTES_MAX])
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t bytes = 0;
	ssize_t n = 1;

	if (!poll(&wait, 1, PATIENCE_MS))
		log_info("trying probes: waiting for the kernel, which waits for CPUs that are busy in "
			 "it (RCU)");
	while (n > 0 && bytes < REPORT_BYTES_MAX - 1) {
		n = read(fd, text + bytes, REPORT_BYTES_MAX - 1 - bytes);
		if (n > 0)
			bytes += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	text[bytes] = '\0';
	return n < 0 ? -errno : (ssize_t)bytes;
}

static int wait_for_end(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Without a report, in its place, why: text is the report's memory. */
static void take_report(struct check_report *report, int fd, char text[static REPORT_BYTES_MAX],
			pid_t pid)
{
	int err = give_up_root(), status;
	ssize_t bytes = err ? 0 : read_report(fd, text);

	close(fd);
	status = wait_for_end(pid);
	if (bytes > 0 && !check_report_parse(report, text))
		return;
	report->status = err ? EX_NOPERM : EX_SOFTWARE;
	report->message = text;
	if (err)
		snprintf(text, REPORT_BYTES_MAX, "cannot give up root to read the collector's report: "
			 "%s: grant CAP_SETUID and CAP_SETGID", strerror(-err));
	else
		snprintf(text, REPORT_BYTES_MAX, "netto-collector ended without a report (%s %d)",
			 WIFSIGNALED(status) ? "signal" : "exit status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static struct check_style style_of(FILE *out)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	struct check_style style = { 0 };
	struct winsize size;

	if (!isatty(fileno(out)))
		return style;
	style.columns = ioctl(fileno(out), TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
	if (style.columns < COLUMNS_MIN)
		style.columns = COLUMNS_MIN;
	style.colour = !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
	return style;
}

static int print(const struct check *c, bool json)
{
	struct check_style style = style_of(stdout);
	int err = 0;

	if (json)
		err = check_print_json(c, stdout);
	else
		check_print_text(c, &style, stdout);
	if (!err && fflush(stdout))
		err = -errno;
	if (err)
		log_error("cannot write the result: %s", strerror(-err));
	return err;
}

/* The kernel's own files are read as whoever runs us: some are root's. */
int check_command(const struct check_options *options)
{
	static char text[REPORT_BYTES_MAX];
	static struct child collector;   /* what its arguments point to lives as long as netto */
	struct check check = { 0 };
	uint64_t rate_hz = 0;
	int report_fd, err;

	if (options->frequency)
		(void)parse_u64(options->frequency, 1, HZ_MAX, &rate_hz);   /* is a number */
	check_facts_read(&check.facts);
	err = start_collector(&collector, frequency(&check.facts, (uint32_t)rate_hz),
			      options->exact_syscalls, &report_fd);
	if (err)
		return err;
	take_report(&check.report, report_fd, text, collector.pid);
	check.exact_auto = !options->exact_syscalls || !strcmp(options->exact_syscalls, "auto");
	check_conclude(&check, (uint32_t)rate_hz);
	err = print(&check, options->json);
	return err ? EXIT_ERR(EX_SOFTWARE) : check.status ? EXIT_ERR(check.status) : 0;
}
