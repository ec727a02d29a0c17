/* aggregator/backends/table_canvas.h - a screenful of character cells
 *
 * Text put outside the canvas is cut, never an error. Every text, also one of
 * ours, is made printable: control characters, broken UTF-8 and, where the
 * locale is not UTF-8, all that is not ASCII come out as '?'.
 */
#ifndef NETTO_AGGREGATOR_BACKENDS_TABLE_CANVAS_H
#define NETTO_AGGREGATOR_BACKENDS_TABLE_CANVAS_H

#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

/* Of a larger terminal the rest stays empty. */
#define CANVAS_ROWS_MAX 160
#define CANVAS_COLS_MAX 512

enum canvas_style {
	STYLE_PLAIN,
	STYLE_STRONG,    /* names and totals */
	STYLE_FAINT,     /* explanations */
	STYLE_HEADING,   /* of columns */
	STYLE_BAR,
	STYLE_ALERT,     /* something is not as it should be */
	STYLE_COUNT,
};

struct canvas_cell {
	wchar_t ch;      /* 0: right half of the wide character before it */
	uint8_t style;
};

struct table_canvas {
	int rows, cols;
	bool utf8;       /* the locale's character set */
	struct canvas_cell cells[CANVAS_ROWS_MAX][CANVAS_COLS_MAX];
};

struct canvas_area {
	int row, col;    /* upper left corner */
	int rows, cols;
};

/* Empty, of that size as far as a canvas goes. */
void canvas_clear(struct table_canvas *canvas, int rows, int cols, bool utf8);

/* The style of a stretch of cells. */
void canvas_style(struct table_canvas *canvas, int row, int col, int cols,
		  enum canvas_style style);

/* Text from col on, cut before column end. Returns the column after it. */
int canvas_put(struct table_canvas *canvas, int row, int col, int end,
	       enum canvas_style style, const char *text);

__attribute__((format(printf, 6, 7)))
int canvas_print(struct table_canvas *canvas, int row, int col, int end,
		 enum canvas_style style, const char *format, ...);

/* Text that ends before column end; what does not fit right of col is cut. */
void canvas_put_right(struct table_canvas *canvas, int row, int col, int end,
		      enum canvas_style style, const char *text);

/* A bar of up to cols cells for share, 0 to 1: '#' or eighths of a block. */
void canvas_bar(struct table_canvas *canvas, int row, int col, int cols, double share);

#endif
