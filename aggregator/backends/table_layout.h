/* aggregator/backends/table_layout.h - where everything stands on the screen
 *
 * Pure: a view in, a canvas out. From 80x24 on everything is there, with more
 * room come more rows and columns; below 40x10 there is only a notice.
 */
#ifndef NETTO_AGGREGATOR_BACKENDS_TABLE_LAYOUT_H
#define NETTO_AGGREGATOR_BACKENDS_TABLE_LAYOUT_H

#include "table_canvas.h"
#include "table_view.h"

#define TABLE_ROWS_MIN 10
#define TABLE_COLS_MIN 40

enum table_page {
	TABLE_PAGE_FIGURES,
	TABLE_PAGE_HELP,
	TABLE_PAGE_PLAIN,      /* figures without the line of keys: nobody can press any */
};

/* Fill the canvas, whose size is already set by canvas_clear(). */
void table_layout(struct table_canvas *canvas, const struct table_view *view,
		  enum table_page page);

#endif
