/* test_table_canvas.c - text and bars in cells: printable, cut, of the right width */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/table_canvas.h"

static struct table_canvas canvas;

static int set_up(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	return 0;
}

/* The cells of row 0 as text, trailing blanks cut. */
static const char *text_of_row(void)
{
	static char text[CANVAS_COLS_MAX * 4 + 1];
	char *to = text;

	for (int col = 0; col < canvas.cols; col++)
		if (canvas.cells[0][col].ch)
			to += wctomb(to, canvas.cells[0][col].ch);
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
	return text;
}

static void check_row(const char *want, const char *why)
{
	if (strcmp(text_of_row(), want) != 0)
		fail_msg("\"%s\" instead of \"%s\" (%s)", text_of_row(), want, why);
}

static void text_is_made_printable(void **state)
{
	static const struct { const char *text, *utf8, *ascii, *why; } cases[] = {
		{ "iperf3", "iperf3", "iperf3", "nothing to do" },
		{ "\033[2Jx", "?[2Jx", "?[2Jx", "an escape sequence" },
		{ "a\nb\tc\x7f", "a?b?c?", "a?b?c?", "line, tab, delete" },
		{ "\x9b" "2J", "?2J", "?2J", "the one-byte form of ESC [" },
		{ "\xc2\x9b" "2J", "?2J", "??2J", "the same in UTF-8" },
		{ "\xff\xfe", "??", "??", "not UTF-8" },
		{ "caf\xc3\xa9", "caf\xc3\xa9", "caf??", "a name that people have" },
		{ "x\xe4\xb8", "x??", "x??", "cut within a character" },
		{ "e\xcc\x81", "e?", "e??", "an accent without a cell of its own" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		canvas_clear(&canvas, 1, 20, true);
		canvas_put(&canvas, 0, 0, 20, STYLE_PLAIN, cases[i].text);
		check_row(cases[i].utf8, cases[i].why);
		canvas_clear(&canvas, 1, 20, false);
		canvas_put(&canvas, 0, 0, 20, STYLE_PLAIN, cases[i].text);
		check_row(cases[i].ascii, cases[i].why);
	}
}

static void text_stays_within_its_columns(void **state)
{
	static const struct { int row, col, end, after; const char *want, *why; } cases[] = {
		{ 0, 0, 10, 6, "abcdef", "room enough" },
		{ 0, 2, 5, 5, "  abc", "cut at its end" },
		{ 0, 7, 99, 10, "       abc", "cut at the edge" },
		{ 0, 5, 5, 5, "", "no column at all" },
		{ 0, 12, 99, 12, "", "right of the canvas" },
		{ 1, 0, 10, 0, "", "below it" },
		{ -1, 0, 10, 0, "", "above it" },
		{ 0, -3, 10, -3, "", "left of it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		canvas_clear(&canvas, 1, 10, true);
		assert_int_equal(canvas_put(&canvas, cases[i].row, cases[i].col, cases[i].end,
					    STYLE_PLAIN, "abcdef"), cases[i].after);
		check_row(cases[i].want, cases[i].why);
	}
}

static void figures_end_at_their_column(void **state)
{
	(void)state;
	canvas_clear(&canvas, 1, 10, true);
	canvas_put_right(&canvas, 0, 2, 8, STYLE_PLAIN, "1.25");
	check_row("    1.25", "right-aligned");
	canvas_clear(&canvas, 1, 10, true);
	canvas_put_right(&canvas, 0, 2, 8, STYLE_PLAIN, "123456789");
	check_row("  123456", "what does not fit is cut");
	canvas_clear(&canvas, 1, 10, true);
	canvas_put_right(&canvas, 0, 0, 8, STYLE_PLAIN, "\xe4\xb8\xad");
	assert_int_equal(canvas.cells[0][6].ch, 0x4e2d);
}

static void wide_characters_take_two_cells_or_none(void **state)
{
	(void)state;
	canvas_clear(&canvas, 1, 5, true);
	assert_int_equal(canvas_put(&canvas, 0, 0, 5, STYLE_PLAIN,
				    "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad"), 4);
	assert_int_equal(canvas.cells[0][0].ch, 0x4e2d);
	assert_int_equal(canvas.cells[0][1].ch, 0);
	assert_int_equal(canvas.cells[0][2].ch, 0x6587);
	assert_int_equal(canvas.cells[0][4].ch, L' ');
}

static void canvas_has_a_largest_size(void **state)
{
	(void)state;
	canvas_clear(&canvas, 100000, 100000, true);
	assert_int_equal(canvas.rows, CANVAS_ROWS_MAX);
	assert_int_equal(canvas.cols, CANVAS_COLS_MAX);
	canvas_style(&canvas, CANVAS_ROWS_MAX - 1, 0, 1 << 30, STYLE_ALERT);
	assert_int_equal(canvas.cells[CANVAS_ROWS_MAX - 1][CANVAS_COLS_MAX - 1].style, STYLE_ALERT);
}

static void bars_are_as_long_as_their_share(void **state)
{
	static const struct { double share; const char *utf8, *ascii, *why; } cases[] = {
		{ 0, "    ", "    ", "nothing" },
		{ 0.5, "\u2588\u2588  ", "##  ", "half" },
		{ 0.28125, "\u2588\u258f  ", "#   ", "an eighth of a cell more than a quarter" },
		{ 1, "\u2588\u2588\u2588\u2588", "####", "all" },
		{ 7, "\u2588\u2588\u2588\u2588", "####", "more than all" },
		{ -1, "    ", "    ", "less than nothing" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		char *to = text;

		canvas_clear(&canvas, 1, 4, i % 2);
		canvas_bar(&canvas, 0, 0, 4, cases[i / 2].share);
		for (int col = 0; col < 4; col++)
			to += wctomb(to, canvas.cells[0][col].ch);
		*to = '\0';
		if (strcmp(text, i % 2 ? cases[i / 2].utf8 : cases[i / 2].ascii) != 0)
			fail_msg("\"%s\" for %s", text, cases[i / 2].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(text_is_made_printable, set_up),
		cmocka_unit_test_setup(text_stays_within_its_columns, set_up),
		cmocka_unit_test_setup(figures_end_at_their_column, set_up),
		cmocka_unit_test_setup(wide_characters_take_two_cells_or_none, set_up),
		cmocka_unit_test_setup(canvas_has_a_largest_size, set_up),
		cmocka_unit_test_setup(bars_are_as_long_as_their_share, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
