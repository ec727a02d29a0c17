/* common/utf8.h - text of strangers: what of it is UTF-8, and what a terminal would obey */
#ifndef NETTO_COMMON_UTF8_H
#define NETTO_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the well-formed sequence at text (RFC 3629: shortest form, no
 * surrogates, up to U+10FFFF); 0: none. The string's end is inside of none. */
size_t utf8_bytes(const char *text);

/* Whether the bytes at text, as counted by utf8_bytes(), are a control character:
 * C0, DEL or C1, all of which terminals obey. */
bool utf8_is_control(const char *text, size_t bytes);

#endif
