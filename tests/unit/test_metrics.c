/* test_metrics.c - the page that Prometheus reads, series by series */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exposition.h"
#include "metrics.h"

#define CPUS 3

static struct cpu_figures cpus[CPUS];
static struct totals totals;
static struct self_figures self;
static struct metrics_backend backends[2];
static Netto__Probe probes[2];
static Netto__Probe *probe_list[] = { &probes[0], &probes[1] };
static Netto__Hello hello;
static char *page;

static int setup(void **state)
{
	(void)state;
	memset(cpus, 0, sizeof(cpus));
	memset(&totals, 0, sizeof(totals));
	memset(&self, 0, sizeof(self));
	netto__hello__init(&hello);
	netto__probe__init(&probes[0]);
	netto__probe__init(&probes[1]);
	probes[0].name = "sampler";
	probes[0].function = "cpu-clock";
	probes[0].attached = true;
	probes[1].name = "socket";
	hello.kernel_release = "6.1.0-\"quoted\"";
	hello.machine = "x86_64";
	hello.rate_hz = 997;
	hello.probes = probe_list;
	hello.n_probes = 2;
	backends[0] = (struct metrics_backend){ "log", { 12, 3 } };
	backends[1] = (struct metrics_backend){ "prometheus", { 4, 0 } };
	totals.collector_up = true;
	totals.hello = &hello;
	totals.cpu_slots = CPUS;
	totals.cpus_online = CPUS;
	totals.total.cpus = cpus;
	totals.exact[CONTEXT_SOFTIRQ_RX] = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(page);
	page = NULL;
	return 0;
}

static void render(void)
{
	const struct metrics_input in = {
		.totals = &totals,
		.last_update_ns = 1700000000123456789,
		.self = &self,
		.backends = backends,
		.backend_count = 2,
	};
	size_t bytes;

	free(page);
	assert_int_equal(metrics_render(&in, &page, &bytes), 0);
	assert_int_equal(bytes, strlen(page));
}

static bool has_line(const char *line)
{
	size_t bytes = strlen(line);
	const char *at = page;

	while ((at = strstr(at, line))) {
		if ((at == page || at[-1] == '\n') && at[bytes] == '\n')
			return true;
		at++;
	}
	return false;
}

static void check_line(const char *line)
{
	if (!has_line(line))
		fail_msg("no line \"%s\" in:\n%s", line, page);
}

/* Lines that begin so. */
static size_t count_lines(const char *start)
{
	size_t count = 0;

	for (const char *line = page; *line; line = strchr(line, '\n') + 1)
		count += !strncmp(line, start, strlen(start));
	return count;
}

