/* aggregator/line_sink.h - whole lines to a file or a stream, never blocking
 *
 * To a regular file a line is one write(); if only a part of it fits (a full
 * disk) that part is cut off again, so every line in the file is whole. To
 * anything else (pipe, socket, terminal) what it does not take at once waits
 * in a bounded queue. A line that cannot be delivered is dropped whole.
 */
#ifndef NETTO_AGGREGATOR_LINE_SINK_H
#define NETTO_AGGREGATOR_LINE_SINK_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define LINE_SINK_QUEUE_BYTES (1u << 20)   /* or one line, if that is longer */

struct line_sink;

/* Called on the loop: the reader has gone (-EPIPE), or the queue cannot be
 * written for another reason; lines is how many of it are dropped. */
typedef void (*line_sink_error_fn)(void *arg, int err, uint64_t lines);

/* Append to path, made with mode 0640 if it is not there. A last line without
 * its end, left by a crash, is ended first. 0; -ENOMEM; -errno of open. */
int line_sink_open(struct line_sink **sink, uv_loop_t *loop, const char *path,
		   line_sink_error_fn on_error, void *arg);

/* The same to what is behind fd, which stays the caller's; if its description
 * has to be made non-blocking, line_sink_close() undoes that. */
int line_sink_open_fd(struct line_sink **sink, uv_loop_t *loop, int fd,
		      line_sink_error_fn on_error, void *arg);

/* Deliver or queue one line, its newline included. 0; else it is dropped:
 * -EAGAIN: the queue is full; -ENOSPC, -EPIPE or another -errno of write. */
int line_sink_write(struct line_sink *sink, const char *line, size_t bytes);

/* Wait up to half a second for a slow reader to take what is queued, then
 * close. Lines dropped by that. Takes NULL. */
uint64_t line_sink_close(struct line_sink *sink);

#endif
