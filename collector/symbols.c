/* symbols.c - kernel addresses become link-time addresses */
#include "symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kallsyms.h"

#define PAGE_BYTES 4096ull
#define IMAGE_BYTES_MAX (1ull << 30)   /* kernel image, init text included */
#define LINK_ALIGN (2ull << 20)
#define LINK_END (UINT64_MAX - LINK_ALIGN)

/* Two neighbours farther apart than a function can be are not one text. */
#define FUNCTION_BYTES_MAX (64ull << 10)

/* One piece of text outside the kernel image. */
struct range {
	uint64_t start;
	uint64_t bytes;
	uint64_t link;
	size_t order;        /* of its first symbol in the text */
};

struct symbols {
	uint64_t text;         /* address of _text; 0: hidden */
	uint64_t image_bytes;
	size_t count;
	struct range *ranges;  /* by start */
};

/* A symbol of a module, a BPF program or a trampoline. */
struct outside {
	uint64_t address;
	const char *module;
	size_t module_bytes;
	size_t order;
};

static bool names(const char *name, size_t bytes, const char *wanted)
{
	return bytes == strlen(wanted) && !memcmp(name, wanted, bytes);
}

static uint64_t page_end(uint64_t address)
{
	return (address | (PAGE_BYTES - 1)) + 1;
}

static bool in_image(const struct symbols *s, uint64_t address)
{
	return address - s->text < s->image_bytes;
}

/* Find _text, and count what lies outside the image. */
static int find_text(struct symbols *s, const char *text, const char *end, size_t *outside)
{
	struct kallsyms_line line;
	int got;

	*outside = 0;
	while ((got = kallsyms_next(&text, end, &line)) == 1) {
		if (line.module)
			*outside += 1;
		else if (names(line.name, line.name_bytes, "_text"))
			s->text = line.address;
	}
	return got;
}

/* Extent of the image: up to the page of its last text symbol; beside it the
 * symbols outside, as many as find_text() counted. */
static size_t take_symbols(struct symbols *s, const char *text, const char *end,
			   struct outside *outside)
{
	struct kallsyms_line line;
	uint64_t last = s->text;
	size_t count = 0;

	while (kallsyms_next(&text, end, &line) == 1) {
		if (line.module && line.address) {
			outside[count] = (struct outside){
				.address = line.address,
				.module = line.module,
				.module_bytes = line.module_bytes,
				.order = count,
			};
			count++;
		} else if (!line.module && line.address > last &&
			   line.address - s->text < IMAGE_BYTES_MAX) {
			last = line.address;
		}
	}
	s->image_bytes = page_end(last) - s->text;
	return count;
}

