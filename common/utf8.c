/* utf8.c - text of strangers: what of it is UTF-8, and what a terminal would obey */
#include "utf8.h"

/* First byte from first to last, second from low to high, the others 80 to bf. */
static const struct { unsigned char first, last, low, high; size_t bytes; } forms[] = {
	{ 0x00, 0x7f, 0x80, 0xbf, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t utf8_bytes(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		if (p[0] < forms[f].first || p[0] > forms[f].last)
			continue;
		if (forms[f].bytes > 1 && (p[1] < forms[f].low || p[1] > forms[f].high))
			return 0;
		for (size_t i = 2; i < forms[f].bytes; i++)
			if ((p[i] & 0xc0) != 0x80)
				return 0;
		return forms[f].bytes;
	}
	return 0;
}

bool utf8_is_control(const char *text, size_t bytes)
{
	const unsigned char *p = (const unsigned char *)text;

	return (bytes == 1 && (p[0] < 0x20 || p[0] == 0x7f)) ||
	       (bytes == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}
