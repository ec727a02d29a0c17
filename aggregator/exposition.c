/* exposition.c - numbers and strings of Prometheus' text format */
#include "exposition.h"

#include <inttypes.h>
#include <stdbool.h>

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

/* Length of the well-formed UTF-8 sequence at text (RFC 3629: shortest form,
 * no surrogates, up to U+10FFFF); 0: none. The string's end is never inside one. */
static size_t utf8_bytes(const unsigned char *text)
{
	static const struct { unsigned char first, last, low, high; size_t bytes; } forms[] = {
		{ 0x00, 0x7f, 0x80, 0xbf, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		size_t i;

		if (*text < forms[f].first || *text > forms[f].last)
			continue;
		if (forms[f].bytes > 1 && (text[1] < forms[f].low || text[1] > forms[f].high))
			return 0;
		for (i = 2; i < forms[f].bytes; i++)
			if ((text[i] & 0xc0) != 0x80)
				return 0;
		return forms[f].bytes;
	}
	return 0;
}

/* C0, DEL and C1: what a terminal that shows the page would obey. */
static bool is_control(const unsigned char *text, size_t bytes)
{
	return (bytes == 1 && (*text < 0x20 || *text == 0x7f)) ||
	       (bytes == 2 && *text == 0xc2 && text[1] < 0xa0);
}

/* Any bytes as a label value: the format's own escapes, and \xNN, spelt out,
 * for every byte that is no UTF-8 or part of a control character. */
static void write_escaped(FILE *out, const char *value)
{
	const unsigned char *text = (const unsigned char *)value;

	while (*text) {
		size_t bytes = utf8_bytes(text);
		bool plain = bytes && !is_control(text, bytes);

		if (!bytes)
			bytes = 1;
		if (*text == '\\' || *text == '"')
			fprintf(out, "\\%c", *text);
		else if (plain)
			fwrite(text, 1, bytes, out);
		else
			for (size_t i = 0; i < bytes; i++)
				fprintf(out, "\\\\x%02x", text[i]);
		text += bytes;
	}
}

void exposition_write_label(FILE *out, const char *before, const char *value)
{
	fprintf(out, "%s=\"", before);
	write_escaped(out, value);
	fputc('"', out);
}
