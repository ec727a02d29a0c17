/* table_plain.c - the table as plain text, where no screen can be drawn */
#include "table_plain.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "table_layout.h"
#include "table_screen.h"

#define PLAIN_ROWS 40
#define PLAIN_COLS 80

/* Write without waiting for a reader who is slow: a pipe or terminal that is
 * ready takes a line of this size at once. 0; -EAGAIN; another: he is gone. */
static int write_ready(const char *text, size_t bytes)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t written;

	if (poll(&fd, 1, 0) != 1)
		return -EAGAIN;
	written = write(STDOUT_FILENO, text, bytes);
	if (written < 0 && errno != EINTR)
		return -errno;
	return written == (ssize_t)bytes ? 0 : -EAGAIN;
}

/* A row as text, its end trimmed. Returns its bytes, the newline included. */
static size_t format_row(char *text, const struct table_canvas *canvas, int row)
{
	size_t bytes = 0;
	int cols = canvas->cols;

	while (cols && canvas->cells[row][cols - 1].ch == L' ')
		cols--;
	for (int col = 0; col < cols; col++)
		text[bytes++] = (char)canvas->cells[row][col].ch;
	text[bytes++] = '\n';
	return bytes;
}

/* Several empty lines become one. */
int table_plain_print(struct table_canvas *canvas, const struct table_view *view)
{
	char text[CANVAS_COLS_MAX + 1];
	int rows, cols, err = 0;
	bool empty = true;

	screen_size(&rows, &cols);
	canvas_clear(canvas, PLAIN_ROWS, cols >= PLAIN_COLS ? cols : PLAIN_COLS, false);
	table_layout(canvas, view, TABLE_PAGE_PLAIN);
	for (int row = 0; row < canvas->rows && !err; row++) {
		size_t bytes = format_row(text, canvas, row);

		if (bytes > 1 || !empty)
			err = write_ready(text, bytes);
		empty = bytes == 1;
	}
	return err ? err : write_ready("\n", 1);
}
