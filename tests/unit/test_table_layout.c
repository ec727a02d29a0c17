/* test_table_layout.c - the live table: figures, order, and where everything stands */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/table_columns.h"
#include "backends/table_layout.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)

static Netto__Hello hello;
static struct options options;
static struct totals totals;
static struct process_figures processes[3];
static struct table_window window;
static struct table_view view;
static struct table_canvas canvas;
static char screen[CANVAS_ROWS_MAX * (CANVAS_COLS_MAX * 4 + 1) + 1];

static void take(enum context context, enum component component, enum step step,
		 enum family family, uint64_t ns)
{
	totals.period.contexts[context].ns += ns;
	totals.period.components[context][component].ns += ns;
	totals.period.steps[context][step][family] += ns;
	totals.total.contexts[context].ns += ns;
}

/* A machine of two CPUs, and a period of half a second in which nothing ran. */
static int set_up(void **state)
{
	(void)state;
	netto__hello__init(&hello);
	hello.host = (char *)"web-7";
	hello.kernel_release = (char *)"6.18.44";
	hello.rate_hz = 997;
	hello.started_ns = 1 * S;
	memset(&options, 0, sizeof(options));
	options.runtime_dir = "/run/netto";
	memset(&totals, 0, sizeof(totals));
	totals.hello = &hello;
	totals.collector_up = true;
	totals.cpus_online = 2;
	totals.symbols = 1;
	totals.end_ns = 12 * 3600 * S + 34 * 60 * S + 56 * S;
	totals.period.wall_ns = 500 * MS;
	memset(&window, 0, sizeof(window));
	table_view_open(&view, &options);
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	return 0;
}

/* The totals as they stand are one more period. */
static void end_period(void)
{
	table_window_add(&window, &totals, &options);
	table_view_update(&view, &window, &totals, 3723 * S + 1 * S);
}

static void follow_processes(void)
{
	for (size_t i = 0; i < 3; i++)
		processes[i].pid = options.pids[i] = (pid_t)(100 + i);
	options.pid_count = totals.process_count = 3;
	totals.processes = processes;
	table_view_open(&view, &options);
}

static void draw_page(int cols, int rows, bool utf8, enum table_page page)
{
	char *to = screen;

	canvas_clear(&canvas, rows, cols, utf8);
	table_layout(&canvas, &view, page);
	for (int row = 0; row < canvas.rows; row++) {
		for (int col = 0; col < canvas.cols; col++)
			if (canvas.cells[row][col].ch)
				to += wctomb(to, canvas.cells[row][col].ch);
		*to++ = '\n';
	}
	*to = '\0';
}

static void draw(int cols, int rows)
{
	draw_page(cols, rows, true, TABLE_PAGE_FIGURES);
}

static void check_shown(const char *text, const char *why)
{
	if (!strstr(screen, text))
		fail_msg("\"%s\" is not on the screen (%s):\n%s", text, why, screen);
}

static void check_not_shown(const char *text, const char *why)
{
	if (strstr(screen, text))
		fail_msg("\"%s\" is on the screen (%s):\n%s", text, why, screen);
}

/* Words of the line that starts with name, one space between them. */
static const char *line_of(const char *name)
{
	static char words[CANVAS_COLS_MAX * 4 + 1];
	const char *from = strstr(screen, name);
	char *to = words;

	if (!from)
		fail_msg("no line \"%s\":\n%s", name, screen);
	for (; *from && *from != '\n'; from++)
		if (*from != ' ' || (to > words && to[-1] != ' '))
			*to++ = *from;
	*to = '\0';
	return words;
}

static void check_line(const char *name, const char *start)
{
	if (strncmp(line_of(name), start, strlen(start)) != 0)
		fail_msg("the line is \"%s\", not \"%s\"", line_of(name), start);
}

/* Time in many components and steps, so that no small screen holds them all. */
static void busy_period(void)
{
	for (int c = 0; c < CONTEXT_COUNT; c++)
		for (int k = 0; k < COMPONENT_COUNT; k++)
			take(c, k, k % STEP_COUNT, k % FAMILY_COUNT, (uint64_t)(k + 1) * MS / 40);
	end_period();
}

