/* symbols_file.c - the table that is published
 *
 * The image's symbols, the modules', the programs': so the costly parts can be
 * taken over from the last file when only programs came or went. Behind each
 * piece of text stands a gap, so that no address of another one is ever taken
 * for a part of it. Nothing is allocated.
 */
#include "symbols_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kallsyms.h"

#define LINE_BYTES_MAX 1024            /* KSYM_NAME_LEN is 512 since 6.1 */

/* Padding before a function, never seen in a stack: a third of all symbols. */
static bool is_padding(const struct kallsyms_line *line)
{
	static const char prefix[] = "__pfx_";

	return line->name_bytes > strlen(prefix) && !memcmp(line->name, prefix, strlen(prefix));
}

/* Write what is gathered; an error stays until the end. */
static void flush_out(struct symbols *s)
{
	size_t done = 0;

	while (done < s->used && !s->err) {
		const ssize_t written = pwrite(s->fd, s->out + done, s->used - done,
					       s->at + (off_t)done);

		if (written >= 0)
			done += (size_t)written;
		else if (errno != EINTR)
			s->err = -errno;
	}
	s->at += (off_t)s->used;
	s->used = 0;
}

static void put_line(struct symbols *s, const struct kallsyms_line *line)
{
	if (SYMBOLS_OUT_BYTES - s->used < LINE_BYTES_MAX + line->name_bytes + line->module_bytes)
		flush_out(s);
	if (line->name_bytes + line->module_bytes > LINE_BYTES_MAX)
		return;      /* no kernel has such names */
	s->used += (size_t)sprintf(s->out + s->used, "%016" PRIx64 " %c %.*s", line->address,
				   line->type, (int)line->name_bytes, line->name);
	if (line->module)
		s->used += (size_t)sprintf(s->out + s->used, "\t[%.*s]",
					   (int)line->module_bytes, line->module);
	s->out[s->used++] = '\n';
}

/* From link on there is nothing, up to the next symbol. */
static void put_gap(struct symbols *s, uint64_t link)
{
	put_line(s, &(struct kallsyms_line){ .address = link, .type = 't', .name = KALLSYMS_GAP,
					     .name_bytes = strlen(KALLSYMS_GAP) });
}

static off_t position(const struct symbols *s)
{
	return s->at + (off_t)s->used;
}

static void put_image(struct symbols *s, const char *text, const char *end)
{
	struct kallsyms_line line;

	while (kallsyms_next(&text, end, &line) == 1) {
		if (line.module || !symbols_in_image(s, line.address) || is_padding(&line))
			continue;
		line.address = KALLSYMS_LINK_TEXT + (line.address - s->text);
		put_line(s, &line);
	}
	put_gap(s, KALLSYMS_LINK_TEXT + s->image_bytes);
	s->new_modules_at = position(s);
}

static void put_modules(struct symbols *s, const char *text, const char *end)
{
	struct kallsyms_line line;

	while (kallsyms_next(&text, end, &line) == 1) {
		if (!line.module || symbols_kind(line.module, line.module_bytes) != TEXT_MODULE ||
		    is_padding(&line))
			continue;
		line.address = texts_link(s->texts, line.address);
		if (line.address)
			put_line(s, &line);
	}
}

/* Lines of modules that have gone: nobody but the last file knows them. */
static void keep_retired(struct symbols *s, const char *text, const char *end)
{
	struct kallsyms_line line;

	while (kallsyms_next(&text, end, &line) == 1) {
		const struct text *piece = texts_at_link(s->texts, line.address);

		if (piece && piece->retired_ns && line.module)
			put_line(s, &line);
	}
}

/* Hand on the last file from its position from to to, in whole lines. */
static void each_piece(struct symbols *s, int last_fd, off_t from, off_t to,
		       void (*on_lines)(struct symbols *s, const char *text, const char *end))
{
	size_t have = 0;

	while ((from < to || have) && !s->err) {
		const size_t room = SYMBOLS_OUT_BYTES - have;
		const size_t want = (uint64_t)(to - from) < room ? (size_t)(to - from) : room;
		const ssize_t got = want ? pread(last_fd, s->in + have, want, from) : 0;
		const char *newline;
		size_t whole;

		if (got < 0 && errno == EINTR)
			continue;
		have += got > 0 ? (size_t)got : 0;
		newline = memrchr(s->in, '\n', have);
		if (got < 0 || !newline) {
			s->err = got < 0 ? -errno : -EIO;
			return;
		}
		from += got;
		whole = (size_t)(newline + 1 - s->in);
		on_lines(s, s->in, s->in + whole);
		have -= whole;
		memmove(s->in, s->in + whole, have);
	}
}

static void copy_lines(struct symbols *s, const char *text, const char *end)
{
	flush_out(s);
	memcpy(s->out, text, (size_t)(end - text));
	s->used = (size_t)(end - text);
}

static void put_module_gaps(struct symbols *s)
{
	for (const struct text *text = NULL; (text = texts_next(s->texts, text));)
		if (text->kind == TEXT_MODULE)
			put_gap(s, text->link + text->bytes);
	s->new_programs_at = position(s);
}

/* In the order of their addresses, so that a reader need not sort. */
static void put_programs(struct symbols *s)
{
	for (const struct text *text = NULL; (text = texts_next(s->texts, text));) {
		const char *kind_name = symbols_kind_name(text->kind);

		if (!kind_name)
			continue;
		put_line(s, &(struct kallsyms_line){
			.address = text->link, .type = 't',
			.name = text->name, .name_bytes = text->name_bytes,
			.module = kind_name,
			.module_bytes = strlen(kind_name),
		});
		put_gap(s, text->link + text->bytes);
	}
}

int symbols_write(struct symbols *s, const char *text, size_t bytes, int last_fd, int fd)
{
	s->fd = fd;
	s->at = 0;
	s->used = 0;
	s->err = 0;
	if (!s->texts)
		return fd < 0 ? -EBADF : 0;
	if (text) {
		put_image(s, text, text + bytes);
		put_modules(s, text, text + bytes);
		if (last_fd >= 0)
			each_piece(s, last_fd, s->modules_at, s->programs_at, keep_retired);
		put_module_gaps(s);
	} else {
		each_piece(s, last_fd, 0, s->programs_at, copy_lines);
		s->new_modules_at = s->modules_at;
		s->new_programs_at = s->programs_at;
	}
	put_programs(s);
	flush_out(s);
	return s->err;
}

void symbols_published(struct symbols *s)
{
	if (!s->texts)
		return;
	s->modules_at = s->new_modules_at;
	s->programs_at = s->new_programs_at;
	texts_published(s->texts);
}
