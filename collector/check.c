/* check.c - attach as in earnest, report, leave nothing behind */
#include "check.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit_status.h"
#include "kallsyms.h"
#include "log.h"
#include "preflight.h"
#include "probes.h"
#include "sandbox.h"
#include "symbols.h"

#define ADDRESS_DIGITS 12       /* as many hexadecimal digits in a row are no number of ours */

/* A field and the tab or line end behind it. Texts of libbpf and the kernel
 * come through here. */
static void put_field(const char *text, char end)
{
	while (*text) {
		size_t digits = strspn(text, "0123456789abcdefABCDEF");

		if (digits >= ADDRESS_DIGITS) {
			fputs("(address)", stdout);
			text += digits;
			continue;
		}
		putchar(iscntrl((unsigned char)*text) ? ' ' : *text);
		text++;
	}
	putchar(end);
}

static void put_probe(void *arg, const struct probe_report *report)
{
	const bool *tried = arg;
	const char *without = *tried && *report->reason ? "off" : "untried";

	put_field("probe", '\t');
	put_field(report->name, '\t');
	put_field(report->function, '\t');
	put_field(report->attached ? "attached" : without, '\t');
	put_field(report->reason, '\n');
}

/* Whether the collector would have symbols: asked as it asks. */
static int put_addresses(int kallsyms_fd)
{
	struct symbols *symbols = NULL;
	char *text = NULL;
	ssize_t bytes = kallsyms_fd < 0 ? 0 : kallsyms_read(kallsyms_fd, &text);
	int err = bytes < 0 ? (int)bytes : symbols_open(&symbols, text ? text : "", (size_t)bytes);

	if (err)
		log_error("cannot read %s: %s", KALLSYMS_FILE, strerror(-err));
	else
		printf("addresses\t%s\n", symbols_hidden(symbols) ? "hidden" : "shown");
	symbols_close(symbols);
	free(text);
	return err ? EXIT_ERR(EX_UNAVAILABLE) : 0;
}

static void put_times(const struct probes *probes)
{
	printf("interval_ns\t%" PRIu64 "\n", probes_interval_ns(probes));
	if (probes_exact(probes, SHARED_SEND))
		puts("exact\tsyscall_tx");
	if (probes_exact(probes, SHARED_RECEIVE))
		puts("exact\tsyscall_rx");
}

static int try_probes(const struct probes_config *config)
{
	int kallsyms_fd = open(KALLSYMS_FILE, O_RDONLY | O_CLOEXEC);
	struct probes *probes = NULL;
	int err = probes_attach(&probes, config);

	if (!err)
		err = put_addresses(kallsyms_fd);
	if (!err)
		put_times(probes);
	probes_close(probes);
	if (kallsyms_fd >= 0)
		close(kallsyms_fd);
	return err;
}

/* What was said last, up to the explanation behind the first colon. */
static void refuse_probes(const struct probes_config *config)
{
	const char *why = log_held_last();
	char reason[120];

	snprintf(reason, sizeof(reason), "%s", why ? why : "not tried");
	reason[strcspn(reason, ":")] = '\0';
	probes_refuse(config, reason);
}

/* Messages are held back, as the last of them goes into the report; warnings
 * say what the probes' lines say. */
int check_run(const struct options *options)
{
	bool tried = false;
	const struct probes_config config = {
		.rate_hz = options->rate_hz,
		.filter = options->filter,
		.exact = options->exact,
		.on_report = put_probe,
		.report_arg = &tried,
	};
	const char *why;
	int err;

	log_hold();
	puts("netto-check\t1");
	err = sandbox_prepare(-1);
	if (!err)
		err = sandbox_check();
	if (!err)
		err = preflight_check();
	tried = !err;
	if (tried)
		err = try_probes(&config);
	else
		refuse_probes(&config);
	why = err ? log_held_last() : "";
	printf("end\t%d\t", exit_status(err));
	put_field(why ? why : strerror(-err), '\n');
	return err;
}
