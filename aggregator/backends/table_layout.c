/* table_layout.c - where everything stands on the screen */
#include "table_layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "table_columns.h"

#define SIDE_BY_SIDE_COLS 72     /* components and steps, each with a bar */
#define THREE_PANELS_COLS 130    /* and processes beside them */
#define CONDENSED_ROWS 18        /* below: a header of two lines, no legend */
#define SPACED_ROWS 30           /* room for empty lines */
#define ALL_CONTEXTS_ROWS 36     /* room for contexts that never took time */
#define PANEL_ROWS_MIN 5
#define STACKED_ROWS_MIN 6

static void format_uptime(char *text, size_t bytes, uint64_t ns)
{
	uint64_t s = ns / UINT64_C(1000000000);

	if (s >= 86400)
		snprintf(text, bytes, "%" PRIu64 "d%02dh", s / 86400, (int)(s / 3600 % 24));
	else if (s >= 3600)
		snprintf(text, bytes, "%dh%02dm", (int)(s / 3600), (int)(s / 60 % 60));
	else
		snprintf(text, bytes, "%dm%02ds", (int)(s / 60), (int)(s % 60));
}

static void format_clock(char *text, size_t bytes, uint64_t ns)
{
	time_t s = (time_t)(ns / UINT64_C(1000000000));
	struct tm tm;

	if (!ns || !localtime_r(&s, &tm))
		snprintf(text, bytes, "--:--:--");
	else
		strftime(text, bytes, "%H:%M:%S", &tm);
}

/* Text two columns on, all of it or nothing. Returns the column after it. */
static int put_item(struct table_canvas *canvas, int col, int end, enum canvas_style style,
		    const char *text)
{
	if (col + 2 + (int)strlen(text) > end)
		return col;
	return canvas_put(canvas, 0, col + 2, end, style, text);
}

