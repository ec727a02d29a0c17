/* test_ksymbol.c - what the kernel writes of symbols is read whole, in order, and mistrusted */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksymbol.h"

#define RINGS 2
#define DATA_BYTES 4096u

struct bench {
	void *memory[RINGS];
	size_t page_bytes;
	struct ksymbols *ksymbols;
	char told[1024];            /* "+name" and "-name" of what was handed on */
	struct ksymbol last;
};

static struct perf_event_mmap_page *page(struct bench *b, int ring)
{
	return b->memory[ring];
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	for (int i = 0; i < RINGS; i++) {
		b->memory[i] = calloc(1, b->page_bytes + DATA_BYTES);
		/* not far from the end, so that records run over it */
		page(b, i)->data_head = page(b, i)->data_tail = 7 * DATA_BYTES - 24;
	}
	assert_int_equal(ksymbols_open_at(&b->ksymbols, b->memory, RINGS, DATA_BYTES), 0);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	ksymbols_close(b->ksymbols);
	for (int i = 0; i < RINGS; i++)
		free(b->memory[i]);
	free(b);
	return 0;
}

static void write_bytes(struct bench *b, int ring, const void *bytes, size_t count)
{
	uint8_t *data = (uint8_t *)b->memory[ring] + b->page_bytes;

	for (size_t i = 0; i < count; i++)
		data[(page(b, ring)->data_head + i) % DATA_BYTES] = ((const uint8_t *)bytes)[i];
	page(b, ring)->data_head += count;
}

static void write_record(struct bench *b, int ring, uint32_t type, uint64_t time_ns,
			 const void *body, size_t body_bytes)
{
	const struct perf_event_header header = {
		.type = type, .size = (uint16_t)(sizeof(header) + body_bytes + sizeof(time_ns)),
	};

	write_bytes(b, ring, &header, sizeof(header));
	write_bytes(b, ring, body, body_bytes);
	write_bytes(b, ring, &time_ns, sizeof(time_ns));
}

static void tell(struct bench *b, int ring, uint64_t time_ns, const char *name, bool gone)
{
	struct { uint64_t address; uint32_t bytes; uint16_t type, flags; char name[512]; } body = {
		.address = 0xffffffffc0001234ull, .bytes = 77, .type = 1, .flags = gone,
	};

	strncpy(body.name, name, sizeof(body.name) - 1);
	write_record(b, ring, PERF_RECORD_KSYMBOL, time_ns, &body, 16 + (strlen(name) + 8) / 8 * 8);
}

static void on_symbol(void *arg, const struct ksymbol *symbol)
{
	struct bench *b = arg;
	const size_t used = strlen(b->told);

	snprintf(b->told + used, sizeof(b->told) - used, "%c%.*s ", symbol->gone ? '-' : '+',
		 (int)symbol->name_bytes, symbol->name);
	b->last = *symbol;
}

static uint64_t read_all(struct bench *b)
{
	b->told[0] = '\0';
	return ksymbols_read(b->ksymbols, on_symbol, b);
}

static void a_record_over_the_end_of_the_ring_arrives_whole(void **state)
{
	struct bench *b = *state;

	tell(b, 0, 5, "bpf_prog_6deef7357e7b4530_one", false);
	assert_int_equal(read_all(b), 0);
	assert_string_equal(b->told, "+bpf_prog_6deef7357e7b4530_one ");
	assert_int_equal(b->last.address, 0xffffffffc0001234ull);
	assert_int_equal(b->last.bytes, 77);
	assert_true(b->last.bpf);
	assert_int_equal(page(b, 0)->data_tail, page(b, 0)->data_head);
	assert_int_equal(read_all(b), 0);
	assert_string_equal(b->told, "");
}

/* Loaded on one CPU, unloaded on another. */
static void all_cpus_together_are_in_the_order_of_time(void **state)
{
	struct bench *b = *state;

	tell(b, 1, 10, "a", false);
	tell(b, 0, 20, "a", true);
	tell(b, 1, 30, "b", false);
	tell(b, 1, 40, "b", true);
	tell(b, 0, 50, "c", false);
	assert_int_equal(read_all(b), 0);
	assert_string_equal(b->told, "+a -a +b -b +c ");
}

static void lost_records_are_counted(void **state)
{
	const uint64_t lost[2] = { 1, 41 };
	struct bench *b = *state;

	tell(b, 0, 1, "a", false);
	write_record(b, 0, PERF_RECORD_LOST, 2, lost, sizeof(lost));
	write_record(b, 1, 99, 2, lost, sizeof(lost));
	tell(b, 0, 3, "b", false);
	assert_int_equal(read_all(b), 41);
	assert_string_equal(b->told, "+a +b ");
}

static void a_long_name_is_cut(void **state)
{
	struct bench *b = *state;
	char name[300];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	tell(b, 0, 1, name, false);
	assert_int_equal(read_all(b), 0);
	assert_int_equal(b->last.name_bytes, KSYMBOL_NAME_BYTES);
}

static void damage_is_skipped_and_counted(void **state)
{
	static const struct { uint16_t size; const char *why; } rows[] = {
		{ 0, "no size at all" },
		{ 8, "no room for the time" },
		{ 20, "not a multiple of eight" },
		{ 4000, "longer than what is there" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct perf_event_header header = {
			.type = PERF_RECORD_KSYMBOL, .size = rows[i].size,
		};

		write_bytes(b, 0, &header, sizeof(header));
		write_bytes(b, 0, rows, 24);
		tell(b, 1, 1, "sound", false);
		if (read_all(b) != 1 || strcmp(b->told, "+sound "))
			fail_msg("%s: not skipped", rows[i].why);
	}
	page(b, 0)->data_head += 2 * DATA_BYTES + 8;     /* more than the ring holds */
	assert_int_equal(read_all(b), 1);
	tell(b, 0, 1, "after", false);
	assert_int_equal(read_all(b), 0);
	assert_string_equal(b->told, "+after ");
}

static void without_an_event_there_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(ksymbols_read(NULL, on_symbol, NULL), 0);
	ksymbols_close(NULL);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(a_record_over_the_end_of_the_ring_arrives_whole),
		on_bench(all_cpus_together_are_in_the_order_of_time),
		on_bench(lost_records_are_counted),
		on_bench(a_long_name_is_cut),
		on_bench(damage_is_skipped_and_counted),
		cmocka_unit_test(without_an_event_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
