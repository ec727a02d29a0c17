/* aggregator/backends/table_screen.h - the terminal of the live table
 *
 * curses writes into a memory file; what it wrote goes to the terminal as fast
 * as that takes it, so a stopped or stalled terminal (Ctrl-S, a dead ssh) never
 * holds the loop up. There is one screen, as there is one terminal. It is put
 * back as it was by screen_close(), by exit() and by fatal signals.
 */
#ifndef NETTO_AGGREGATOR_BACKENDS_TABLE_SCREEN_H
#define NETTO_AGGREGATOR_BACKENDS_TABLE_SCREEN_H

#include <stdbool.h>

#include "table_canvas.h"

/* Whether the terminal on standard output can be drawn on: it is one, and its
 * type ($TERM) is known and can move the cursor. */
enum screen_kind {
	SCREEN_FULL,
	SCREEN_NONE,      /* not a terminal, or one of no type or type dumb */
	SCREEN_UNKNOWN,   /* a type that terminfo does not know */
};
enum screen_kind screen_kind(void);

/* Size of the terminal now; 0 0: it does not tell. */
void screen_size(int *rows, int *cols);

/* Take the terminal. 0; -errno. */
int screen_open(void);

/* Whether this process may use the terminal: the job is not in the background. */
bool screen_in_foreground(void);

/* Show the canvas. 0; -EAGAIN: the terminal has not yet taken what was drawn
 * before, or it is not ours now, and this picture was left out; another: the
 * terminal is gone. */
int screen_draw(const struct table_canvas *canvas);

/* The terminal has another size, or is a mess: the next draw paints it anew. */
void screen_renew(void);

/* Give the terminal back for a while. */
void screen_suspend(void);

/* Somebody else may have had the terminal: the next draw that finds us in the
 * foreground takes it again. */
void screen_resume(void);

/* Does nothing if it is not open, nor do the others. */
void screen_close(void);

#endif
