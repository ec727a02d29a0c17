/* deploy/launcher/options.h - the command line of netto
 *
 * The names of the original's options are kept where their meaning still makes
 * sense. Values are checked here, so that a mistake is one line from netto and
 * not one from a child.
 */
#ifndef NETTO_LAUNCHER_OPTIONS_H
#define NETTO_LAUNCHER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "check_options.h"

#define RUNTIME_DIR_DEFAULT "/run/netto"
#define HZ_DEFAULT 997
#define HZ_MAX 10000

enum command {
	COMMAND_RUN,   /* collector and aggregator together */
	COMMAND_TOP,   /* one more consumer of a running collector */
	COMMAND_CHECK, /* what this kernel offers; its options are in check */
};

/* Texts are argv's own or static; NULL: not given. */
struct options {
	enum command command;
	const char *frequency;
	const char *period;            /* ms */
	const char *pids;
	const char *log_file;
	const char *runtime_dir;
	const char *user;
	const char *exact_syscalls;
	bool table;
	bool prometheus;
	char prometheus_address[320];  /* HOST:PORT for the aggregator */
	struct check_options check;
};

/* Fill options; on --help, --version or bad usage prints and ends the program
 * (0 or 64). */
void options_parse(struct options *options, int argc, char *argv[]);

/* text, if it is a value of the option; else these say so and end the program. */
const char *options_frequency(const char *text);
const char *options_exact_mode(const char *text);

#endif
