/* test_promise.c - what the kernel must not say of a thread, and of the process */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "promise.h"

#define COLLECTOR_ID 65533

/* As the kernel writes it, with what one row replaces. */
static void write_status(char *out, size_t bytes, const char *key, const char *value)
{
	static const char *const lines[][2] = {
		{ "Name", "netto" }, { "Uid", "65533\t65533\t65533\t65533" },
		{ "Gid", "65532\t65532\t65532\t65532" }, { "Groups", " " },
		{ "CapInh", "0000000000000000" }, { "CapPrm", "0000000000000000" },
		{ "CapEff", "0000000000000000" }, { "CapBnd", "0000000000000000" },
		{ "CapAmb", "0000000000000000" }, { "NoNewPrivs", "1" }, { "Seccomp", "0" },
	};
	size_t used = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const bool replaced = !strcmp(lines[i][0], key);

		if (replaced && !value)
			continue;
		used += (size_t)snprintf(out + used, bytes - used, "%s:\t%s\n", lines[i][0],
					 replaced ? value : lines[i][1]);
	}
}

static void every_rest_of_privilege_is_found(void **state)
{
	static const struct { const char *key; const char *value; bool from_root; const char *why; }
	rows[] = {
		{ "Uid", "65533\t65533\t0\t65533", true, "a saved uid of root" },
		{ "Uid", "65533\t65533\t65533\t0", true, "a file-system uid of root" },
		{ "Uid", "0\t65533\t65533\t65533", true, "a real uid of root" },
		{ "Gid", "65532\t65532\t0\t65532", true, "a saved group of root" },
		{ "Groups", "0 4 ", true, "groups of root" },
		{ "CapInh", "0000000000000001", true, "inheritable" },
		{ "CapPrm", "0000004000000000", true, "permitted" },
		{ "CapEff", "0000008000000000", true, "effective" },
		{ "CapBnd", "000001ffffffffff", true, "the bounding set of a thread started too early" },
		{ "CapAmb", "0000000000000002", false, "ambient" },
		{ "CapPrm", "0000000000000002", false, "permitted, started without root" },
		{ "NoNewPrivs", "0", true, "may still exec a setuid program" },
		{ "CapEff", NULL, true, "a line that is not there proves nothing" },
		{ "CapEff", "rubbish", true, "nor does rubbish" },
	};
	struct promise promise = { .uid = COLLECTOR_ID, .gid = 65532 };
	char status[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *broken;

		promise.from_root = rows[i].from_root;
		write_status(status, sizeof(status), rows[i].key, rows[i].value);
		broken = promise_broken(&promise, status);
		if (!broken || strncmp(broken, rows[i].key, strlen(rows[i].key)))
			fail_msg("%s: got %s", rows[i].why, broken ? broken : "nothing");
	}
}

static void a_thread_without_privilege_passes(void **state)
{
	static const struct { const char *key; const char *value; bool from_root; const char *why; }
	rows[] = {
		{ "Name", "Uid:", true, "a name that looks like a key" },
		{ "Groups", "65533 ", false, "a unit's groups, never root" },
		{ "CapBnd", "000000c000000000", false, "a unit's bounding set, never root" },
	};
	struct promise promise = { .uid = COLLECTOR_ID, .gid = 65532 };
	char status[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *broken;

		promise.from_root = rows[i].from_root;
		write_status(status, sizeof(status), rows[i].key, rows[i].value);
		broken = promise_broken(&promise, status);
		if (broken)
			fail_msg("%s: %s", rows[i].why, broken);
	}
}

static void a_thread_without_the_filter_is_found(void **state)
{
	static const struct { const char *value; bool filtered; bool broken; const char *why; } rows[] = {
		{ "2", true, false, "a filter" },
		{ "0", true, true, "none" },
		{ "1", true, true, "strict mode is another thing" },
		{ NULL, true, true, "a kernel without seccomp has no such line" },
		{ "0", false, false, "not promised yet" },
	};
	struct promise promise = { .uid = COLLECTOR_ID, .gid = 65532, .from_root = true };
	char status[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		promise.filtered = rows[i].filtered;
		write_status(status, sizeof(status), "Seccomp", rows[i].value);
		if (!promise_broken(&promise, status) == rows[i].broken)
			fail_msg("%s", rows[i].why);
	}
}

static void a_process_with_more_than_was_promised_is_found(void **state)
{
	static const struct promise promise = { .securebits = 0x2b, .files = 100 };
	static const struct rlimit none = { 0, 0 }, files = { 100, 100 };
	static const struct { struct promise_process facts; const char *broken; const char *why; } rows[] = {
		{ { 0x2b, 0, none, none, files }, NULL, "as promised" },
		{ { 0xff, 0, none, none, { 50, 60 } }, NULL, "more bits locked, fewer descriptors" },
		{ { 0, 0, none, none, files }, "securebits", "root's powers come back with uid 0" },
		{ { 0x0b, 0, none, none, files }, "securebits", "one bit is not locked" },
		{ { 0x2b, 1, none, none, files }, "dumpable", "its user can look in" },
		{ { 0x2b, 2, none, none, files }, "dumpable", "root's core dumps" },
		{ { 0x2b, 0, { 0, 1 }, none, files }, "limit on core", "can be raised" },
		{ { 0x2b, 0, none, { RLIM_INFINITY, RLIM_INFINITY }, files }, "limit on processes", "none" },
		{ { 0x2b, 0, none, none, { 100, 101 } }, "limit on descriptors", "can be raised" },
		{ { 0x2b, 0, none, none, { RLIM_INFINITY, RLIM_INFINITY } }, "limit on descriptors", "none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *broken = promise_broken_by_process(&promise, &rows[i].facts);

		if (!broken != !rows[i].broken ||
		    (broken && strncmp(broken, rows[i].broken, strlen(rows[i].broken))))
			fail_msg("%s: got %s", rows[i].why, broken ? broken : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rest_of_privilege_is_found),
		cmocka_unit_test(a_thread_without_privilege_passes),
		cmocka_unit_test(a_thread_without_the_filter_is_found),
		cmocka_unit_test(a_process_with_more_than_was_promised_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
