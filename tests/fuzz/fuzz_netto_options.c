/* fuzz_netto_options.c - any lines as the arguments of netto, netto top, netto check
 *
 * Holds that what netto lets through is what its children take.
 */
#include <stdlib.h>

#include "command_line.h"
#include "options.h"
#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct options options;

static void parse(int argc, char *argv[])
{
	options_parse(&options, argc, argv);
}

static void check_number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t value;

	if (text && parse_u64(text, min, max, &value))
		abort();
}

static void check_run(void)
{
	pid_t pids[256];
	char host[256];
	uint16_t port;

	check_number(options.frequency, 1, HZ_MAX);
	check_number(options.period, 100, 60000);
	if (options.pids && parse_pids(options.pids, pids, 256) < 1)
		abort();
	if (options.prometheus &&
	    parse_address(options.prometheus_address, host, sizeof(host), &port))
		abort();
	if (!options.runtime_dir || !*options.runtime_dir || (options.user && !*options.user) ||
	    (options.log_file && !*options.log_file))
		abort();
	if (options.command == COMMAND_TOP &&
	    (options.frequency || options.period || options.exact_syscalls))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (!command_line_parse(data, bytes, parse))
		return 0;
	if (options.command == COMMAND_CHECK)
		check_number(options.check.frequency, 1, HZ_MAX);
	else
		check_run();
	return 0;
}
