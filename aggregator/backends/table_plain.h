/* aggregator/backends/table_plain.h - the table as plain text, where no screen can be drawn
 *
 * ASCII without a control sequence: for pipes, dumb terminals and unknown ones.
 */
#ifndef NETTO_AGGREGATOR_BACKENDS_TABLE_PLAIN_H
#define NETTO_AGGREGATOR_BACKENDS_TABLE_PLAIN_H

#include "table_canvas.h"
#include "table_view.h"

/* One picture to standard output, as wide as the terminal there, if it is one;
 * the canvas is scratch. 0; -EAGAIN: the reader is slow, and the rest of the
 * picture was left out; another: the reader is gone. */
int table_plain_print(struct table_canvas *canvas, const struct table_view *view);

#endif
