/* aggregator/backends/table_columns.h - the tables on the screen, column by column
 *
 * A column has one unit, named in its heading, and disappears where its table
 * is too narrow. The bar takes what the others leave.
 */
#ifndef NETTO_AGGREGATOR_BACKENDS_TABLE_COLUMNS_H
#define NETTO_AGGREGATOR_BACKENDS_TABLE_COLUMNS_H

#include <stddef.h>

#include "table_canvas.h"
#include "table_view.h"

#define TABLE_ROWS_MAX OPTIONS_PIDS_MAX

struct table_row {
	int id;          /* of the context, component, step or process */
	uint64_t ns;     /* what it took lately */
};

struct table_column;

struct table {
	const struct table_column *columns;
	size_t column_count;
	const char *none;                 /* said where there are no rows */
};

extern const struct table table_contexts, table_components, table_steps, table_processes;

/* The rows that have something to show, in their order; rows holds
 * TABLE_ROWS_MAX. all: also contexts that never took time. Their number. */
size_t table_contexts_rows(struct table_row *rows, const struct table_view *view, bool all);
size_t table_components_rows(struct table_row *rows, const struct table_view *view);
size_t table_steps_rows(struct table_row *rows, const struct table_view *view);
size_t table_processes_rows(struct table_row *rows, const struct table_view *view);

/* What a context is, in a few words. */
extern const char *const table_context_meaning[CONTEXT_COUNT];

/* Heading and rows in the area; rows without room become "n more" with their sum. */
void table_draw(struct table_canvas *canvas, const struct canvas_area *area,
		const struct table *table, const struct table_view *view,
		const struct table_row *rows, size_t row_count);

/* Cores as people read them: three decimals, fewer where they get many. */
void table_format_cores(char *text, size_t bytes, const struct table_view *view, uint64_t ns);

/* Of the CPU time of the whole machine, 0 to 100. */
double table_machine_percent(const struct table_view *view, uint64_t ns);

#endif
