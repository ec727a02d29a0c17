/* test_check_result.c - what netto check concludes, and how it shows it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "check.h"

#define RATE_HZ 997

/* A machine on which nothing is wrong. */
static struct check good(void)
{
	struct check c = {
		.facts = { .root = true, .btf = true, .cpus_online = 2, .lockdown = "none",
			   .clocksource = "tsc",
			   .sysctls[SYSCTL_SAMPLE_RATE] = { true, 100000 },
			   .sysctls[SYSCTL_PARANOID] = { true, -1 },
			   .sysctls[SYSCTL_JIT_KALLSYMS] = { true, 1 } },
		.report = { .probe_count = 3, .addresses = ADDRESSES_SHOWN, .interval_ns = 90,
			    .message = "" },
	};

	strcpy(c.facts.host.release, "6.12.0");
	c.report.probes[0] = (struct report_probe){ "softirq", "softirq_entry", PROBE_ATTACHED, "" };
	c.report.probes[1] = (struct report_probe){ "hardirq", "irq_entry", PROBE_ATTACHED, "" };
	c.report.probes[2] = (struct report_probe){ "sampler", "cpu-clock", PROBE_ATTACHED, "" };
	return c;
}

static void check_source(const struct check *c, enum context context, enum source want)
{
	if (c->sources[context] != want)
		fail_msg("%s is %s, not %s", context_names[context], source_names[c->sources[context]],
			 source_names[want]);
}

static void attached_probes_make_their_contexts_exact(void **state)
{
	struct check c = good();

	(void)state;
	check_conclude(&c, RATE_HZ);
	check_source(&c, CONTEXT_SOFTIRQ_RX, SOURCE_EXACT);
	check_source(&c, CONTEXT_SOFTIRQ_TX, SOURCE_EXACT);
	check_source(&c, CONTEXT_SOFTIRQ_TIMER, SOURCE_EXACT);
	check_source(&c, CONTEXT_HARDIRQ, SOURCE_EXACT);
	check_source(&c, CONTEXT_SYSCALL_OTHER, SOURCE_SAMPLED);
	check_source(&c, CONTEXT_NAPI_THREAD, SOURCE_SAMPLED);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.message, "netto can run");
	assert_int_equal(c.note_count, 0);
}

static void a_probe_that_is_off_leaves_samples_or_nothing(void **state)
{
	struct check c = good();

	(void)state;
	c.report.probes[0].state = PROBE_OFF;
	c.report.probes[1].state = PROBE_OFF;
	check_conclude(&c, RATE_HZ);
	check_source(&c, CONTEXT_SOFTIRQ_RX, SOURCE_SAMPLED);
	check_source(&c, CONTEXT_HARDIRQ, SOURCE_NONE);
}

static void sends_and_receives_are_exact_by_the_collectors_word(void **state)
{
	struct check c = good();

	(void)state;
	check_conclude(&c, RATE_HZ);
	check_source(&c, CONTEXT_SYSCALL_TX, SOURCE_UNKNOWN);
	c.report.probes[3] = (struct report_probe){ "socket_tx", "__sys_sendto", PROBE_ATTACHED, "" };
	c.report.probes[4] = (struct report_probe){ "socket_rx", "__sys_recvfrom", PROBE_OFF, "no" };
	c.report.probe_count = 5;
	check_conclude(&c, RATE_HZ);
	check_source(&c, CONTEXT_SYSCALL_TX, SOURCE_SAMPLED);
	check_source(&c, CONTEXT_SYSCALL_RX, SOURCE_SAMPLED);
	c.report.exact_tx = true;
	check_conclude(&c, RATE_HZ);
	check_source(&c, CONTEXT_SYSCALL_TX, SOURCE_EXACT);
	check_source(&c, CONTEXT_SYSCALL_RX, SOURCE_SAMPLED);
}

static void without_privilege_it_is_not_known(void **state)
{
	struct check c = good();

	(void)state;
	for (size_t i = 0; i < c.report.probe_count; i++)
		c.report.probes[i].state = PROBE_UNTRIED;
	c.report.status = EX_NOPERM;
	c.report.message = "missing capability CAP_BPF";
	check_conclude(&c, RATE_HZ);
	check_source(&c, CONTEXT_SOFTIRQ_RX, SOURCE_UNKNOWN);
	check_source(&c, CONTEXT_HARDIRQ, SOURCE_UNKNOWN);
	check_source(&c, CONTEXT_KTHREAD, SOURCE_SAMPLED);
	assert_int_equal(c.status, EX_NOPERM);
	assert_string_equal(c.message, "netto cannot run: missing capability CAP_BPF");

	c.facts.btf = false;
	check_conclude(&c, RATE_HZ);
	assert_int_equal(c.status, EX_UNAVAILABLE);
	assert_non_null(strstr(c.message, "CONFIG_DEBUG_INFO_BTF"));
}

static void a_rate_above_the_limit_is_found_before_netto_finds_it(void **state)
{
	struct check c = good();

	(void)state;
	c.facts.sysctls[SYSCTL_SAMPLE_RATE].value = RATE_HZ - 1;
	check_conclude(&c, RATE_HZ);
	assert_int_equal(c.status, EX_UNAVAILABLE);
	assert_non_null(strstr(c.message, "--frequency=996"));
	check_conclude(&c, RATE_HZ - 1);
	assert_int_equal(c.status, 0);
	check_conclude(&c, 0);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.note_count, 1);
	assert_non_null(strstr(c.notes[0], "at 996 Hz"));
}

