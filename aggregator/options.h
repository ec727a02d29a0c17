/* aggregator/options.h - the command line of netto-aggregator
 *
 *   --runtime-dir=DIR       where the collector publishes (default /run/netto)
 *   --table                 live table on the terminal
 *   --log                   JSON lines on standard output
 *   --log-file=PATH         JSON lines appended to a file
 *   --prometheus=ADDR:PORT  metrics endpoint
 *   -u, --user-pids=LIST    follow these processes' user-space CPU time
 *   --allow-root            run although uid 0
 *   -h, --help  -V, --version
 * No backend named: --table on a terminal, --log on anything else.
 */
#ifndef NETTO_AGGREGATOR_OPTIONS_H
#define NETTO_AGGREGATOR_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OPTIONS_PIDS_MAX 256
#define OPTIONS_HOST_BYTES 256

struct options {
	const char *runtime_dir;
	bool table;
	bool log_stdout;
	const char *log_file;              /* NULL: none */
	bool prometheus;
	char prometheus_host[OPTIONS_HOST_BYTES];   /* "": loopback */
	uint16_t prometheus_port;
	pid_t pids[OPTIONS_PIDS_MAX];
	size_t pid_count;
	bool allow_root;
};

/* Fill options from argv; on --help, --version or bad usage prints and ends
 * the program (0 or 64). */
void options_parse(struct options *options, int argc, char *argv[]);

#endif
