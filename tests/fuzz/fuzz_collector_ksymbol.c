/* fuzz_collector_ksymbol.c - rings of PERF_RECORD_KSYMBOL that lie
 *
 * The input is where both rings start and how much is in them, then their
 * data. Reading must end with both empty; what it hands on is taken in as the
 * collector does, and the pieces of text must not get into each other's way.
 */
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksymbol.h"
#include "texts.h"

#define RINGS 2
#define DATA_BYTES 4096u
#define LINK_START 0xffffffff82000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct taken {
	struct texts *texts;
	size_t count;
	uint64_t last;
};

static void on_symbol(void *arg, const struct ksymbol *symbol)
{
	struct taken *taken = arg;

	if (symbol->name_bytes > KSYMBOL_NAME_BYTES || memchr(symbol->name, '\0', symbol->name_bytes))
		abort();
	/* costs more than all the rest: most inputs hand on nothing */
	if (!taken->texts && texts_open(&taken->texts, LINK_START))
		abort();
	taken->count++;
	taken->last = symbol->address;
	if (symbol->gone)
		texts_remove(taken->texts, symbol->address);
	else
		texts_add(taken->texts, &(struct text_facts){
			.start = symbol->address, .bytes = symbol->bytes, .exact = true,
			.kind = symbol->bpf ? TEXT_BPF : TEXT_KPROBES,
			.name = symbol->name, .name_bytes = symbol->name_bytes });
}

static void check_texts(struct texts *texts, uint64_t address)
{
	uint64_t end = LINK_START, link;

	for (const struct text *text = NULL; (text = texts_next(texts, text));) {
		if (text->link < end || texts_at_link(texts, text->link) != text)
			abort();
		end = text->link + text->bytes;
	}
	texts_published(texts);
	link = texts_map(texts, address);
	if (link && (link < LINK_START || link >= end))
		abort();
}

/* data behind one page, as perf lays it out. */
static void *make_ring(const uint8_t *data, size_t bytes, uint64_t tail, uint64_t waiting)
{
	const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *memory = calloc(1, page_bytes + DATA_BYTES);
	struct perf_event_mmap_page *page = (struct perf_event_mmap_page *)memory;

	if (!memory)
		abort();
	page->data_tail = tail;
	page->data_head = tail + waiting;
	for (size_t i = 0; i < bytes && i < DATA_BYTES; i++)
		memory[page_bytes + (tail + i) % DATA_BYTES] = data[i];
	return memory;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct { uint16_t tail[RINGS], waiting[RINGS]; } head;
	struct ksymbols *ksymbols;
	struct taken taken = { 0 };
	void *memory[RINGS];

	if (bytes < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	bytes -= sizeof(head);
	for (size_t i = 0; i < RINGS; i++)      /* the second half is the second ring's */
		memory[i] = make_ring(data + i * (bytes / 2), bytes / 2, head.tail[i],
				      head.waiting[i]);
	if (ksymbols_open_at(&ksymbols, memory, RINGS, DATA_BYTES))
		abort();
	(void)ksymbols_read(ksymbols, on_symbol, &taken);
	if (taken.texts) {
		check_texts(taken.texts, taken.last + 1);
		texts_tick(taken.texts, 1);
		check_texts(taken.texts, taken.last);
	}
	(void)ksymbols_read(ksymbols, NULL, NULL);      /* empty: nothing to hand on */
	if (taken.count > RINGS * DATA_BYTES / 16)
		abort();
	for (size_t i = 0; i < RINGS; i++) {
		const struct perf_event_mmap_page *page = memory[i];

		if (page->data_tail != page->data_head)
			abort();
	}
	ksymbols_close(ksymbols);
	texts_close(taken.texts);
	for (size_t i = 0; i < RINGS; i++)
		free(memory[i]);
	return 0;
}