static void seconds_keep_every_nanosecond(void **state)
{
	static const struct { uint64_t ns; const char *want, *why; } cases[] = {
		{ 0, "0\n", "no fraction" },
		{ 1, "0.000000001\n", "the smallest" },
		{ 1000000000, "1\n", "a whole second" },
		{ 1500000000, "1.5\n", "zeros at the end are cut" },
		{ 1000000010, "1.00000001\n", "zeros inside are kept" },
		{ 9007199254740993, "9007199.254740993\n", "above 2^53: a double would end in 2" },
		{ UINT64_MAX, "18446744073.709551615\n", "the largest" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char got[64] = "";
		FILE *out = fmemopen(got, sizeof(got), "w");

		exposition_write_seconds(out, cases[i].ns);
		fclose(out);
		if (strcmp(got, cases[i].want))
			fail_msg("%s: %s, not %s", cases[i].why, got, cases[i].want);
	}
}

static void a_label_holds_whatever_a_task_calls_itself(void **state)
{
	static const struct { const char *value, *want, *why; } cases[] = {
		{ "nginx", "nginx", "plain" },
		{ "", "", "empty" },
		{ "a\"} 1", "a\\\"} 1", "a quote would end the label" },
		{ "a\\", "a\\\\", "a backslash would escape the quote" },
		{ "a\nb", "a\\\\x0ab", "a newline would end the line" },
		{ "\x1b[2J", "\\\\x1b[2J", "a terminal would obey" },
		{ "\x7f", "\\\\x7f", "DEL" },
		{ "caf\xc3\xa9", "caf\xc3\xa9", "two bytes" },
		{ "\xe2\x82\xac", "\xe2\x82\xac", "three bytes" },
		{ "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7", "four bytes" },
		{ "\xc2\x9b", "\\\\xc2\\\\x9b", "C1: the one-character form of ESC [" },
		{ "\xff" "a", "\\\\xffa", "never in UTF-8" },
		{ "\x80", "\\\\x80", "a continuation of nothing" },
		{ "\xc3", "\\\\xc3", "cut after the first of two bytes" },
		{ "\xc3(", "\\\\xc3(", "no continuation" },
		{ "\xe2\x82", "\\\\xe2\\\\x82", "cut after the second of three" },
		{ "\xe2\x82(", "\\\\xe2\\\\x82(", "a third that is none" },
		{ "\xf0\x9f\x90(", "\\\\xf0\\\\x9f\\\\x90(", "a fourth that is none" },
		{ "\xc0\xaf", "\\\\xc0\\\\xaf", "longer than it need be" },
		{ "\xe0\x80\xaf", "\\\\xe0\\\\x80\\\\xaf", "longer than it need be" },
		{ "\xf0\x80\x80\xaf", "\\\\xf0\\\\x80\\\\x80\\\\xaf", "longer than it need be" },
		{ "\xed\xa0\x80", "\\\\xed\\\\xa0\\\\x80", "a surrogate" },
		{ "\xf4\x90\x80\x80", "\\\\xf4\\\\x90\\\\x80\\\\x80", "above U+10FFFF" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char got[128] = "", want[128];
		FILE *out = fmemopen(got, sizeof(got), "w");

		exposition_write_label(out, "{comm", cases[i].value);
		fclose(out);
		snprintf(want, sizeof(want), "{comm=\"%s\"", cases[i].want);
		if (strcmp(got, want))
			fail_msg("%s: %s, not %s", cases[i].why, got, want);
	}
}

static void every_context_of_every_cpu_is_there_from_the_start(void **state)
{
	(void)state;
	render();
	assert_int_equal(count_lines("netto_cpu_seconds_total{"), CPUS * CONTEXT_COUNT);
	check_line("netto_cpu_seconds_total{cpu=\"2\",context=\"hardirq\"} 0");
	assert_int_equal(count_lines("netto_samples_total{"), CONTEXT_COUNT);
	assert_int_equal(count_lines("netto_samples_unexplained_total{"), CONTEXT_COUNT);
	assert_int_equal(count_lines("netto_samples_lost_total{"), LOSS_COUNT);
	assert_int_equal(count_lines("netto_source_info{"), CONTEXT_COUNT);
}

static void events_are_told_only_where_they_are_counted(void **state)
{
	(void)state;
	render();
	assert_int_equal(count_lines("netto_events_total{"), CPUS);
	check_line("netto_events_total{cpu=\"0\",context=\"softirq_rx\"} 0");
	totals.exact[CONTEXT_SOFTIRQ_RX] = false;
	totals.total.contexts[CONTEXT_SOFTIRQ_RX].events = 5;
	render();
	assert_int_equal(count_lines("netto_events_total{"), CPUS);
}

static void a_component_and_a_step_appear_with_their_first_time(void **state)
{
	(void)state;
	render();
	assert_int_equal(count_lines("netto_component_cpu_seconds_total{"), 0);
	assert_int_equal(count_lines("netto_rx_step_cpu_seconds_total{"), 0);
	totals.total.components[CONTEXT_SYSCALL_TX][COMPONENT_TCP_TX].ns = 42;
	totals.total.steps[CONTEXT_SOFTIRQ_RX][STEP_LOCAL_DELIVERY][FAMILY_IPV6] = 2000000000;
	totals.total.steps[CONTEXT_SYSCALL_TX][STEP_NONE][FAMILY_NONE] = 42;
	render();
	assert_int_equal(count_lines("netto_component_cpu_seconds_total{"), 1);
	assert_int_equal(count_lines("netto_rx_step_cpu_seconds_total{"), 2);
	check_line("netto_component_cpu_seconds_total{context=\"syscall_tx\",component=\"tcp_tx\"} "
		   "0.000000042");
	check_line("netto_rx_step_cpu_seconds_total{context=\"softirq_rx\",step=\"local_delivery\","
		   "family=\"ipv6\"} 2");
	check_line("netto_rx_step_cpu_seconds_total{context=\"syscall_tx\",step=\"none\",family=\"\"} "
		   "0.000000042");
}

static void each_figure_has_its_own_line(void **state)
{
	static const char *const lines[] = {
		"netto_cpu_seconds_total{cpu=\"1\",context=\"softirq_rx\"} 0.000000001",
		"netto_events_total{cpu=\"1\",context=\"softirq_rx\"} 2",
		"netto_samples_total{context=\"kthread\"} 3",
		"netto_samples_unexplained_total{context=\"kthread\"} 4",
		"netto_samples_lost_total{reason=\"ring_overrun\"} 5",
		"netto_samples_taken_total 6",
		"netto_samples_filtered_total 7",
		"netto_samples_outside_total 8",
		"netto_records_total 9",
		"netto_frames_unmapped_total 10",
		"netto_socket_calls_missed_total 13",
		"netto_symbols_missed_total 22",
		"netto_clipped_cpu_seconds_total 0.000000011",
		"netto_gaps_total 12",
		"netto_gap_seconds_total 0.000000013",
		"netto_overhead_cpu_seconds_total{process=\"collector\"} 0.000000014",
		"netto_overhead_cpu_seconds_total{process=\"aggregator\"} 0.000000015",
		"netto_symbols 16",
		"netto_cpus 3",
		"netto_source_info{context=\"softirq_rx\",source=\"exact\"} 1",
		"netto_source_info{context=\"kthread\",source=\"sampled\"} 1",
		"netto_collector_up 1",
		"netto_collector_last_update_timestamp_seconds 1700000000.123456789",
		"netto_sampling_frequency_hertz 997",
		"netto_kernel_info{release=\"6.1.0-\\\"quoted\\\"\",arch=\"x86_64\"} 1",
		"netto_probe_attached{probe=\"sampler\",function=\"cpu-clock\"} 1",
		"netto_probe_attached{probe=\"socket\",function=\"\"} 0",
		"netto_build_info{version=\"" NETTO_VERSION "\"} 1",
		"netto_backend_delivered_total{backend=\"log\"} 12",
		"netto_backend_dropped_total{backend=\"log\"} 3",
		"netto_backend_delivered_total{backend=\"prometheus\"} 4",
		"process_cpu_seconds_total 0.000000017",
		"process_start_time_seconds 1800000000.5",
		"process_resident_memory_bytes 18",
		"process_virtual_memory_bytes 19",
		"process_open_fds 20",
		"process_max_fds 21",
	};
	struct figures *total = &totals.total;

	(void)state;
	cpus[1].ns[CONTEXT_SOFTIRQ_RX] = 1;
	cpus[1].events[CONTEXT_SOFTIRQ_RX] = 2;
	total->contexts[CONTEXT_KTHREAD].samples = 3;
	total->contexts[CONTEXT_KTHREAD].unexplained = 4;
	total->lost[LOSS_RING_OVERRUN] = 5;
	total->samples_taken = 6;
	total->samples_filtered = 7;
	total->samples_other = 8;
	total->records = 9;
	total->frames_unmapped = 10;
	total->calls_missed = 13;
	total->symbols_missed = 22;
	total->clipped_ns = 11;
	total->gaps = 12;
	total->gap_ns = 13;
	total->collector_cpu_ns = 14;
	total->aggregator_cpu_ns = 15;
	totals.symbols = 16;
	self = (struct self_figures){ 17, 1800000000500000000, 18, 19, 20, 21 };
	render();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		check_line(lines[i]);
}

static void processes_are_told_by_pid_once_they_were_seen(void **state)
{
	static const struct process_figures processes[] = {
		{ .pid = 7, .comm = "a\"b", .alive = true, .user_ns_total = 1500000000 },
		{ .pid = 8, .comm = "", .alive = false },
		{ .pid = 9, .comm = "gone", .alive = false, .user_ns_total = 9 },
	};

	(void)state;
	totals.processes = processes;
	totals.process_count = 3;
	render();
	assert_int_equal(count_lines("netto_process_user_cpu_seconds_total{"), 2);
	check_line("netto_process_user_cpu_seconds_total{pid=\"7\",comm=\"a\\\"b\"} 1.5");
	check_line("netto_process_user_cpu_seconds_total{pid=\"9\",comm=\"gone\"} 0.000000009");
}

static void without_a_collector_only_netto_itself_is_told(void **state)
{
	static const char *const stay[] = {
		"netto_collector_up 0", "netto_collector_last_update_timestamp_seconds ",
		"netto_gaps_total ", "netto_gap_seconds_total ", "netto_build_info{",
		"netto_overhead_cpu_seconds_total{", "netto_backend_delivered_total{",
		"process_cpu_seconds_total ", "process_open_fds ",
	};

	(void)state;
	totals.collector_up = false;
	render();
	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		if (!count_lines(stay[i]))
			fail_msg("%s: missing", stay[i]);
	assert_int_equal(count_lines("netto_cpu_seconds_total"), 0);
	assert_int_equal(count_lines("netto_samples_"), 0);
	assert_int_equal(count_lines("netto_kernel_info"), 0);
	assert_int_equal(count_lines("netto_source_info"), 0);
}

static void before_any_collector_there_is_a_page(void **state)
{
	static const struct totals none;

	(void)state;
	totals = none;
	render();
	check_line("netto_collector_up 0");
}

/* What a site adds to every series itself must not be taken. */
static void no_label_has_a_name_that_belongs_to_the_target(void **state)
{
	static const char *const taken[] = { "stage", "type", "job", "instance" };

	(void)state;
	totals.total.components[0][0].ns = totals.total.steps[0][0][0] = 1;
	render();
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		char label[32];

		snprintf(label, sizeof(label), "%s=\"", taken[i]);
		if (strstr(page, label))
			fail_msg("label %s", taken[i]);
	}
}

static void every_family_is_described_once_and_before_its_series(void **state)
{
	const char *family = "";
	size_t family_bytes = 0;

	(void)state;
	totals.total.components[0][0].ns = totals.total.steps[0][0][0] = 1;
	render();
	for (const char *line = page; *line; line = strchr(line, '\n') + 1) {
		if (!strncmp(line, "# HELP ", 7)) {
			char start[128];

			family = line + 7;
			family_bytes = strcspn(family, " ");
			snprintf(start, sizeof(start), "# HELP %.*s ", (int)family_bytes, family);
			assert_int_equal(count_lines(start), 1);
		} else if (!strncmp(line, "# TYPE ", 7)) {
			assert_memory_equal(line + 7, family, family_bytes + 1);
		} else {
			assert_memory_equal(line, family, family_bytes);
			assert_true(line[family_bytes] == '{' || line[family_bytes] == ' ');
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seconds_keep_every_nanosecond),
		cmocka_unit_test(a_label_holds_whatever_a_task_calls_itself),
		TEST(every_context_of_every_cpu_is_there_from_the_start),
		TEST(events_are_told_only_where_they_are_counted),
		TEST(a_component_and_a_step_appear_with_their_first_time),
		TEST(each_figure_has_its_own_line),
		TEST(processes_are_told_by_pid_once_they_were_seen),
		TEST(without_a_collector_only_netto_itself_is_told),
		TEST(before_any_collector_there_is_a_page),
		TEST(no_label_has_a_name_that_belongs_to_the_target),
		TEST(every_family_is_described_once_and_before_its_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
