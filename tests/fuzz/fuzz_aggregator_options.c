/* fuzz_aggregator_options.c - any lines as the arguments of netto-aggregator */
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct options options;

static void parse(int argc, char *argv[])
{
	options_parse(&options, argc, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (!command_line_parse(data, bytes, parse))
		return 0;
	if (!options.runtime_dir || !*options.runtime_dir ||
	    options.pid_count > OPTIONS_PIDS_MAX || (options.table && options.log_stdout) ||
	    !(options.table || options.log_stdout || options.log_file || options.prometheus) ||
	    (options.log_file && !*options.log_file) ||
	    strnlen(options.prometheus_host, OPTIONS_HOST_BYTES) == OPTIONS_HOST_BYTES)
		abort();
	for (size_t i = 0; i < options.pid_count; i++)
		if (options.pids[i] < 1)
			abort();
	return 0;
}
