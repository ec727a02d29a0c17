/* table_columns.c - the tables on the screen, column by column */
#include "table_columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S 1e9
#define BAR_COLS_MIN 4
#define BAR_COLS_MAX 40
#define TEXT_BYTES 128

struct table_column {
	const char *heading;
	int width;                        /* cells; 0: the bar */
	bool right;                       /* figures stand to the right */
	bool summed;                      /* says something of several rows together, too */
	int from_cols;                    /* shown in tables at least so wide */
	void (*format)(char *text, size_t bytes, const struct table_view *view,
		       const struct table_row *row);
};

const char *const table_context_meaning[CONTEXT_COUNT] = {
	[CONTEXT_SYSCALL_TX] = "tasks sending on sockets",
	[CONTEXT_SYSCALL_RX] = "tasks receiving from sockets",
	[CONTEXT_SYSCALL_OTHER] = "other socket calls: connect, poll, close",
	[CONTEXT_SOFTIRQ_RX] = "packets coming in (NET_RX)",
	[CONTEXT_SOFTIRQ_TX] = "transmit queues run later (NET_TX)",
	[CONTEXT_SOFTIRQ_TIMER] = "timers: retransmission, pacing",
	[CONTEXT_NAPI_THREAD] = "driver polling in kernel threads",
	[CONTEXT_BUSY_POLL] = "tasks polling the driver themselves",
	[CONTEXT_IO_WORKER] = "network work of io_uring workers",
	[CONTEXT_KTHREAD] = "network work of other kernel threads",
	[CONTEXT_HARDIRQ] = "interrupt handlers of network devices",
};

/* A figure or, where nothing was measured lately, a dash. */
static double per_second(const struct table_view *view, uint64_t count)
{
	return (double)count * NS_PER_S / (double)view->recent.wall_ns;
}

void table_format_cores(char *text, size_t bytes, const struct table_view *view, uint64_t ns)
{
	double cores;

	if (!view->recent.wall_ns) {
		snprintf(text, bytes, "-");
		return;
	}
	cores = (double)ns / (double)view->recent.wall_ns;
	snprintf(text, bytes, "%.*f", cores < 99.9995 ? 3 : 1, cores);
}

double table_machine_percent(const struct table_view *view, uint64_t ns)
{
	double machine_ns = (double)view->recent.wall_ns * view->cpus;

	return machine_ns > 0 ? 100 * (double)ns / machine_ns : 0;
}

static void format_cores(char *text, size_t bytes, const struct table_view *view,
			 const struct table_row *row)
{
	table_format_cores(text, bytes, view, row->ns);
}

static void format_machine(char *text, size_t bytes, const struct table_view *view,
			   const struct table_row *row)
{
	if (view->recent.wall_ns)
		snprintf(text, bytes, "%.2f", table_machine_percent(view, row->ns));
	else
		snprintf(text, bytes, "-");
}

static double network_share(const struct table_view *view, uint64_t ns)
{
	return view->network_ns ? (double)ns / (double)view->network_ns : 0;
}

static void format_network(char *text, size_t bytes, const struct table_view *view,
			   const struct table_row *row)
{
	snprintf(text, bytes, "%.1f", 100 * network_share(view, row->ns));
}

static void format_context(char *text, size_t bytes, const struct table_view *view,
			   const struct table_row *row)
{
	(void)view;
	snprintf(text, bytes, "%s", context_names[row->id]);
}