static void check_note(const struct check *c, const char *want)
{
	struct check with = *c;

	check_conclude(&with, RATE_HZ);
	assert_int_equal(with.note_count, 1);
	if (!strstr(with.notes[0], want))
		fail_msg("\"%s\" does not say \"%s\"", with.notes[0], want);
}

static void what_could_be_better_is_noted(void **state)
{
	struct check c = good();

	(void)state;
	c.report.addresses = ADDRESSES_HIDDEN;
	check_note(&c, "CAP_SYSLOG");
	c.facts.sysctls[SYSCTL_KPTR] = (struct fact_number){ true, 2 };
	check_note(&c, "kptr_restrict is 2");
	c = good();
	c.facts.sysctls[SYSCTL_JIT_KALLSYMS].value = 0;
	check_note(&c, "bpf_jit_kallsyms");
	c = good();
	strcpy(c.facts.clocksource, "hpet");
	check_note(&c, "hpet");
	c = good();
	c.exact_auto = true;
	c.report.probes[c.report.probe_count++] =
		(struct report_probe){ "socket_tx", "__sys_sendto", PROBE_OFF, "no fentry" };
	check_note(&c, "--exact-syscalls=tracepoint");
}

/* The screen; the caller's to free. */
static char *screen(struct check *c, unsigned int columns, bool colour)
{
	const struct check_style style = { columns, colour };
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	check_conclude(c, RATE_HZ);
	check_print_text(c, &style, out);
	fclose(out);
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* 40 socket functions, each with the same outcome: what a screen has to fold. */
static void no_line_is_wider_than_the_terminal(void **state)
{
	struct check c = good();
	char *text, *rest, *line;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		c.report.probes[c.report.probe_count++] = (struct report_probe){
			"socket_tx", "__sys_sendto", PROBE_OFF, "BPF refused: not permitted" };
	text = screen(&c, 80, false);
	assert_int_equal(count(text, "BPF refused"), 1);
	assert_int_equal(count(text, "\nsocket_tx "), 1);
	assert_int_equal(count(text, "__sys_sendto"), 40);
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (strlen(line) > 79)
			fail_msg("%zu columns: %s", strlen(line), line);
	free(text);
}

static void a_reason_that_has_no_room_stands_below_the_rows_that_share_it(void **state)
{
	static const char why[] = "this kernel refuses programs that hook its functions";
	struct check c = good();
	char *text;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		c.report.probes[i].state = PROBE_OFF;
		c.report.probes[i].reason = why;
	}
	text = screen(&c, 80, false);
	assert_int_equal(count(text, why), 1);
	assert_non_null(strstr(text, "why       this kernel refuses"));
	free(text);
	text = screen(&c, 120, false);
	assert_int_equal(count(text, ": this kernel refuses"), 2);
	free(text);
	text = screen(&c, 0, false);
	assert_int_equal(count(text, ": this kernel refuses"), 2);
	free(text);
	c.report.probes[1].reason = "another";
	text = screen(&c, 80, false);
	assert_int_equal(count(text, why), 1);
	assert_int_equal(count(text, "irq_entry: another"), 1);
	free(text);
}

static void colours_are_for_terminals_and_the_last_line_is_the_result(void **state)
{
	struct check c = good();
	char *text = screen(&c, 0, false);

	(void)state;
	assert_null(strchr(text, '\033'));
	assert_string_equal(strstr(text, "netto can run"), "netto can run\n");
	free(text);
	text = screen(&c, 80, true);
	assert_non_null(strstr(text, "\033[32mattached"));
	free(text);
}

static void json_has_each_context_once(void **state)
{
	struct check c = good();
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_non_null(out);
	check_conclude(&c, RATE_HZ);
	assert_int_equal(check_print_json(&c, out), 0);
	fclose(out);
	for (size_t i = 0; i < CONTEXT_COUNT; i++) {
		char key[64];

		snprintf(key, sizeof(key), "\"%s\":{\"source\":\"%s\"}", context_names[i],
			 source_names[c.sources[i]]);
		if (count(text, key) != 1)
			fail_msg("%s stands there %zu times", key, count(text, key));
	}
	assert_int_equal(count(text, "\n"), 1);
	assert_int_equal(count(text, "\"perf_event_paranoid\":-1"), 1);
	assert_int_equal(count(text, "\"kptr_restrict\":null"), 1);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(attached_probes_make_their_contexts_exact),
		cmocka_unit_test(a_probe_that_is_off_leaves_samples_or_nothing),
		cmocka_unit_test(sends_and_receives_are_exact_by_the_collectors_word),
		cmocka_unit_test(without_privilege_it_is_not_known),
		cmocka_unit_test(a_rate_above_the_limit_is_found_before_netto_finds_it),
		cmocka_unit_test(what_could_be_better_is_noted),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(a_reason_that_has_no_room_stands_below_the_rows_that_share_it),
		cmocka_unit_test(colours_are_for_terminals_and_the_last_line_is_the_result),
		cmocka_unit_test(json_has_each_context_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
