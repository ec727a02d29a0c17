/* test_utf8.c - what is UTF-8 and what is not */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "utf8.h"

static const struct { const char *text; size_t bytes; const char *why; } sequences[] = {
	{ "a",                1, "ASCII" },
	{ "\x7f",             1, "DEL is a character" },
	{ "\xc3\xa9",         2, "e acute" },
	{ "\xe2\x82\xac",     3, "the euro sign" },
	{ "\xf0\x9f\x98\x80", 4, "outside of the basic plane" },
	{ "\xf4\x8f\xbf\xbf", 4, "the last one there is" },
	{ "\xee\x80\x80",     3, "private use" },
	{ "\x80",             0, "a continuation without a beginning" },
	{ "\xff",             0, "in no encoding" },
	{ "\xc3",             0, "cut by the end" },
	{ "\xe2\x82",         0, "cut by the end" },
	{ "\xc3(",            0, "cut by another character" },
	{ "\xf0\x9f\x98(",    0, "cut by another character" },
	{ "\xc0\x80",         0, "a long form of NUL" },
	{ "\xc1\xbf",         0, "a long form of DEL" },
	{ "\xe0\x9f\xbf",     0, "three bytes where two do" },
	{ "\xf0\x8f\xbf\xbf", 0, "four bytes where three do" },
	{ "\xed\xa0\x80",     0, "a surrogate" },
	{ "\xf4\x90\x80\x80", 0, "above U+10FFFF" },
};

static void sequences_are_counted_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (utf8_bytes(sequences[i].text) != sequences[i].bytes)
			fail_msg("%s: %zu bytes", sequences[i].why, utf8_bytes(sequences[i].text));
}

static const struct { const char *text; bool control; const char *why; } characters[] = {
	{ "\x1b",         true,  "escape" },
	{ "\n",           true,  "newline" },
	{ "\x7f",         true,  "DEL" },
	{ "\xc2\x9b",     true,  "the control sequence introducer of C1" },
	{ "\xc2\xa0",     false, "a space that does not break" },
	{ " ",            false, "a space" },
	{ "\xe2\x82\xac", false, "the euro sign" },
};

static void controls_of_terminals_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++)
		if (utf8_is_control(characters[i].text, strlen(characters[i].text)) !=
		    characters[i].control)
			fail_msg("%s", characters[i].why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequences_are_counted_or_refused),
		cmocka_unit_test(controls_of_terminals_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
