/* command_line.c - any lines as the arguments of a program
 *
 * exit() and log_error() are the linker's --wrap: the end of the program ends
 * the call, and what it says is looked at instead of written.
 */
#include "command_line.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ARGS_MAX 32

_Noreturn void __real_exit(int status);
_Noreturn void __wrap_exit(int status);
__attribute__((format(printf, 1, 2))) void __wrap_log_error(const char *format, ...);

static jmp_buf end;
static bool parsing;
static int messages;
static char *text;                  /* of argv */

_Noreturn void __wrap_exit(int status)
{
	if (!parsing)
		__real_exit(status);
	if (messages != (status != EX_OK) ||
	    (status != EX_OK && status != EX_USAGE && status != EX_NOPERM))
		abort();
	longjmp(end, 1);
}

void __wrap_log_error(const char *format, ...)
{
	char line[8192];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (!*line || strchr(line, '\n'))
		abort();
	messages++;
}

static int split(const uint8_t *data, size_t bytes, char *argv[ARGS_MAX + 1])
{
	int argc = 0;

	free(text);
	text = strndup((const char *)data, bytes);
	if (!text)
		abort();
	argv[argc++] = (char *)"netto";
	for (char *at = text; argc < ARGS_MAX && *at;) {
		char *line = strsep(&at, "\n");

		argv[argc++] = line;
		if (!at)
			break;
	}
	argv[argc] = NULL;
	return argc;
}

bool command_line_parse(const uint8_t *data, size_t bytes, command_line_fn parse)
{
	static char *argv[ARGS_MAX + 1];
	static FILE *nowhere;
	FILE *const out = stdout;
	bool returned = false;

	if (!nowhere && !(nowhere = fopen("/dev/null", "we")))
		abort();
	messages = 0;
	optind = 0;                 /* glibc: start anew */
	stdout = nowhere;           /* for --help */
	if (!setjmp(end)) {
		parsing = true;
		parse(split(data, bytes, argv), argv);
		returned = true;
	}
	parsing = false;
	stdout = out;
	if (returned && messages)
		abort();
	return returned;
}