static void figures_stand_in_the_unit_of_their_column(void **state)
{
	static const struct {
		uint64_t ns, events;
		bool exact;
		const char *line, *why;
	} cases[] = {
		{ 125 * MS, 10000, true, "softirq_rx 0.250 12.50 20,000 0.12 exact",
		  "a quarter of a core is an eighth of two CPUs" },
		{ 500 * MS, 500000, true, "softirq_rx 1.000 50.00 1,000,000 0.50 exact",
		  "a whole core" },
		{ 125 * MS, 0, false, "softirq_rx 0.250 12.50 - 0.12 sampled",
		  "samples count no events" },
		{ 1000, 0, true, "softirq_rx 0.000 0.00 0 0.00 exact", "hardly anything" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)set_up(state);
		take(CONTEXT_SOFTIRQ_RX, COMPONENT_GRO, STEP_GRO, FAMILY_NONE, cases[i].ns);
		totals.period.contexts[CONTEXT_SOFTIRQ_RX].events = cases[i].events;
		totals.exact[CONTEXT_SOFTIRQ_RX] = cases[i].exact;
		end_period();
		draw(80, 24);
		check_line("softirq_rx", cases[i].line);
	}
}

static void header_says_all_that_is_asked_of_it(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	take(CONTEXT_SYSCALL_TX, COMPONENT_TCP_TX, STEP_NONE, FAMILY_NONE, 100 * MS);
	totals.period.collector_cpu_ns = 2 * MS;
	totals.period.aggregator_cpu_ns = 3 * MS;
	totals.total.lost[LOSS_BPF_RING_FULL] = 3;
	totals.total.lost[LOSS_NO_STACK] = 4;
	totals.total.lost[LOSS_RING_OVERRUN] = 5;
	end_period();
	draw(80, 24);
	check_line("netto", "netto web-7 Linux 6.18.44 2 CPUs 997 Hz up 1h02m 12:34:56");
	check_shown("network CPU  0.200 cores = 10.00 % of the machine", "the sum");
	check_shown("lost samples 7, records 5", "samples are not records");
	check_shown("netto itself 0.500 % of the machine", "5 ms of 2 x 500");
	check_shown("mean of 0.5 s", "what the figures cover");
}