static int by_address(const void *a, const void *b)
{
	const struct outside *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int by_order(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static bool same_text(const struct outside *a, const struct outside *b)
{
	return a->module_bytes == b->module_bytes &&
	       !memcmp(a->module, b->module, a->module_bytes) &&
	       b->address - a->address <= FUNCTION_BYTES_MAX;
}

/* Where the last symbol of a range ends, which kallsyms does not tell. Module
 * text is a whole number of pages. BPF programs are packed (bpf_prog_pack,
 * 5.18) and may be longer than a page; what follows one is another one. */
static uint64_t symbol_end(const struct outside *symbol)
{
	if (names(symbol->module, symbol->module_bytes, "bpf"))
		return symbol->address + FUNCTION_BYTES_MAX;
	return page_end(symbol->address);
}

/* Neighbours of one module become one range. symbols is sorted by address. */
static void find_ranges(struct symbols *s, const struct outside *symbols, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct range *range = &s->ranges[s->count++];
		uint64_t end;

		*range = (struct range){
			.start = symbols[i].address,
			.order = symbols[i].order,
		};
		for (; i + 1 < count && same_text(&symbols[i], &symbols[i + 1]); i++)
			if (symbols[i + 1].order < range->order)
				range->order = symbols[i + 1].order;
		end = symbol_end(&symbols[i]);
		if (i + 1 < count && end > symbols[i + 1].address)
			end = symbols[i + 1].address;
		range->bytes = end - range->start;
	}
}

/* Bases in order of appearance, a page apart; what has no room maps to nothing. */
static void assign_links(struct symbols *s)
{
	uint64_t link = KALLSYMS_LINK_TEXT + s->image_bytes + LINK_ALIGN;

	link -= link % LINK_ALIGN;
	qsort(s->ranges, s->count, sizeof(*s->ranges), by_order);
	for (size_t i = 0; i < s->count; i++) {
		struct range *range = &s->ranges[i];

		if (range->bytes > LINK_END - link) {
			s->count = i;
			break;
		}
		range->link = link;
		link = page_end(link + range->bytes) + PAGE_BYTES;
		if (link > LINK_END)
			link = LINK_END;
	}
	qsort(s->ranges, s->count, sizeof(*s->ranges), by_start);
}

static int read_layout(struct symbols *s, const char *text, const char *end)
{
	struct outside *outside;
	size_t count;
	int err;

	err = find_text(s, text, end, &count);
	if (err || !s->text)
		return err;
	outside = calloc(count + 1, sizeof(*outside));
	if (!outside)
		return -ENOMEM;
	count = take_symbols(s, text, end, outside);
	qsort(outside, count, sizeof(*outside), by_address);
	s->ranges = calloc(count + 1, sizeof(*s->ranges));
	if (s->ranges) {
		find_ranges(s, outside, count);
		assign_links(s);
	}
	free(outside);
	return s->ranges ? 0 : -ENOMEM;
}

int symbols_open(struct symbols **symbols, const char *text, size_t bytes)
{
	struct symbols *s;
	struct range *fewer;
	int err;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	err = read_layout(s, text, text + bytes);
	if (err) {
		symbols_close(s);
		return err;
	}
	/* there were as many places as symbols */
	fewer = s->count ? realloc(s->ranges, s->count * sizeof(*fewer)) : NULL;
	if (fewer)
		s->ranges = fewer;
	*symbols = s;
	return 0;
}

bool symbols_hidden(const struct symbols *symbols)
{
	return !symbols->text;
}

static void write_line(FILE *out, const struct kallsyms_line *line, uint64_t link)
{
	fprintf(out, "%016" PRIx64 " %c %.*s", link, line->type, (int)line->name_bytes,
		line->name);
	if (line->module)
		fprintf(out, "\t[%.*s]", (int)line->module_bytes, line->module);
	putc('\n', out);
}

/* Padding before a function, never seen in a stack: a third of all symbols. */
static bool is_padding(const struct kallsyms_line *line)
{
	static const char prefix[] = "__pfx_";

	return line->name_bytes > strlen(prefix) && !memcmp(line->name, prefix, strlen(prefix));
}

int symbols_publish(const struct symbols *symbols, const char *text, size_t bytes, int fd)
{
	const char *end = text + bytes;
	struct kallsyms_line line;
	int own_fd = dup(fd);
	FILE *out = own_fd < 0 ? NULL : fdopen(own_fd, "w");
	bool failed;

	if (!out) {
		int err = -errno;

		if (own_fd >= 0)
			close(own_fd);
		return err;
	}
	while (kallsyms_next(&text, end, &line) == 1) {
		const uint64_t link = symbols_map(symbols, line.address);

		if (link && !is_padding(&line))
			write_line(out, &line, link);
	}
	failed = ferror(out);
	if (fclose(out))
		return -errno;
	return failed ? -EIO : 0;
}

uint64_t symbols_map(const struct symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	if (in_image(symbols, address))
		return KALLSYMS_LINK_TEXT + (address - symbols->text);
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct range *range = &symbols->ranges[middle];

		if (address < range->start)
			high = middle;
		else if (address - range->start >= range->bytes)
			low = middle + 1;
		else
			return range->link + (address - range->start);
	}
	return 0;
}

void symbols_close(struct symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->ranges);
	free(symbols);
}
