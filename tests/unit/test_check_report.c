/* test_check_report.c - what netto check believes of "netto-collector --check" */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check_report.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define HEAD "netto-check\t1\n"

static void a_whole_report_is_taken_apart(void **state)
{
	char text[] = HEAD
		"probe\tsoftirq\tsoftirq_entry, softirq_exit\tattached\t\n"
		"probe\tsocket_tx\t__sys_sendto\toff\tBPF refused: why\n"
		"probe\tsocket_tx\tsock_write_iter\tuntried\t\n"
		"addresses\thidden\n"
		"interval_ns\t90\n"
		"exact\tsyscall_rx\n"
		"end\t69\tcannot attach: why\n";
	struct check_report report;

	(void)state;
	assert_int_equal(check_report_parse(&report, text), 0);
	assert_int_equal(report.probe_count, 3);
	assert_string_equal(report.probes[0].function, "softirq_entry, softirq_exit");
	assert_int_equal(report.probes[0].state, PROBE_ATTACHED);
	assert_string_equal(report.probes[0].reason, "");
	assert_int_equal(report.probes[1].state, PROBE_OFF);
	assert_string_equal(report.probes[1].reason, "BPF refused: why");
	assert_int_equal(report.probes[2].state, PROBE_UNTRIED);
	assert_int_equal(report.addresses, ADDRESSES_HIDDEN);
	assert_int_equal(report.interval_ns, 90);
	assert_true(report.exact_rx && !report.exact_tx);
	assert_int_equal(report.status, 69);
	assert_string_equal(report.message, "cannot attach: why");
	assert_true(check_report_has(&report, "socket_tx", PROBE_UNTRIED));
	assert_false(check_report_has(&report, "socket_tx", PROBE_ATTACHED));
	assert_false(check_report_has(&report, "socket", PROBE_OFF));
}

static void anything_else_is_refused_as_a_whole(void **state)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "", "nothing: the collector was killed" },
		{ HEAD, "no end: killed in between" },
		{ HEAD "end\t0\t", "its last line is cut" },
		{ HEAD "end\t0\n", "a field is missing" },
		{ HEAD "end\t0\t\tmore\n", "a field too many" },
		{ HEAD "end\t256\t\n", "no exit status" },
		{ HEAD "end\t-1\t\n", "a sign" },
		{ HEAD "end\t0\t\nprobe\ta\tb\tattached\t\n", "something behind the end" },
		{ HEAD "\nend\t0\t\n", "an empty line" },
		{ HEAD "news\tx\nend\t0\t\n", "a line of a collector that is newer" },
		{ HEAD "probe\ta\tb\thalf\t\nend\t0\t\n", "a state that is none" },
		{ HEAD "probe\ta\tb\tattached\t\t\t\t\t\t\t\nend\t0\t\n", "many fields" },
		{ HEAD "addresses\tmaybe\nend\t0\t\n", "neither shown nor hidden" },
		{ HEAD "interval_ns\t9q\nend\t0\t\n", "not a number" },
		{ HEAD "exact\tsyscall_other\nend\t0\t\n", "no probe can" },
		{ "netto-check\t2\nend\t0\t\n", "another format" },
		{ "end\t0\t\n", "no head" },
		{ "usage: netto-collector\n", "another program" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct check_report report;
		char *text = strdup(cases[i].text);
		int err;

		assert_non_null(text);
		err = check_report_parse(&report, text);
		if (err != -EPROTO || report.probe_count || report.message)
			fail_msg("%s: %d", cases[i].why, err);
		free(text);
	}
}

static void more_probes_than_there_is_room_for_are_refused(void **state)
{
	struct check_report report;
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_non_null(out);
	fputs(HEAD, out);
	for (size_t i = 0; i <= REPORT_PROBES_MAX; i++)
		fputs("probe\ta\tb\tattached\t\n", out);
	fputs("end\t0\t\n", out);
	fclose(out);
	assert_int_equal(check_report_parse(&report, text), -EPROTO);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_report_is_taken_apart),
		cmocka_unit_test(anything_else_is_refused_as_a_whole),
		cmocka_unit_test(more_probes_than_there_is_room_for_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
