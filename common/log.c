/* common/log.c - messages for people, one line each, on standard error */
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "utf8.h"

#define TEXT_BYTES 1024               /* longer messages are cut */
#define ESCAPE_BYTES 4                /* "\x1b" */
#define LINE_BYTES (64 + TEXT_BYTES * ESCAPE_BYTES + 1)
#define HELD_LINES 16

static const char *program = "netto";
static bool journal;
static bool holding;
static pthread_mutex_t holding_lock = PTHREAD_MUTEX_INITIALIZER;   /* of what is held */
static unsigned int held;             /* lines kept since log_hold(), counting forgotten ones */
static char held_lines[HELD_LINES][TEXT_BYTES];
static int held_priorities[HELD_LINES];

/* Whether standard error is the stream that systemd named when it started us
 * (systemd.exec(5), $JOURNAL_STREAM): the variable alone is inherited. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	(void)snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

void log_open(const char *name)
{
	program = name;
	journal = stderr_is_journal();
}

/* Append text to line at *used, with what is not printable as \n, \t or \xNN. */
static void append_escaped(char *line, size_t *used, const char *text)
{
	static const char digits[] = "0123456789abcdef";

	while (*text) {
		const unsigned char byte = (unsigned char)*text;
		size_t bytes = utf8_bytes(text);

		if (bytes && !utf8_is_control(text, bytes)) {
			memcpy(line + *used, text, bytes);
			*used += bytes;
			text += bytes;
			continue;
		}
		line[(*used)++] = '\\';
		if (byte == '\n' || byte == '\t') {
			line[(*used)++] = byte == '\n' ? 'n' : 't';
		} else {
			line[(*used)++] = 'x';
			line[(*used)++] = digits[byte >> 4];
			line[(*used)++] = digits[byte & 15];
		}
		text++;
	}
}

/* One write() a line, so that lines of several processes do not mix. */
static void write_line(int priority, const char *text)
{
	char line[LINE_BYTES];
	size_t used;
	int head;

	head = journal ? snprintf(line, 64, "<%d>", priority)
		       : snprintf(line, 64, "%.60s: ", program);
	used = (size_t)head;
	append_escaped(line, &used, text);
	line[used++] = '\n';
	/* There is nobody to tell that standard error cannot be written. */
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}

static void log_text(int priority, const char *format, va_list args)
{
	char text[TEXT_BYTES];

	(void)vsnprintf(text, sizeof(text), format, args);
	if (!holding) {
		write_line(priority, text);
		return;
	}
	pthread_mutex_lock(&holding_lock);
	memcpy(held_lines[held % HELD_LINES], text, sizeof(text));
	held_priorities[held % HELD_LINES] = priority;
	held++;
	pthread_mutex_unlock(&holding_lock);
}

void log_hold(void)
{
	holding = true;
}

void log_release(void)
{
	const unsigned int forgotten = held > HELD_LINES ? held - HELD_LINES : 0;
	const unsigned int count = held;

	holding = false;
	held = 0;
	if (forgotten)
		log_warn("%u earlier messages were not kept", forgotten);
	for (unsigned int i = forgotten; i < count; i++)
		write_line(held_priorities[i % HELD_LINES], held_lines[i % HELD_LINES]);
}

const char *log_held_last(void)
{
	return held ? held_lines[(held - 1) % HELD_LINES] : NULL;
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_text(LOG_ERR, format, args);
	va_end(args);
}

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_text(LOG_WARNING, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_text(LOG_INFO, format, args);
	va_end(args);
}
