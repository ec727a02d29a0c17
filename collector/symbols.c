/* symbols.c - kernel addresses become link-time addresses */
#include "symbols_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kallsyms.h"

#define PAGE_BYTES 4096ull
#define IMAGE_BYTES_MAX (1ull << 30)   /* kernel image, init text included */
#define LINK_ALIGN (2ull << 20)

/* Two neighbours farther apart than a function can be are not one text. */
#define FUNCTION_BYTES_MAX (64ull << 10)

/* Modules of kallsyms that are none: each function of them comes and goes alone. */
static const char *const alone[TEXT_KINDS] = {
	[TEXT_BPF] = "bpf",
	[TEXT_FTRACE] = "__builtin__ftrace",
	[TEXT_KPROBES] = "__builtin__kprobes",
};

/* A symbol of a module, a BPF program or a trampoline; then one piece of text. */
struct outside {
	uint64_t address;
	uint64_t bytes;
	enum text_kind kind;
	const char *name;      /* of the module, or of the function where it is alone */
	size_t name_bytes;
	size_t order;          /* of its first symbol in the text */
};

static bool names(const char *name, size_t bytes, const char *wanted)
{
	return bytes == strlen(wanted) && !memcmp(name, wanted, bytes);
}

static uint64_t page_end(uint64_t address)
{
	return (address | (PAGE_BYTES - 1)) + 1;
}

const char *symbols_kind_name(enum text_kind kind)
{
	return alone[kind];
}

enum text_kind symbols_kind(const char *module, size_t bytes)
{
	for (int kind = 0; kind < TEXT_KINDS; kind++)
		if (alone[kind] && names(module, bytes, alone[kind]))
			return (enum text_kind)kind;
	return TEXT_MODULE;
}

/* Find _text, and count what lies outside the image. */
static int find_text(const char *text, const char *end, uint64_t *image, size_t *outside)
{
	struct kallsyms_line line;
	int got;

	*outside = 0;
	*image = 0;
	while ((got = kallsyms_next(&text, end, &line)) == 1) {
		if (line.module)
			*outside += 1;
		else if (names(line.name, line.name_bytes, "_text"))
			*image = line.address;
	}
	return got;
}

/* The symbols outside, as many as find_text() counted; beside it the extent of
 * the image: up to the page of its last text symbol. How many have an address. */
static size_t take_symbols(const char *text, const char *end, uint64_t image,
			   struct outside *outside, uint64_t *image_bytes)
{
	struct kallsyms_line line;
	uint64_t last = image;
	size_t count = 0;

	while (kallsyms_next(&text, end, &line) == 1) {
		if (line.module && line.address) {
			const enum text_kind kind = symbols_kind(line.module, line.module_bytes);
			const bool is_alone = kind != TEXT_MODULE;

			outside[count] = (struct outside){
				.address = line.address,
				.kind = kind,
				.name = is_alone ? line.name : line.module,
				.name_bytes = is_alone ? line.name_bytes : line.module_bytes,
				.order = count,
			};
			count++;
		} else if (!line.module && line.address > last &&
			   line.address - image < IMAGE_BYTES_MAX) {
			last = line.address;
		}
	}
	*image_bytes = page_end(last) - image;
	return count;
}

