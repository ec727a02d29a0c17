/* tests/unit/test_parse.c - option values are read strictly */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parse.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void numbers_are_whole_and_in_range(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		int want;
		uint64_t value;
		const char *why;
	} cases[] = {
		{ "997", 1, 10000, 0, 997, "the default frequency" },
		{ "1", 1, 10000, 0, 1, "the lower limit" },
		{ "10000", 1, 10000, 0, 10000, "the upper limit" },
		{ "007", 1, 10000, 0, 7, "leading zeros are decimal, not octal" },
		{ "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX, "the largest" },
		{ "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0, "one more does not wrap" },
		{ "99999999999999999999999", 0, UINT64_MAX, -ERANGE, 0, "far too large" },
		{ "18446744073709551617", 0, 5, -ERANGE, 0, "would wrap to 1" },
		{ "184467440737095516160", 0, 5, -ERANGE, 0, "would wrap to 0 by the multiplication" },
		{ "0", 1, 10000, -ERANGE, 0, "no samples at all is a mistake, not a rate" },
		{ "10001", 1, 10000, -ERANGE, 0, "above the limit" },
		{ "", 0, 10, -EINVAL, 0, "empty" },
		{ "12q", 1, 10000, -EINVAL, 0, "text after the number" },
		{ "99999999999999999999999q", 1, 10, -EINVAL, 0, "rubbish before range" },
		{ "-1", 0, UINT64_MAX, -EINVAL, 0, "a sign" },
		{ "+1", 0, 10, -EINVAL, 0, "a sign" },
		{ " 1", 0, 10, -EINVAL, 0, "a space" },
		{ "1 ", 0, 10, -EINVAL, 0, "a space" },
		{ "0x10", 0, 100, -EINVAL, 0, "a prefix" },
		{ "1e3", 0, 10000, -EINVAL, 0, "an exponent" },
		{ "1.5", 0, 10, -EINVAL, 0, "not whole" },
		{ "\xd9\xa1", 0, 10, -EINVAL, 0, "a digit of another script" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t value = 12345;
		int got = parse_u64(cases[i].text, cases[i].min, cases[i].max, &value);

		if (got != cases[i].want || value != (got ? 12345 : cases[i].value))
			fail_msg("\"%s\": %s: %d, value %ju", cases[i].text, cases[i].why, got,
				 (uintmax_t)value);
	}
}

static void pid_lists_are_complete_or_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
		pid_t pids[4];
		const char *why;
	} cases[] = {
		{ "1", 1, { 1 }, "one" },
		{ "1,22,333", 3, { 1, 22, 333 }, "three" },
		{ "4194304", 1, { 4194304 }, "the largest" },
		{ "1,2,3,4", 4, { 1, 2, 3, 4 }, "as many as there is room" },
		{ "1,2,3,4,5", -E2BIG, { 0 }, "one too many" },
		{ "4194305", -ERANGE, { 0 }, "above the kernel's limit" },
		{ "0", -ERANGE, { 0 }, "no process" },
		{ "1,0", -ERANGE, { 0 }, "no process, at the end" },
		{ "4294967297", -ERANGE, { 0 }, "would wrap to 1" },
		{ "1,1", -EEXIST, { 0 }, "twice" },
		{ "1,2,01", -EEXIST, { 0 }, "twice, written otherwise" },
		{ "", -EINVAL, { 0 }, "empty" },
		{ ",", -EINVAL, { 0 }, "two empty items" },
		{ "1,", -EINVAL, { 0 }, "an empty item at the end" },
		{ ",1", -EINVAL, { 0 }, "an empty item at the start" },
		{ "1,,2", -EINVAL, { 0 }, "an empty item between" },
		{ "1, 2", -EINVAL, { 0 }, "a space" },
		{ "1;2", -EINVAL, { 0 }, "another separator" },
		{ "-1", -EINVAL, { 0 }, "a sign" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		pid_t pids[4] = { 0 };
		int got = parse_pids(cases[i].text, pids, COUNT(pids));

		if (got != cases[i].want)
			fail_msg("\"%s\": %s: %d", cases[i].text, cases[i].why, got);
		if (got > 0)
			assert_memory_equal(pids, cases[i].pids, sizeof(pids));
	}
}

static void addresses_split_at_the_right_colon(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *host;
		uint16_t port;
		const char *why;
	} cases[] = {
		{ "127.0.0.1:24040", 0, "127.0.0.1", 24040, "an address" },
		{ "localhost:1", 0, "localhost", 1, "a name" },
		{ ":9090", 0, "", 9090, "any host" },
		{ "[::1]:24040", 0, "::1", 24040, "IPv6" },
		{ "[fe80::1%eth0]:80", 0, "fe80::1%eth0", 80, "IPv6 with its interface" },
		{ "h:0", 0, "h", 0, "any free port" },
		{ "h:65535", 0, "h", 65535, "the largest port" },
		{ "a23456789012345:1", 0, "a23456789012345", 1, "the longest that fits" },
		{ "a234567890123456:1", -ENAMETOOLONG, NULL, 0, "one byte too long" },
		{ "h:65536", -ERANGE, NULL, 0, "above the limit" },
		{ "h:99999999999999999999", -ERANGE, NULL, 0, "far above" },
		{ "h", -EINVAL, NULL, 0, "no port" },
		{ "h:", -EINVAL, NULL, 0, "an empty port" },
		{ "9090", -EINVAL, NULL, 0, "a port alone" },
		{ "", -EINVAL, NULL, 0, "empty" },
		{ "h:80x", -EINVAL, NULL, 0, "text after the port" },
		{ "h:-1", -EINVAL, NULL, 0, "a sign" },
		{ "::1:80", -EINVAL, NULL, 0, "IPv6 without brackets" },
		{ "[::1]", -EINVAL, NULL, 0, "brackets without a port" },
		{ "[::1]80", -EINVAL, NULL, 0, "no colon behind the bracket" },
		{ "[]:80", -EINVAL, NULL, 0, "nothing in the brackets" },
		{ "[::1:80", -EINVAL, NULL, 0, "no closing bracket" },
		{ "[[::1]:80", -EINVAL, NULL, 0, "two opening brackets" },
		{ "http://h:80", -EINVAL, NULL, 0, "a URL" },
		{ "a b:80", -EINVAL, NULL, 0, "a space" },
		{ "a\n:80", -EINVAL, NULL, 0, "a control character" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char host[16] = "untouched";
		uint16_t port = 7;
		int got = parse_address(cases[i].text, host, sizeof(host), &port);

		if (got != cases[i].want || port != (got ? 7 : cases[i].port) ||
		    strcmp(host, got ? "untouched" : cases[i].host) != 0)
			fail_msg("\"%s\": %s: %d, host \"%s\", port %u", cases[i].text,
				 cases[i].why, got, host, port);
	}
}

static void users_come_with_their_group(void **state)
{
	static const struct {
		const char *text;
		int want;
		uid_t uid;
		gid_t gid;
		const char *why;
	} cases[] = {
		{ "root", 0, 0, 0, "a name" },
		{ "root:root", 0, 0, 0, "two names" },
		{ "65532", 0, 65532, 65532, "a bare number is its group too" },
		{ "65532:65533", 0, 65532, 65533, "two numbers" },
		{ "65532:root", 0, 65532, 0, "a number and a name" },
		{ "root:5", 0, 0, 5, "a name and a number" },
		{ "4294967294", 0, 4294967294u, 4294967294u, "the largest" },
		{ "4294967295", -ERANGE, 0, 0, "-1 means no change to setresuid()" },
		{ "1:4294967295", -ERANGE, 0, 0, "-1 as a group" },
		{ "no-such-user-here", -ENOENT, 0, 0, "no such user" },
		{ "root:no-such-group-here", -ENOENT, 0, 0, "no such group" },
		{ "-1", -ENOENT, 0, 0, "a name, though an odd one" },
		{ "", -EINVAL, 0, 0, "empty" },
		{ ":", -EINVAL, 0, 0, "two empty parts" },
		{ ":5", -EINVAL, 0, 0, "no user" },
		{ "5:", -EINVAL, 0, 0, "no group" },
		{ "5:6:7", -EINVAL, 0, 0, "three parts" },
	};
	char longest[400];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uid_t uid = 111;
		gid_t gid = 222;
		int got = parse_user(cases[i].text, &uid, &gid);

		if (got != cases[i].want || uid != (got ? 111 : cases[i].uid) ||
		    gid != (got ? 222 : cases[i].gid))
			fail_msg("\"%s\": %s: %d, %u:%u", cases[i].text, cases[i].why, got, uid, gid);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(parse_user(longest, &(uid_t){ 0 }, &(gid_t){ 0 }), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_and_in_range),
		cmocka_unit_test(pid_lists_are_complete_or_refused),
		cmocka_unit_test(addresses_split_at_the_right_colon),
		cmocka_unit_test(users_come_with_their_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