/* Thousands in groups, whatever the locale: 1,234,567. */
static void format_count(char *text, size_t bytes, uint64_t count)
{
	char digits[32];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t at = 0;

	for (size_t i = 0; i < length && at + 2 < bytes; i++) {
		if (i && (length - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
}

static void format_events(char *text, size_t bytes, const struct table_view *view,
			  const struct table_row *row)
{
	if (view->recent.wall_ns && view->exact[row->id])
		format_count(text, bytes,
			     (uint64_t)(per_second(view, view->recent.events[row->id]) + 0.5));
	else
		snprintf(text, bytes, "-");
}

static void format_ns_per_event(char *text, size_t bytes, const struct table_view *view,
				const struct table_row *row)
{
	uint64_t events = view->recent.events[row->id];

	if (view->exact[row->id] && events)
		format_count(text, bytes, row->ns / events);
	else
		snprintf(text, bytes, "-");
}

static void format_source(char *text, size_t bytes, const struct table_view *view,
			  const struct table_row *row)
{
	snprintf(text, bytes, "%s", view->exact[row->id] ? "exact" : "sampled");
}

static void format_total(char *text, size_t bytes, const struct table_view *view,
			 const struct table_row *row)
{
	snprintf(text, bytes, "%.2f", (double)view->total_ns[row->id] / NS_PER_S);
}

static void format_meaning(char *text, size_t bytes, const struct table_view *view,
			   const struct table_row *row)
{
	(void)view;
	snprintf(text, bytes, "%s", table_context_meaning[row->id]);
}

static void format_component(char *text, size_t bytes, const struct table_view *view,
			     const struct table_row *row)
{
	(void)view;
	snprintf(text, bytes, "%s", component_names[row->id]);
}

static void format_mostly_in(char *text, size_t bytes, const struct table_view *view,
			     const struct table_row *row)
{
	uint64_t most_ns = 0;

	text[0] = '\0';
	for (int c = 0; c < CONTEXT_COUNT; c++) {
		if (view->recent.components_ns[c][row->id] <= most_ns)
			continue;
		most_ns = view->recent.components_ns[c][row->id];
		snprintf(text, bytes, "%s", context_names[c]);
	}
}

static void format_step(char *text, size_t bytes, const struct table_view *view,
			const struct table_row *row)
{
	int step = row->id / FAMILY_COUNT;

	(void)view;
	snprintf(text, bytes, "%s", step == STEP_NONE ? "not receiving" : step_names[step]);
}

static void format_family(char *text, size_t bytes, const struct table_view *view,
			  const struct table_row *row)
{
	(void)view;
	snprintf(text, bytes, "%s", family_names[row->id % FAMILY_COUNT]);
}

static void format_pid(char *text, size_t bytes, const struct table_view *view,
		       const struct table_row *row)
{
	snprintf(text, bytes, "%d", (int)view->processes[row->id].pid);
}

static void format_command(char *text, size_t bytes, const struct table_view *view,
			   const struct table_row *row)
{
	const struct table_process *process = &view->processes[row->id];

	if (process->alive || process->comm[0])
		snprintf(text, bytes, "%.16s%s", process->comm, process->alive ? "" : " (ended)");
	else
		snprintf(text, bytes, "%s", view->recent.wall_ns ? "(no such process)" : "-");
}

static void format_process_total(char *text, size_t bytes, const struct table_view *view,
				 const struct table_row *row)
{
	snprintf(text, bytes, "%.2f", (double)view->processes[row->id].total_ns / NS_PER_S);
}

static const struct table_column context_columns[] = {
	{ "context", 14, false, false, 0, format_context },
	{ "cores", 7, true, true, 0, format_cores },
	{ "% machine", 9, true, true, 0, format_machine },
	{ "events/s", 9, true, false, 56, format_events },
	{ "ns/event", 9, true, false, 100, format_ns_per_event },
	{ "total CPU s", 11, true, false, 70, format_total },
	{ "source", 7, false, false, 0, format_source },
	{ "share of network CPU", 0, false, true, 70, NULL },
	{ "what it is", 40, false, false, 140, format_meaning },
};

static const struct table_column component_columns[] = {
	{ "component", 14, false, true, 0, format_component },
	{ "cores", 7, true, true, 0, format_cores },
	{ "% net", 5, true, true, 0, format_network },
	{ "share of network CPU", 0, false, true, 32, NULL },
	{ "mostly in", 13, false, false, 60, format_mostly_in },
};

static const struct table_column step_columns[] = {
	{ "receive step", 14, false, true, 0, format_step },
	{ "IP", 4, false, false, 0, format_family },
	{ "cores", 6, true, true, 0, format_cores },
	{ "% net", 5, true, true, 0, format_network },
	{ "share of network CPU", 0, false, true, 32, NULL },
};

static const struct table_column process_columns[] = {
	{ "process", 18, false, true, 0, format_command },
	{ "pid", 7, true, false, 0, format_pid },
	{ "user cores", 10, true, true, 0, format_cores },
	{ "% machine", 9, true, true, 56, format_machine },
	{ "total user s", 12, true, false, 64, format_process_total },
};

#define TABLE(columns, none) { columns, sizeof(columns) / sizeof((columns)[0]), none }
const struct table table_contexts = TABLE(context_columns, "no network CPU time yet");
const struct table table_components = TABLE(component_columns, "nothing to show");
const struct table table_steps = TABLE(step_columns, "nothing to show");
const struct table table_processes = TABLE(process_columns, "");

size_t table_contexts_rows(struct table_row *rows, const struct table_view *view, bool all)
{
	size_t count = 0;

	for (int c = 0; c < CONTEXT_COUNT; c++)
		if (all || view->total_ns[c])
			rows[count++] = (struct table_row){ c, view->recent.contexts_ns[c] };
	return count;
}

size_t table_components_rows(struct table_row *rows, const struct table_view *view)
{
	size_t count = 0;

	for (int i = 0; i < COMPONENT_COUNT; i++) {
		int id = view->component_order[i];

		if (view->components_ns[id])
			rows[count++] = (struct table_row){ id, view->components_ns[id] };
	}
	return count;
}

size_t table_steps_rows(struct table_row *rows, const struct table_view *view)
{
	size_t count = 0;

	for (int i = 0; i < TABLE_STEP_ROWS; i++) {
		int id = view->step_order[i];
		uint64_t ns = view->recent.steps_ns[id / FAMILY_COUNT][id % FAMILY_COUNT];

		if (ns)
			rows[count++] = (struct table_row){ id, ns };
	}
	return count;
}

size_t table_processes_rows(struct table_row *rows, const struct table_view *view)
{
	for (size_t i = 0; i < view->process_count; i++)
		rows[i] = (struct table_row){ (int)i, view->recent.processes_ns[i] };
	return view->process_count;
}

/* Cells that the bar gets in a table so wide; 0: there is no room for one. */
static int bar_cols(const struct table *table, int cols, int gap)
{
	int left = cols;

	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].from_cols <= cols)
			left -= table->columns[i].width + gap;
	left += gap;
	return left < BAR_COLS_MIN ? 0 : left > BAR_COLS_MAX ? BAR_COLS_MAX : left;
}

static void draw_cell(struct table_canvas *canvas, const struct table_column *column,
		      int row, int col, int width, enum canvas_style style, const char *text)
{
	if (column->right)
		canvas_put_right(canvas, row, col, col + width, style, text);
	else
		canvas_put(canvas, row, col, col + width, style, text);
}

/* One line of a table: headings where there is no row, the sum of several rows
 * where more is above 0. */
static void draw_line(struct table_canvas *canvas, const struct canvas_area *area, int line,
		      const struct table *table, const struct table_view *view,
		      const struct table_row *row, size_t more)
{
	int gap = area->cols < 60 ? 1 : 2, col = area->col;

	for (size_t i = 0; i < table->column_count; i++) {
		const struct table_column *column = &table->columns[i];
		int width = column->width ? column->width : bar_cols(table, area->cols, gap);
		char text[TEXT_BYTES] = "";

		if (column->from_cols > area->cols || !width)
			continue;
		if (!row)
			draw_cell(canvas, column, line, col, width, STYLE_HEADING,
				  column->width || width >= (int)strlen(column->heading) ?
				  column->heading : "share");
		else if (!column->format)
			canvas_bar(canvas, line, col, width, network_share(view, row->ns));
		else if (more && i == 0)
			canvas_print(canvas, line, col, col + width, STYLE_FAINT, "%s %zu more",
				     canvas->utf8 ? "\u2026" : "...", more);
		else if (!more || column->summed) {
			column->format(text, sizeof(text), view, row);
			draw_cell(canvas, column, line, col, width, i ? STYLE_PLAIN : STYLE_STRONG,
				  text);
		}
		col += width + gap;
	}
}

void table_draw(struct table_canvas *canvas, const struct canvas_area *area,
		const struct table *table, const struct table_view *view,
		const struct table_row *rows, size_t row_count)
{
	size_t room = area->rows > 1 ? (size_t)area->rows - 1 : 0;
	/* In a single line the dearest says more than the number of others. */
	size_t shown = row_count <= room ? row_count : room > 1 ? room - 1 : room;
	struct table_row rest = { 0, 0 };

	if (area->rows < 1)
		return;
	draw_line(canvas, area, area->row, table, view, NULL, 0);
	canvas_style(canvas, area->row, area->col, area->cols, STYLE_HEADING);
	if (!row_count && room)
		canvas_put(canvas, area->row + 1, area->col, area->col + area->cols, STYLE_FAINT,
			   table->none);
	for (size_t i = 0; i < shown; i++)
		draw_line(canvas, area, area->row + 1 + (int)i, table, view, &rows[i], 0);
	for (size_t i = shown; i < row_count; i++)
		rest.ns += rows[i].ns;
	if (shown < row_count && shown < room)
		draw_line(canvas, area, area->row + 1 + (int)shown, table, view, &rest,
			  row_count - shown);
}
