/* tests/unit/test_bpf_ring.c - a BPF ring buffer that is ours, so that it can lie */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "bpf_ring.h"
#include "drain.h"

#define DATA_BYTES 4096u
#define BUSY (1u << 31)
#define DISCARD (1u << 30)
#define FRAMES_AT offsetof(struct shared_sample, frames)

/* Memory laid out as the kernel does; the data's second copy is kept by copy(). */
struct fake {
	uint64_t consumer, producer;
	uint8_t data[2 * DATA_BYTES] __attribute__((aligned(8)));
	struct bpf_ring ring;
};

static int setup(void **state)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	if (!fake)
		return -1;
	fake->ring = (struct bpf_ring) { &fake->consumer, &fake->producer, fake->data, DATA_BYTES };
	*state = fake;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void put(struct fake *fake, uint64_t position, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		uint64_t at = (position + i) % DATA_BYTES;

		fake->data[at] = fake->data[at + DATA_BYTES] = ((const uint8_t *)from)[i];
	}
}

/* What the kernel does to add a record; flags go into its header. */
static void produce(struct fake *fake, const void *record, uint32_t bytes, uint32_t flags)
{
	uint32_t header[2] = { bytes | flags, 0 };

	put(fake, fake->producer, header, sizeof(header));
	put(fake, fake->producer + sizeof(header), record, bytes);
	fake->producer += (bytes + sizeof(header) + 7) & ~7ull;
}

static void an_empty_ring_has_no_record(void **state)
{
	struct fake *fake = *state;
	uint32_t bytes;

	assert_null(bpf_ring_peek(&fake->ring, &bytes));
	assert_int_equal(fake->consumer, 0);
}

static void records_come_in_order_and_whole_over_many_laps(void **state)
{
	struct fake *fake = *state;
	uint8_t record[300];

	for (uint32_t i = 0; i < 200; i++) {
		uint32_t want = 1 + i * 7 % sizeof(record), bytes = 0;
		const uint8_t *got;

		memset(record, (int)(i & 0xff), sizeof(record));
		produce(fake, record, want, 0);
		got = bpf_ring_peek(&fake->ring, &bytes);
		assert_non_null(got);
		assert_int_equal(bytes, want);
		assert_memory_equal(got, record, want);
		bpf_ring_release(&fake->ring, bytes);
		assert_int_equal(fake->consumer, fake->producer);
	}
	assert_true(fake->producer > 4 * DATA_BYTES);
}

static void a_record_being_written_is_waited_for(void **state)
{
	struct fake *fake = *state;
	uint32_t bytes, done = 8;

	produce(fake, "unfinish", 8, BUSY);
	produce(fake, "finished", 8, 0);
	assert_null(bpf_ring_peek(&fake->ring, &bytes));
	assert_int_equal(fake->consumer, 0);
	put(fake, 0, &done, sizeof(done));
	assert_memory_equal(bpf_ring_peek(&fake->ring, &bytes), "unfinish", 8);
}

static void discarded_records_are_skipped(void **state)
{
	struct fake *fake = *state;
	uint32_t bytes;

	produce(fake, "none", 4, DISCARD);
	produce(fake, "none", 4, DISCARD);
	produce(fake, "some", 4, 0);
	assert_memory_equal(bpf_ring_peek(&fake->ring, &bytes), "some", 4);
	assert_int_equal(bytes, 4);
}

static const struct {
	uint32_t header;
	uint64_t waiting;
	const char *why;
} lies[] = {
	{ 9, 16,                       "one byte longer than what was produced" },
	{ 0x3fffffff, 64,              "the longest length there is" },
	{ DISCARD | 0x3fffffff, 64,    "the same, discarded" },
	{ DATA_BYTES, DATA_BYTES,      "longer than the ring by its header" },
	{ 8, DATA_BYTES + 8,           "more produced than the ring holds" },
	{ 8, UINT64_MAX - 7,           "a producer behind the consumer" },
	{ 0, 4,                        "a producer in the middle of a header" },
};

static void lies_are_skipped_and_never_handed_out(void **state)
{
	struct fake *fake = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint64_t start = 24 * DATA_BYTES;
		uint32_t bytes;

		fake->consumer = start;
		fake->producer = start + lies[i].waiting;
		put(fake, start, &lies[i].header, sizeof(lies[i].header));
		if (bpf_ring_peek(&fake->ring, &bytes))
			fail_msg("handed out: %s", lies[i].why);
		if (fake->consumer != fake->producer)
			fail_msg("not skipped: %s", lies[i].why);
	}
}

static unsigned int samples, frames;

static void count(void *arg, const struct shared_sample *sample)
{
	(void)arg;
	samples++;
	frames += sample->frame_count;
}

/* A sample that says `said` frames in a record with `held` of them. */
static void produce_sample(struct fake *fake, uint8_t said, size_t held)
{
	static struct shared_sample sample[2];     /* room for more frames than there can be */

	sample->frame_count = said;
	produce(fake, sample, (uint32_t)(FRAMES_AT + held * sizeof(sample->frames[0])), 0);
}

static void drain_takes_samples_as_long_as_they_say_and_no_others(void **state)
{
	struct fake *fake = *state;

	samples = frames = 0;
	produce_sample(fake, 3, 3);
	produce_sample(fake, 4, 3);          /* says more than it has */
	produce_sample(fake, 3, 4);          /* and less */
	produce(fake, "short", 5, 0);
	produce_sample(fake, 127, 127);
	produce_sample(fake, 128, 128);      /* more than there can be */
	drain_cpu(&fake->ring, count, NULL);
	assert_int_equal(samples, 2);
	assert_int_equal(frames, 3 + 127);
	assert_int_equal(fake->consumer, fake->producer);
}

/* Adds a sample for each that it gets, as a busy CPU would. */
static void count_and_produce(void *arg, const struct shared_sample *sample)
{
	count(NULL, sample);
	if (samples < 10000)
		produce_sample(arg, 1, 1);
}

static void drain_ends_although_the_kernel_keeps_up(void **state)
{
	struct fake *fake = *state;

	samples = 0;
	produce_sample(fake, 1, 1);
	drain_cpu(&fake->ring, count_and_produce, fake);
	assert_in_range(samples, 2, DATA_BYTES / FRAMES_AT);
}

static void closing_what_never_opened_is_harmless(void **state)
{
	struct bpf_ring none = { 0 };

	(void)state;
	bpf_ring_close(&none);
	assert_true(bpf_ring_open(&none, -1, DATA_BYTES) < 0);
	assert_null(none.consumer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_ring_has_no_record),
		TEST(records_come_in_order_and_whole_over_many_laps),
		TEST(a_record_being_written_is_waited_for),
		TEST(discarded_records_are_skipped),
		TEST(lies_are_skipped_and_never_handed_out),
		TEST(drain_takes_samples_as_long_as_they_say_and_no_others),
		TEST(drain_ends_although_the_kernel_keeps_up),
		cmocka_unit_test(closing_what_never_opened_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
