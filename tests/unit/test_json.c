/* test_json.c - what the JSON writer writes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"

static void check_text(struct json *json, const char *want, const char *why)
{
	if (json->err || json->bytes != strlen(want) || memcmp(json->text, want, json->bytes))
		fail_msg("%s: wrote %.*s, not %s", why, (int)json->bytes, json->text, want);
	json_free(json);
}

static void commas_stand_between_values_only(void **state)
{
	struct json json = { 0 };

	(void)state;
	json_open_object(&json, NULL);
	json_open_object(&json, "empty");
	json_close_object(&json);
	json_open_array(&json, "list");
	json_u64(&json, NULL, 1);
	json_open_object(&json, NULL);
	json_bool(&json, "a", true);
	json_bool(&json, "b", false);
	json_close_object(&json);
	json_u64(&json, NULL, 2);
	json_close_array(&json);
	json_i64(&json, "below", -1);
	json_null(&json, "none");
	json_string(&json, "last", "x");
	json_close_object(&json);
	check_text(&json, "{\"empty\":{},\"list\":[1,{\"a\":true,\"b\":false},2],\"below\":-1,"
		   "\"none\":null,\"last\":\"x\"}",
		   "nested values");
}

static void numbers_are_whole_and_exact(void **state)
{
	struct json json = { 0 };

	(void)state;
	json_open_array(&json, NULL);
	json_u64(&json, NULL, 0);
	json_u64(&json, NULL, UINT64_MAX);
	json_u64_string(&json, NULL, UINT64_MAX);
	json_close_array(&json);
	check_text(&json, "[0,18446744073709551615,\"18446744073709551615\"]", "both ends");
}

#define REPLACED "\xef\xbf\xbd"

static const struct { const char *text; const char *want; const char *why; } strings[] = {
	{ "", "\"\"", "nothing" },
	{ "eth0", "\"eth0\"", "plain" },
	{ "a\"b\\c/", "\"a\\\"b\\\\c/\"", "quote and backslash, and no more, have to be escaped" },
	{ "a\nb\tc\x1b[2J\x01\x7f", "\"a\\u000ab\\u0009c\\u001b[2J\\u0001\\u007f\"", "control characters" },
	{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8d", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8d\"",
	  "two, three and four bytes of UTF-8" },
	{ "\xff", "\"" REPLACED "\"", "never part of UTF-8" },
	{ "x\xc3", "\"x" REPLACED "\"", "cut within a character" },
	{ "\xe2\x82", "\"" REPLACED REPLACED "\"", "cut later within one" },
	{ "\x80z", "\"" REPLACED "z\"", "a continuation of nothing" },
	{ "\xc0\xaf", "\"" REPLACED REPLACED "\"", "overlong" },
	{ "\xe0\x80\xaf", "\"" REPLACED REPLACED REPLACED "\"", "overlong, three bytes" },
	{ "\xed\xa0\x80", "\"" REPLACED REPLACED REPLACED "\"", "a surrogate" },
	{ "\xf4\x90\x80\x80", "\"" REPLACED REPLACED REPLACED REPLACED "\"", "above U+10FFFF" },
	{ "\xf5\x80\x80\x80", "\"" REPLACED REPLACED REPLACED REPLACED "\"", "far above it" },
	{ "\xf0\x80\x80\x80", "\"" REPLACED REPLACED REPLACED REPLACED "\"", "overlong, four bytes" },
};

static void any_bytes_make_a_valid_string(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct json json = { 0 };

		json_string(&json, NULL, strings[i].text);
		check_text(&json, strings[i].want, strings[i].why);
	}
}

static void an_end_can_be_written_twice(void **state)
{
	struct json json = { 0 };
	size_t bytes;

	(void)state;
	json_open_object(&json, NULL);
	json_u64(&json, "a", 1);
	bytes = json.bytes;
	json_u64(&json, "b", 2);
	json_close_object(&json);
	json_cut(&json, bytes);
	json_u64(&json, "c", 3);
	json_close_object(&json);
	json_raw(&json, "\n");
	check_text(&json, "{\"a\":1,\"c\":3}\n", "the second end");
}

static void a_text_above_the_limit_is_a_failure_that_sticks(void **state)
{
	static char big[JSON_BYTES_MAX / 2];
	struct json json = { 0 };

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	json_open_array(&json, NULL);
	json_string(&json, NULL, big);
	assert_int_equal(json.err, 0);
	json_string(&json, NULL, big);
	json_string(&json, NULL, big);
	assert_int_not_equal(json.err, 0);
	json_u64(&json, NULL, 1);
	assert_int_not_equal(json.err, 0);
	json_reset(&json);
	json_u64(&json, NULL, 1);
	check_text(&json, "1", "after a reset it works again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_between_values_only),
		cmocka_unit_test(numbers_are_whole_and_exact),
		cmocka_unit_test(any_bytes_make_a_valid_string),
		cmocka_unit_test(an_end_can_be_written_twice),
		cmocka_unit_test(a_text_above_the_limit_is_a_failure_that_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