static int by_address(const void *a, const void *b)
{
	const struct outside *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static int by_order(const void *a, const void *b)
{
	const struct outside *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static bool same_text(const struct outside *a, const struct outside *b)
{
	return a->kind == TEXT_MODULE && b->kind == TEXT_MODULE &&
	       a->name_bytes == b->name_bytes && !memcmp(a->name, b->name, a->name_bytes) &&
	       b->address - a->address <= FUNCTION_BYTES_MAX;
}

/* Where the last symbol of a piece ends, which kallsyms does not tell. Module
 * text is a whole number of pages, the last function may run into the next one;
 * to take in a page too many does no harm, nothing runs there. BPF programs are packed (bpf_prog_pack,
 * 5.18) and may be longer than a page; what follows one is another one. */
static uint64_t symbol_end(const struct outside *symbol)
{
	if (symbol->kind == TEXT_BPF)
		return symbol->address + FUNCTION_BYTES_MAX;
	return page_end(symbol->address) + (symbol->kind == TEXT_MODULE ? PAGE_BYTES : 0);
}

/* Neighbours of one module become one piece; the others stay alone. symbols is
 * sorted by address; the pieces take its place. How many they are. */
static size_t join_pieces(struct outside *symbols, size_t count)
{
	size_t pieces = 0;

	for (size_t i = 0; i < count; i++) {
		struct outside piece = symbols[i];
		uint64_t end;

		for (; i + 1 < count && same_text(&symbols[i], &symbols[i + 1]); i++)
			if (symbols[i + 1].order < piece.order)
				piece.order = symbols[i + 1].order;
		end = symbol_end(&symbols[i]);
		if (i + 1 < count && end > symbols[i + 1].address)
			end = symbols[i + 1].address;
		piece.bytes = end - piece.address;
		symbols[pieces++] = piece;
	}
	return pieces;
}

static void add_pieces(struct symbols *s, const struct outside *pieces, size_t count)
{
	s->shows_programs = false;
	texts_begin(s->texts);
	for (size_t i = 0; i < count; i++) {
		texts_add(s->texts, &(struct text_facts){
			.start = pieces[i].address,
			.bytes = pieces[i].bytes,
			.kind = pieces[i].kind,
			.exact = pieces[i].kind == TEXT_MODULE,
			.name = pieces[i].name,
			.name_bytes = pieces[i].name_bytes,
		});
		s->shows_programs |= pieces[i].kind == TEXT_BPF;
	}
	/* ours are there: where none is shown, that tells nothing */
	texts_end(s->texts, s->shows_programs);
}

/* The image stays where it is: what is read later has to agree with the first. */
static int take_image(struct symbols *s, uint64_t image, uint64_t image_bytes)
{
	const uint64_t link = KALLSYMS_LINK_TEXT + image_bytes + LINK_ALIGN;
	int err;

	if (s->texts)
		return image == s->text ? 0 : -EINVAL;
	err = texts_open(&s->texts, link - link % LINK_ALIGN);
	if (err)
		return err;
	s->text = image;
	s->image_bytes = image_bytes;
	return 0;
}

int symbols_read(struct symbols *s, const char *text, size_t bytes)
{
	const char *const end = text + bytes;
	struct outside *outside;
	uint64_t image, image_bytes;
	size_t count;
	int err;

	err = find_text(text, end, &image, &count);
	if (err || !image)
		return err;
	outside = calloc(count + 1, sizeof(*outside));
	if (!outside)
		return -ENOMEM;
	count = take_symbols(text, end, image, outside, &image_bytes);
	err = take_image(s, image, image_bytes);
	if (!err) {
		qsort(outside, count, sizeof(*outside), by_address);
		count = join_pieces(outside, count);
		qsort(outside, count, sizeof(*outside), by_order);
		add_pieces(s, outside, count);
	}
	free(outside);
	return err;
}

int symbols_open(struct symbols **symbols, const char *text, size_t bytes)
{
	struct symbols *s;
	int err;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	err = symbols_read(s, text, bytes);
	if (err) {
		symbols_close(s);
		return err;
	}
	*symbols = s;
	return 0;
}

bool symbols_hidden(const struct symbols *symbols)
{
	return !symbols->text;
}

bool symbols_show_programs(const struct symbols *symbols)
{
	return symbols->shows_programs;
}

struct texts *symbols_texts(struct symbols *symbols)
{
	return symbols->texts;
}

uint64_t symbols_map(struct symbols *s, uint64_t address)
{
	if (symbols_in_image(s, address))
		return KALLSYMS_LINK_TEXT + (address - s->text);
	return s->texts ? texts_map(s->texts, address) : 0;
}

void symbols_close(struct symbols *s)
{
	if (!s)
		return;
	texts_close(s->texts);
	free(s);
}
