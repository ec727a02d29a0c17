/* line_sink.c - whole lines to a file or a stream, never blocking */
#include "line_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0640
#define CLOSE_WAIT_MS 500

struct line_sink {
	int fd;
	bool file;           /* a regular one: parts of lines can be cut off again */
	bool nonblock_set;   /* by us, on a description that others share */
	bool watched;        /* poll is a handle of the loop */
	uv_poll_t poll;
	char *queue;         /* begins within a line if a part of that was written */
	size_t queued_bytes;
	size_t capacity;
	line_sink_error_fn on_error;
	void *arg;
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* Bytes written, maybe fewer than asked for; -errno. */
static ssize_t write_some(const struct line_sink *s, const char *bytes, size_t count)
{
	ssize_t n;

	do
		n = write(s->fd, bytes, count);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Have the loop tell when a stream takes more, and when its reader goes. */
static void watch(struct line_sink *s)
{
	if (s->watched)
		(void)uv_poll_start(&s->poll, UV_DISCONNECT | (s->queued_bytes ? UV_WRITABLE : 0),
				    on_poll);
}

/* Drop what is queued; a line of which a part was written counts as well. */
static uint64_t drop_queue(struct line_sink *s)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < s->queued_bytes; i++)
		lines += s->queue[i] == '\n';
	s->queued_bytes = 0;
	return lines;
}

/* 0: nothing is queued any more; -errno. */
static int flush(struct line_sink *s)
{
	while (s->queued_bytes) {
		ssize_t n = write_some(s, s->queue, s->queued_bytes);

		if (n < 0)
			return (int)n;
		s->queued_bytes -= (size_t)n;
		memmove(s->queue, s->queue + n, s->queued_bytes);
	}
	return 0;
}

static int enqueue(struct line_sink *s, const char *bytes, size_t count)
{
	const size_t needed = s->queued_bytes + count;

	if (s->queued_bytes && needed > LINE_SINK_QUEUE_BYTES)
		return -EAGAIN;
	if (needed > s->capacity) {
		char *queue = realloc(s->queue, needed);

		if (!queue)
			return -ENOMEM;
		s->queue = queue;
		s->capacity = needed;
	}
	memcpy(s->queue + s->queued_bytes, bytes, count);
	s->queued_bytes = needed;
	watch(s);
	return 0;
}

/* Take back the last count bytes, unless somebody has written behind them. */
static bool cut_off(const struct line_sink *s, size_t count)
{
	const off_t end = lseek(s->fd, 0, SEEK_CUR);   /* O_APPEND moved it there */
	struct stat st;

	return end >= (off_t)count && !fstat(s->fd, &st) && st.st_size == end &&
	       !ftruncate(s->fd, end - (off_t)count);
}

int line_sink_write(struct line_sink *s, const char *line, size_t bytes)
{
	int err = flush(s);
	ssize_t n;

	if (err == -EAGAIN)
		return enqueue(s, line, bytes);
	if (err)
		return err;
	n = write_some(s, line, bytes);
	if (n == -EAGAIN)
		return enqueue(s, line, bytes);
	if (n < 0)
		return (int)n;
	if ((size_t)n == bytes)
		return 0;
	/* An append-only file keeps the part: the rest of that line comes first, later. */
	if (s->file && cut_off(s, (size_t)n))
		return -ENOSPC;
	return enqueue(s, line + n, bytes - (size_t)n);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct line_sink *s = poll->data;
	int err = status < 0 || (events & UV_DISCONNECT) ? -EPIPE : flush(s);

	if (err && err != -EAGAIN) {
		(void)uv_poll_stop(&s->poll);
		s->on_error(s->arg, err, drop_queue(s));
		return;
	}
	watch(s);
}

/* A description of our own, if the kernel gives us one: O_NONBLOCK on the
 * inherited one is felt by everybody who shares it. Not so for sockets, and for
 * pipes of another user. */
static int own_stream(int fd, bool *nonblock_set)
{
	char path[64];
	int own, flags;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own >= 0)
		return own;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return -errno;
	flags = fcntl(own, F_GETFL);
	*nonblock_set = !(flags & O_NONBLOCK);
	(void)fcntl(own, F_SETFL, flags | O_NONBLOCK);
	return own;
}

static bool ends_within_line(int fd)
{
	char path[64], last = '\n';
	struct stat st;
	int in;

	if (fstat(fd, &st) || !st.st_size)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return false;
	if (pread(in, &last, 1, st.st_size - 1) != 1)
		last = '\n';
	close(in);
	return last != '\n';
}

/* Takes fd over. */
static int open_sink(struct line_sink **out, uv_loop_t *loop, int fd, bool nonblock_set,
		     line_sink_error_fn on_error, void *arg)
{
	struct line_sink *s = calloc(1, sizeof(*s));
	struct stat st;
	int err = 0;

	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	s->fd = fd;
	s->nonblock_set = nonblock_set;
	s->on_error = on_error;
	s->arg = arg;
	if (fstat(fd, &st))
		err = -errno;
	s->file = !err && S_ISREG(st.st_mode);
	if (s->file && ends_within_line(fd))
		err = enqueue(s, "\n", 1);
	if (err) {
		(void)line_sink_close(s);
		return err;
	}
	/* what cannot be polled (/dev/null) does not make us wait either */
	if (!s->file && !uv_poll_init(loop, &s->poll, fd)) {
		s->poll.data = s;
		s->watched = true;
		watch(s);
	}
	*out = s;
	return 0;
}

int line_sink_open(struct line_sink **sink, uv_loop_t *loop, const char *path,
		   line_sink_error_fn on_error, void *arg)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		      FILE_MODE);

	if (fd < 0)
		return -errno;
	return open_sink(sink, loop, fd, false, on_error, arg);
}

int line_sink_open_fd(struct line_sink **sink, uv_loop_t *loop, int fd,
		      line_sink_error_fn on_error, void *arg)
{
	bool nonblock_set = false;
	struct stat st;
	int own;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode)) {
		own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (own < 0)
			return -errno;
		(void)fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_APPEND);
	} else {
		own = own_stream(fd, &nonblock_set);
		if (own < 0)
			return own;
	}
	return open_sink(sink, loop, own, nonblock_set, on_error, arg);
}

static void wait_for_reader(struct line_sink *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	for (int waited_ms = 0; flush(s) == -EAGAIN && waited_ms < CLOSE_WAIT_MS; waited_ms += 50)
		(void)poll(&p, 1, 50);
}

static void free_sink(uv_handle_t *handle)
{
	struct line_sink *s = handle->data;

	free(s->queue);
	free(s);
}

uint64_t line_sink_close(struct line_sink *s)
{
	uint64_t dropped;

	if (!s)
		return 0;
	wait_for_reader(s);
	dropped = drop_queue(s);
	if (s->watched)
		(void)uv_poll_stop(&s->poll);
	if (s->nonblock_set)
		(void)fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) & ~O_NONBLOCK);
	close(s->fd);
	if (s->watched) {
		uv_close((uv_handle_t *)&s->poll, free_sink);
	} else {
		free(s->queue);
		free(s);
	}
	return dropped;
}