static void all_parts_are_on_a_screen_of_80x24(void **state)
{
	static const enum context usual[] = {
		CONTEXT_SYSCALL_TX, CONTEXT_SYSCALL_RX, CONTEXT_SYSCALL_OTHER, CONTEXT_SOFTIRQ_RX,
		CONTEXT_SOFTIRQ_TX, CONTEXT_SOFTIRQ_TIMER, CONTEXT_KTHREAD, CONTEXT_HARDIRQ,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		take(usual[i], COMPONENT_TCP_RX, STEP_LOCAL_DELIVERY, FAMILY_IPV6, 10 * MS);
	end_period();
	draw(80, 24);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		check_shown(context_names[usual[i]], "a context that took time");
	check_not_shown("busy_poll", "it took none");
	draw(80, 40);
	check_shown("busy_poll", "there is room for what took none");
	draw(80, 24);
	check_shown("local_delivery ipv6  0.160 100.0", "a step with its family");
	check_shown("tcp_rx           0.160 100.0", "a component");
	check_shown("exact: timed by probes   sampled: estimated from stacks", "the legend");
	check_shown("q quit", "the keys");
}

static void more_room_shows_more(void **state)
{
	(void)state;
	busy_period();
	draw(80, 24);
	check_not_shown("what it is", "a column for wide screens");
	check_shown("\u2026 ", "not all rows fit");
	draw(200, 50);
	check_shown("what it is", "a column for wide screens");
	check_shown("mostly in", "a column for wide screens");
	for (int c = 0; c < CONTEXT_COUNT; c++)
		check_shown(table_context_meaning[c], "every context");
	check_shown("share of network CPU", "the bar has room for its heading");
	draw(200, 100);
	for (int k = 0; k < COMPONENT_COUNT; k++)
		check_shown(component_names[k], "every component");
	check_not_shown("\u2026 ", "all rows fit");
}

/* The figure in these cells of a row. */
static double figure_at(int row, int col, int cols)
{
	char text[32];
	int length = 0;

	for (; cols-- > 0; col++)
		text[length++] = (char)canvas.cells[row][col].ch;
	text[length] = '\0';
	return atof(text);
}

static int row_of(const char *name)
{
	int row = 0;

	for (const char *c = screen; strncmp(c, name, strlen(name)) != 0; c++) {
		if (!*c)
			fail_msg("no row \"%s\":\n%s", name, screen);
		row += *c == '\n';
	}
	return row;
}

static void rows_without_room_are_summed_up(void **state)
{
	double percent = 0;
	int first, last;

	(void)state;
	busy_period();
	draw(60, 40);
	first = row_of("component ") + 1;
	last = row_of("receive step ") - 1;
	assert_true(last > first + 2);
	assert_int_equal(canvas.cells[last][0].ch, L'\u2026');
	for (int row = first; row <= last; row++)
		percent += figure_at(row, 25, 5);
	assert_true(percent > 99 && percent < 101);
}

static void figures_are_the_mean_of_two_seconds(void **state)
{
	(void)state;
	take(CONTEXT_KTHREAD, COMPONENT_TAP, STEP_NONE, FAMILY_NONE, 500 * MS);
	end_period();
	draw(80, 24);
	check_line("kthread", "kthread 1.000");
	memset(&totals.period.contexts, 0, sizeof(totals.period.contexts));
	end_period();
	draw(80, 24);
	check_line("kthread", "kthread 0.500");
	end_period();
	end_period();
	draw(80, 24);
	check_line("kthread", "kthread 0.250");
	end_period();
	draw(80, 24);
	check_line("kthread", "kthread 0.000");
	check_shown("mean of 2.0 s", "four periods");
}

static void periods_of_any_length_are_shown(void **state)
{
	(void)state;
	totals.period.wall_ns = 60 * S;
	take(CONTEXT_KTHREAD, COMPONENT_TAP, STEP_NONE, FAMILY_NONE, 30 * S);
	end_period();
	end_period();
	draw(80, 24);
	check_line("kthread", "kthread 0.500");
	check_shown("mean of 60.0 s", "one long period");
	totals.period.wall_ns = 1 * MS;
	totals.period.contexts[CONTEXT_KTHREAD].ns = 1 * MS / 4;
	for (int i = 0; i < 3 * TABLE_WINDOW_PERIODS; i++)
		end_period();
	draw(80, 24);
	check_line("kthread", "kthread 0.250");
}

static bool stands_above(const char *upper, const char *lower)
{
	return strstr(screen, upper) < strstr(screen, lower);
}

static void one_period_of_two_components(uint64_t gro_ns, uint64_t nat_ns)
{
	memset(&totals.period.contexts, 0, sizeof(totals.period.contexts));
	memset(&totals.period.components, 0, sizeof(totals.period.components));
	totals.period.wall_ns = 2 * S;
	take(CONTEXT_SOFTIRQ_RX, COMPONENT_GRO, STEP_NONE, FAMILY_NONE, gro_ns);
	take(CONTEXT_SOFTIRQ_RX, COMPONENT_NAT, STEP_NONE, FAMILY_NONE, nat_ns);
	end_period();
	draw(80, 24);
}

static void rows_change_places_only_when_it_is_clear(void **state)
{
	(void)state;
	one_period_of_two_components(100 * MS, 101 * MS);
	assert_true(stands_above("nat ", "gro "));
	one_period_of_two_components(102 * MS, 100 * MS);
	assert_true(stands_above("nat ", "gro "));
	one_period_of_two_components(120 * MS, 100 * MS);
	assert_true(stands_above("gro ", "nat "));
	one_period_of_two_components(100 * MS, 102 * MS);
	assert_true(stands_above("gro ", "nat "));
}

static void time_outside_receiving_closes_the_list(void **state)
{
	(void)state;
	take(CONTEXT_SYSCALL_TX, COMPONENT_TCP_TX, STEP_NONE, FAMILY_NONE, 400 * MS);
	take(CONTEXT_SOFTIRQ_RX, COMPONENT_GRO, STEP_LOCAL_DELIVERY, FAMILY_IPV4, 10 * MS);
	take(CONTEXT_SOFTIRQ_RX, COMPONENT_GRO, STEP_BACKLOG, FAMILY_NONE, 5 * MS);
	end_period();
	draw(80, 24);
	assert_true(stands_above("local_delivery ipv4", "backlog "));
	assert_true(stands_above("backlog ", "not receiving"));
}

static void collector_that_went_leaves_its_totals_only(void **state)
{
	(void)state;
	draw(80, 24);
	check_shown("waiting for netto-collector in /run/netto", "nobody came yet");
	take(CONTEXT_SOFTIRQ_RX, COMPONENT_GRO, STEP_GRO, FAMILY_NONE, 250 * MS);
	end_period();
	draw(80, 24);
	check_not_shown("waiting", "it is here");
	totals.collector_up = false;
	memset(&totals.period, 0, sizeof(totals.period));
	table_window_empty(&window);
	table_view_update(&view, &window, &totals, 10 * S);
	draw(80, 24);
	check_shown("waiting for netto-collector in /run/netto", "it has gone");
	check_line("softirq_rx", "softirq_rx - - - 0.25");
	check_not_shown("gro ", "what it cost is not what it costs");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	busy_period();
	draw(80, 24);
	check_not_shown("kptr_restrict", "symbols are there");
	totals.symbols = 0;
	end_period();
	view.paused = true;
	snprintf(view.message, sizeof(view.message), "pid 4711 has ended");
	draw(80, 24);
	check_shown("kptr_restrict", "no symbols");
	check_shown("PAUSED", "the picture stands still");
	check_shown("pid 4711 has ended", "the latest message");
}

static void followed_processes_are_shown(void **state)
{
	(void)state;
	follow_processes();
	strcpy(processes[0].comm, "iperf3");
	processes[0].alive = true;
	processes[0].user_ns = 50 * MS;
	processes[0].user_ns_total = 90 * MS;
	strcpy(processes[1].comm, "curl");
	totals.process_count = 2;
	end_period();
	draw(80, 24);
	check_line("iperf3", "iperf3 100 0.100 5.00 0.09");
	check_line("curl (ended)", "curl (ended) 101 0.000");
	check_line("(no such process)", "(no such process) 102");
	draw(160, 45);
	check_shown("iperf3", "beside the panels");
}

static void other_locales_get_ascii_only(void **state)
{
	(void)state;
	follow_processes();
	strcpy(processes[0].comm, "caf\xc3\xa9");
	processes[0].alive = true;
	busy_period();
	for (int page = TABLE_PAGE_FIGURES; page <= TABLE_PAGE_PLAIN; page++) {
		draw_page(80, 24, false, (enum table_page)page);
		for (const char *c = screen; *c; c++)
			assert_true((unsigned char)*c < 0x7f);
	}
	check_shown("#", "bars");
	check_shown("... ", "rows that do not fit");
	check_shown("caf??", "a name");
}

static void every_size_is_drawn_within_its_bounds(void **state)
{
	(void)state;
	follow_processes();
	busy_period();
	view.symbols_missing = true;
	memset(view.message, 'm', sizeof(view.message) - 1);
	for (int rows = 1; rows <= 60; rows++) {
		for (int cols = 1; cols <= 220; cols += 1 + cols / 20) {
			for (int page = TABLE_PAGE_FIGURES; page <= TABLE_PAGE_PLAIN; page++)
				draw_page(cols, rows, cols % 2, (enum table_page)page);
			draw(cols, rows);
			assert_int_equal(canvas.rows, rows);
			assert_int_equal(canvas.cols, cols);
			if (rows < TABLE_ROWS_MIN || cols < TABLE_COLS_MIN)
				assert_memory_equal(screen, "too small", cols < 9 ? cols : 9);
			else
				check_shown("q quit", "the keys");
		}
	}
	draw(100000, 100000);
	assert_int_equal(canvas.cols, CANVAS_COLS_MAX);
}

static void absurd_figures_do_no_harm(void **state)
{
	static const uint64_t walls[] = { 0, 1, UINT64_MAX };

	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		(void)set_up(state);
		totals.period.wall_ns = walls[i];
		totals.cpus_online = i ? UINT32_MAX : 0;
		take(CONTEXT_KTHREAD, COMPONENT_TAP, STEP_NONE, FAMILY_NONE, UINT64_MAX);
		totals.period.contexts[CONTEXT_KTHREAD].events = UINT64_MAX;
		totals.exact[CONTEXT_KTHREAD] = true;
		end_period();
		draw(80, 24);
		check_shown("kthread", "it took time");
		draw(200, 50);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(figures_stand_in_the_unit_of_their_column, set_up),
		cmocka_unit_test_setup(header_says_all_that_is_asked_of_it, set_up),
		cmocka_unit_test_setup(all_parts_are_on_a_screen_of_80x24, set_up),
		cmocka_unit_test_setup(more_room_shows_more, set_up),
		cmocka_unit_test_setup(rows_without_room_are_summed_up, set_up),
		cmocka_unit_test_setup(figures_are_the_mean_of_two_seconds, set_up),
		cmocka_unit_test_setup(periods_of_any_length_are_shown, set_up),
		cmocka_unit_test_setup(rows_change_places_only_when_it_is_clear, set_up),
		cmocka_unit_test_setup(time_outside_receiving_closes_the_list, set_up),
		cmocka_unit_test_setup(collector_that_went_leaves_its_totals_only, set_up),
		cmocka_unit_test_setup(what_is_wrong_is_said, set_up),
		cmocka_unit_test_setup(followed_processes_are_shown, set_up),
		cmocka_unit_test_setup(other_locales_get_ascii_only, set_up),
		cmocka_unit_test_setup(every_size_is_drawn_within_its_bounds, set_up),
		cmocka_unit_test_setup(absurd_figures_do_no_harm, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
