/* table_canvas.c - a screenful of character cells */
#include "table_canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int min(int a, int b)
{
	return a < b ? a : b;
}

void canvas_clear(struct table_canvas *canvas, int rows, int cols, bool utf8)
{
	canvas->rows = rows < CANVAS_ROWS_MAX ? rows : CANVAS_ROWS_MAX;
	canvas->cols = cols < CANVAS_COLS_MAX ? cols : CANVAS_COLS_MAX;
	canvas->utf8 = utf8;
	for (int row = 0; row < canvas->rows; row++)
		for (int col = 0; col < canvas->cols; col++)
			canvas->cells[row][col] = (struct canvas_cell){ L' ', STYLE_PLAIN };
}

void canvas_style(struct table_canvas *canvas, int row, int col, int cols,
		  enum canvas_style style)
{
	if (row < 0 || row >= canvas->rows || col < 0)
		return;
	for (int end = min(col + cols, canvas->cols); col < end; col++)
		canvas->cells[row][col].style = style;
}

/* The next character of text and its width in cells. Returns how many bytes it
 * took, 0 at the end. */
static size_t next_character(const char *text, bool utf8, mbstate_t *state, wchar_t *ch,
			     int *width)
{
	size_t bytes = 1;

	*width = 1;
	if (!*text)
		return 0;
	if (utf8) {
		bytes = mbrtowc(ch, text, strlen(text), state);
		if (bytes != (size_t)-1 && bytes != (size_t)-2 && wcwidth(*ch) > 0) {
			*width = wcwidth(*ch);
			return bytes;
		}
		if (bytes == (size_t)-1 || bytes == (size_t)-2) {
			memset(state, 0, sizeof(*state));
			bytes = 1;
		}
		*ch = L'?';
		return bytes;
	}
	*ch = *text >= ' ' && *text <= '~' ? (wchar_t)*text : L'?';
	return bytes;
}

static int text_width(const char *text, bool utf8)
{
	mbstate_t state = { 0 };
	int all = 0, width;
	size_t bytes;
	wchar_t ch;

	while ((bytes = next_character(text, utf8, &state, &ch, &width)) > 0) {
		text += bytes;
		all += width;
	}
	return all;
}

int canvas_put(struct table_canvas *canvas, int row, int col, int end,
	       enum canvas_style style, const char *text)
{
	mbstate_t state = { 0 };
	size_t bytes;
	wchar_t ch;
	int width;

	end = min(end, canvas->cols);
	if (row < 0 || row >= canvas->rows || col < 0)
		return col;
	while ((bytes = next_character(text, canvas->utf8, &state, &ch, &width)) > 0 &&
	       col + width <= end) {
		canvas->cells[row][col] = (struct canvas_cell){ ch, (uint8_t)style };
		for (int half = 1; half < width; half++)
			canvas->cells[row][col + half] = (struct canvas_cell){ 0, (uint8_t)style };
		col += width;
		text += bytes;
	}
	return col;
}

int canvas_print(struct table_canvas *canvas, int row, int col, int end,
		 enum canvas_style style, const char *format, ...)
{
	char text[CANVAS_COLS_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return canvas_put(canvas, row, col, end, style, text);
}

void canvas_put_right(struct table_canvas *canvas, int row, int col, int end,
		      enum canvas_style style, const char *text)
{
	int start = end - text_width(text, canvas->utf8);

	canvas_put(canvas, row, start > col ? start : col, end, style, text);
}

void canvas_bar(struct table_canvas *canvas, int row, int col, int cols, double share)
{
	static const wchar_t eighths[] = L" \u258f\u258e\u258d\u258c\u258b\u258a\u2589";
	int filled;

	if (row < 0 || row >= canvas->rows || col < 0 || col + cols > canvas->cols)
		return;
	share = share > 1 ? 1 : share > 0 ? share : 0;
	filled = (int)(share * cols * 8 + 0.5);
	canvas_style(canvas, row, col, cols, STYLE_BAR);
	for (int i = 0; i < cols; i++, filled -= 8) {
		wchar_t *ch = &canvas->cells[row][col + i].ch;

		if (!canvas->utf8)
			*ch = filled >= 4 ? L'#' : L' ';
		else
			*ch = filled >= 8 ? L'\u2588' : eighths[filled > 0 ? filled : 0];
	}
}
