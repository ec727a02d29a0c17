/* exposition.c - numbers and strings of Prometheus' text format */
#include "exposition.h"

#include <inttypes.h>
#include <stdbool.h>

#include "utf8.h"

#define NS_PER_S ((uint64_t)1000000000)
#define NS_DIGITS 9

void exposition_write_seconds(FILE *out, uint64_t ns)
{
	char digits[NS_DIGITS + 1];
	size_t count = NS_DIGITS;

	snprintf(digits, sizeof(digits), "%09" PRIu64, ns % NS_PER_S);
	while (count && digits[count - 1] == '0')
		count--;
	fprintf(out, "%" PRIu64 "%s%.*s\n", ns / NS_PER_S, count ? "." : "", (int)count, digits);
}

void exposition_write_count(FILE *out, uint64_t count)
{
	fprintf(out, "%" PRIu64 "\n", count);
}

/* Any bytes as a label value: the format's own escapes, and \xNN, spelt out,
 * for every byte that is no UTF-8 or part of a control character. */
static void write_escaped(FILE *out, const char *value)
{
	while (*value) {
		size_t bytes = utf8_bytes(value);
		bool plain = bytes && !utf8_is_control(value, bytes);

		if (!bytes)
			bytes = 1;
		if (*value == '\\' || *value == '"')
			fprintf(out, "\\%c", *value);
		else if (plain)
			fwrite(value, 1, bytes, out);
		else
			for (size_t i = 0; i < bytes; i++)
				fprintf(out, "\\\\x%02x", (unsigned char)value[i]);
		value += bytes;
	}
}

void exposition_write_label(FILE *out, const char *before, const char *value)
{
	fprintf(out, "%s=\"", before);
	write_escaped(out, value);
	fputc('"', out);
}