static void draw_machine(struct table_canvas *canvas, const struct table_view *view)
{
	char text[64], uptime[32];
	int end = canvas->cols - 10, col;

	format_clock(text, sizeof(text), view->end_ns);
	canvas_put_right(canvas, 0, 0, canvas->cols, STYLE_PLAIN, text);
	if (view->paused) {
		canvas_put_right(canvas, 0, 0, end, STYLE_ALERT, "PAUSED");
		end -= 8;
	}
	col = canvas_put(canvas, 0, 0, end, STYLE_STRONG, "netto");
	if (!view->collector_seen)
		return;
	snprintf(text, sizeof(text), "%.24s", view->host);
	col = put_item(canvas, col, end, STYLE_STRONG, text);
	snprintf(text, sizeof(text), "Linux %.32s", view->kernel);
	col = put_item(canvas, col, end, STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%u CPU%s", view->cpus, view->cpus == 1 ? "" : "s");
	col = put_item(canvas, col, end, STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%u Hz", view->rate_hz);
	col = put_item(canvas, col, end, STYLE_PLAIN, text);
	format_uptime(uptime, sizeof(uptime), view->uptime_ns);
	snprintf(text, sizeof(text), "%s %s", canvas->cols < 100 ? "up" : "collector up", uptime);
	(void)put_item(canvas, col, end, STYLE_PLAIN, text);
}

static void draw_sum(struct table_canvas *canvas, int row, const struct table_view *view)
{
	double percent = table_machine_percent(view, view->network_ns);
	char cores[32];
	int col;

	if (!view->collector_up) {
		canvas_print(canvas, row, 0, canvas->cols, STYLE_ALERT,
			     "waiting for netto-collector in %s%s", view->runtime_dir,
			     view->collector_seen ? " (it was here: totals are kept)" : "");
		return;
	}
	if (!view->recent.wall_ns) {
		canvas_put(canvas, row, 0, canvas->cols, STYLE_STRONG,
			   "network CPU: measuring the first period");
		return;
	}
	table_format_cores(cores, sizeof(cores), view, view->network_ns);
	col = canvas_print(canvas, row, 0, canvas->cols, STYLE_STRONG,
			   "network CPU  %s cores = %.2f %% of the machine", cores, percent);
	if (canvas->cols - col < 20)
		return;
	canvas_put(canvas, row, col + 2, canvas->cols, STYLE_PLAIN, "[");
	canvas_bar(canvas, row, col + 3, canvas->cols - col - 4, percent / 100);
	canvas_put(canvas, row, canvas->cols - 1, canvas->cols, STYLE_PLAIN, "]");
}

static void draw_health(struct table_canvas *canvas, int row, const struct table_view *view)
{
	bool lost = view->lost_samples || view->lost_records;
	int end = canvas->cols, col;
	char mean[48];

	col = canvas_print(canvas, row, 0, end, lost ? STYLE_ALERT : STYLE_PLAIN,
			   "lost samples %" PRIu64, view->lost_samples);
	if (view->lost_records)
		col = canvas_print(canvas, row, col, end, STYLE_ALERT, ", records %" PRIu64,
				   view->lost_records);
	if (!view->recent.wall_ns)
		return;
	col = canvas_print(canvas, row, col, end, STYLE_PLAIN, "   netto itself %.3f %% of the machine",
			   table_machine_percent(view, view->recent.own_ns));
	if (end - col >= 15) {
		snprintf(mean, sizeof(mean), "mean of %.1f s", (double)view->recent.wall_ns / 1e9);
		canvas_put_right(canvas, row, col, end, STYLE_FAINT, mean);
	}
}

/* Returns the first row below the header. */
static int draw_header(struct table_canvas *canvas, const struct table_view *view)
{
	bool condensed = canvas->rows < CONDENSED_ROWS;
	int row = 0;

	draw_machine(canvas, view);
	draw_sum(canvas, ++row, view);
	if (!condensed)
		draw_health(canvas, ++row, view);
	if (view->symbols_missing)
		canvas_put(canvas, ++row, 0, canvas->cols, STYLE_ALERT,
			   "components unknown: the kernel hides its symbols "
			   "(sysctl kernel.kptr_restrict)");
	return row + 1 + (canvas->rows >= SPACED_ROWS);
}

/* Returns the first row of the footer. */
static int draw_footer(struct table_canvas *canvas, const struct table_view *view,
		       enum table_page page)
{
	int row = canvas->rows, col;

	if (page != TABLE_PAGE_PLAIN) {
		col = canvas_put(canvas, --row, 0, canvas->cols, STYLE_PLAIN,
				 page == TABLE_PAGE_HELP ? "q quit   any other key: back" :
				 view->paused ? "q quit   space go on   ? help" :
				 "q quit   space pause   ? help");
		if (view->message[0])
			canvas_put(canvas, row, col + 3, canvas->cols, STYLE_ALERT, view->message);
	}
	if (canvas->rows >= CONDENSED_ROWS && page != TABLE_PAGE_HELP)
		canvas_put(canvas, --row, 0, canvas->cols, STYLE_FAINT, canvas->cols >= 72 ?
			   "exact: timed by probes   sampled: estimated from stacks   "
			   "net: all network CPU" : "exact: timed   sampled: estimated");
	return row;
}

static void draw_components(struct table_canvas *canvas, const struct canvas_area *area,
			    const struct table_view *view)
{
	struct table_row rows[TABLE_ROWS_MAX];

	table_draw(canvas, area, &table_components, view, rows, table_components_rows(rows, view));
}

static void draw_steps(struct table_canvas *canvas, const struct canvas_area *area,
		       const struct table_view *view)
{
	struct table_row rows[TABLE_ROWS_MAX];

	table_draw(canvas, area, &table_steps, view, rows, table_steps_rows(rows, view));
}

static void draw_processes(struct table_canvas *canvas, const struct canvas_area *area,
			   const struct table_view *view)
{
	struct table_row rows[TABLE_ROWS_MAX];

	table_draw(canvas, area, &table_processes, view, rows, table_processes_rows(rows, view));
}

/* Side by side where there is room, else one below the other, if both make sense. */
static void draw_panels(struct table_canvas *canvas, struct canvas_area area,
			const struct table_view *view)
{
	bool three = view->process_count && area.cols >= THREE_PANELS_COLS;
	int all = area.cols;

	if (area.cols < SIDE_BY_SIDE_COLS) {
		struct canvas_area lower = area;

		if (area.rows >= STACKED_ROWS_MIN)
			area.rows = (area.rows + 1) / 2;
		lower.row += area.rows;
		lower.rows -= area.rows;
		draw_components(canvas, &area, view);
		draw_steps(canvas, &lower, view);
		return;
	}
	area.cols = three ? (all - 4) * 2 / 5 : (all - 2) / 2;
	draw_components(canvas, &area, view);
	area.col += area.cols + 2;
	if (!three) {
		area.cols = all - area.col;
		draw_steps(canvas, &area, view);
		return;
	}
	area.cols = (all - 4) * 3 / 10;
	draw_steps(canvas, &area, view);
	area.col += area.cols + 2;
	area.cols = all - area.col;
	draw_processes(canvas, &area, view);
}

static int min(int a, int b)
{
	return a < b ? a : b;
}

static void draw_figures(struct table_canvas *canvas, const struct table_view *view,
			 enum table_page page)
{
	struct canvas_area area = { .cols = canvas->cols };
	struct table_row rows[TABLE_ROWS_MAX];
	int gap = canvas->rows >= SPACED_ROWS, end, processes = 0, panels;
	size_t contexts;

	area.row = draw_header(canvas, view);
	end = draw_footer(canvas, view, page) - gap;
	if (view->process_count && canvas->cols < THREE_PANELS_COLS)
		processes = 1 + min((int)view->process_count, (end - area.row) / 6);
	/* Contexts come first, but never push the rest off the screen. */
	panels = min(PANEL_ROWS_MIN + 1, (end - area.row) / 2);
	contexts = table_contexts_rows(rows, view, canvas->rows >= ALL_CONTEXTS_ROWS);
	area.rows = min(1 + (contexts ? (int)contexts : 1),
			end - area.row - panels - gap - (processes ? processes + gap : 0));
	table_draw(canvas, &area, &table_contexts, view, rows, contexts);
	area.row += (area.rows > 0 ? area.rows : 0) + gap;
	if (processes) {
		area.rows = min(processes, end - area.row - panels);
		draw_processes(canvas, &area, view);
		area.row += (area.rows > 0 ? area.rows : 0) + gap;
	}
	area.rows = end - area.row;
	draw_panels(canvas, area, view);
}

static void draw_help(struct table_canvas *canvas, const struct table_view *view)
{
	static const char *const lines[] = {
		"How much CPU the network stack of this machine takes, and where.",
		"cores: CPUs kept busy (0.5 = half of one); % machine: of all CPUs together.",
		"Hz: stack samples a second on each CPU; up: how long the collector has run.",
		"context: who runs the code. exact contexts are timed by probes, sampled ones are",
		"estimated from stacks. component: what the code does. receive step: how far a",
		"packet had come. Components and steps each add up to all network CPU (% net).",
	};
	int row = draw_header(canvas, view), end = canvas->rows - 1;
	int cols = canvas->cols;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) && row < end; i++)
		canvas_put(canvas, row++, 0, cols, STYLE_PLAIN, lines[i]);
	row += canvas->rows >= SPACED_ROWS;
	for (int c = 0; c < CONTEXT_COUNT && row < end; c++, row++) {
		canvas_put(canvas, row, 0, cols, STYLE_STRONG, context_names[c]);
		canvas_put(canvas, row, 16, cols, STYLE_PLAIN, table_context_meaning[c]);
	}
	draw_footer(canvas, view, TABLE_PAGE_HELP);
}

static void draw_too_small(struct table_canvas *canvas)
{
	canvas_print(canvas, 0, 0, canvas->cols, STYLE_PLAIN, "too small: %dx%d, needs %dx%d",
		     canvas->cols, canvas->rows, TABLE_COLS_MIN, TABLE_ROWS_MIN);
}

void table_layout(struct table_canvas *canvas, const struct table_view *view,
		  enum table_page page)
{
	if (canvas->cols < TABLE_COLS_MIN || canvas->rows < TABLE_ROWS_MIN)
		draw_too_small(canvas);
	else if (page == TABLE_PAGE_HELP)
		draw_help(canvas, view);
	else
		draw_figures(canvas, view, page);
}
