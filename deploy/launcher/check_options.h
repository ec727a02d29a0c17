/* deploy/launcher/check_options.h - the command line of netto check */
#ifndef NETTO_LAUNCHER_CHECK_OPTIONS_H
#define NETTO_LAUNCHER_CHECK_OPTIONS_H

#include <stdbool.h>

/* Texts are argv's own; NULL: not given. */
struct check_options {
	const char *frequency;
	const char *exact_syscalls;
	bool json;
};

/* Fill options; argv[0] is "check". On --help or bad usage prints and ends the
 * program (0 or 64). */
void check_options_parse(struct check_options *options, int argc, char *argv[]);

#endif
