/* common/kallsyms.c - text in the format of /proc/kallsyms
 *
 * 180,000 lines are walked at every start, so there is no sscanf and one look
 * at each byte where that can be had.
 */
#include "kallsyms.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEX_DIGITS_MAX 16
#define HEAD_BYTES 3              /* " T " behind the address */
#define FIRST_READ_BYTES (16u << 20)
#define FILE_BYTES_MAX (256u << 20)

#define NO_DIGIT 16

static unsigned int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : NO_DIGIT;
}

/* The address at p; returns what is behind it, NULL where there is none. */
static const char *parse_hex(const char *p, const char *end, uint64_t *address)
{
	const char *const start = p;
	uint64_t value = 0;
	unsigned int digit;

	for (; p < end && (digit = hex_digit((unsigned char)*p)) != NO_DIGIT; p++)
		value = value << 4 | digit;
	if (p == start || p - start > HEX_DIGITS_MAX)
		return NULL;
	*address = value;
	return p;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '?' || c == '-';
}

static bool is_text(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

/* The end of the word at p: names go to terminals and logs, so a space or a
 * control character is none of theirs. */
static const char *skip_word(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p > ' ' && *p != 0x7f)
		p++;
	return p;
}

/* "name" or "name\t[module]" in p..end. */
static bool parse_names(const char *p, const char *end, struct kallsyms_line *line)
{
	const char *tab = skip_word(p, end);

	line->name = p;
	line->name_bytes = (size_t)(tab - p);
	line->module = NULL;
	line->module_bytes = 0;
	if (!line->name_bytes)
		return false;
	if (tab == end)
		return true;
	if (end - tab < 4 || tab[0] != '\t' || tab[1] != '[' || end[-1] != ']' ||
	    skip_word(tab + 1, end) != end)
		return false;
	line->module = tab + 2;
	line->module_bytes = (size_t)(end - tab) - 3;
	return true;
}

/* One line, without its end. 1: *line filled; 0: not text; -EINVAL. */
static int parse_line(const char *p, const char *end, struct kallsyms_line *line)
{
	struct kallsyms_line parsed;

	p = parse_hex(p, end, &parsed.address);
	if (!p || end - p <= HEAD_BYTES || p[0] != ' ' || !is_letter(p[1]) || p[2] != ' ')
		return -EINVAL;
	parsed.type = p[1];
	if (!is_text(parsed.type))
		return 0;
	if (!parse_names(p + HEAD_BYTES, end, &parsed))
		return -EINVAL;
	*line = parsed;
	return 1;
}

int kallsyms_next(const char **text, const char *end, struct kallsyms_line *line)
{
	while (*text < end) {
		const char *newline = memchr(*text, '\n', (size_t)(end - *text));
		const char *line_end = newline ? newline : end;
		int found;

		if (line_end > *text && line_end[-1] == '\r')
			line_end--;
		found = parse_line(*text, line_end, line);
		if (found < 0)
			return found;
		*text = newline ? newline + 1 : end;
		if (found)
			return 1;
	}
	return 0;
}

/* Read on to the end of the file. Bytes; -errno. */
static ssize_t read_all(int fd, char **buf, size_t buf_bytes)
{
	size_t used = 0;

	for (;;) {
		ssize_t got = read(fd, *buf + used, buf_bytes - used);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return (ssize_t)used;
		if (got > 0)
			used += (size_t)got;
		if (used == buf_bytes) {
			char *larger;

			/* One byte more tells a file of the largest size from a larger one. */
			if (buf_bytes > FILE_BYTES_MAX)
				return -EFBIG;
			buf_bytes = buf_bytes * 2 > FILE_BYTES_MAX ? FILE_BYTES_MAX + 1
								   : buf_bytes * 2;
			larger = realloc(*buf, buf_bytes);
			if (!larger)
				return -ENOMEM;
			*buf = larger;
		}
	}
}

ssize_t kallsyms_read(int fd, char **text)
{
	char *buf, *fitted;
	ssize_t bytes;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	buf = malloc(FIRST_READ_BYTES);
	if (!buf)
		return -ENOMEM;
	bytes = read_all(fd, &buf, FIRST_READ_BYTES);
	if (bytes < 0) {
		free(buf);
		return bytes;
	}
	fitted = realloc(buf, (size_t)bytes + 1);
	*text = fitted ? fitted : buf;
	return bytes;
}
