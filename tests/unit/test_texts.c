/* test_texts.c - pieces of kernel text that come, go, and take each other's place */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "texts.h"

#define LINKS 0xffffffff84000000ull
#define PLACE 0xffffffffc0003000ull
#define SECOND_NS 1000000000ull

struct bench {
	struct texts *texts;
	uint64_t now_ns;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_int_equal(texts_open(&b->texts, LINKS), 0);
	b->now_ns = 1000 * SECOND_NS;
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	texts_close(b->texts);
	free(b);
	return 0;
}

static void tick(struct bench *b)
{
	b->now_ns += SECOND_NS / 10;
	texts_tick(b->texts, b->now_ns);
}

static void add(struct bench *b, uint64_t start, uint64_t bytes, const char *name)
{
	texts_add(b->texts, &(struct text_facts){
		.start = start, .bytes = bytes, .kind = TEXT_BPF, .exact = true,
		.name = name, .name_bytes = strlen(name),
	});
}

static void guess(struct bench *b, uint64_t start, uint64_t bytes, const char *name)
{
	texts_add(b->texts, &(struct text_facts){
		.start = start, .bytes = bytes, .kind = TEXT_BPF,
		.name = name, .name_bytes = strlen(name),
	});
}

/* The name that a reader of the published table finds for a frame; "": none. */
static const char *name_of(struct bench *b, uint64_t address)
{
	static char name[TEXT_NAME_BYTES + 1];
	const uint64_t link = texts_map(b->texts, address);
	const struct text *text = link ? texts_at_link(b->texts, link) : NULL;

	snprintf(name, sizeof(name), "%.*s", text ? text->name_bytes : 0, text ? text->name : "");
	return name;
}

static size_t count(struct bench *b)
{
	size_t n = 0;

	for (const struct text *text = NULL; (text = texts_next(b->texts, text));)
		n++;
	return n;
}

static void a_frame_uses_a_piece_once_it_is_published(void **state)
{
	struct bench *b = *state;

	add(b, PLACE, 0x40, "one");
	assert_true(texts_changed(b->texts));
	assert_false(texts_missed(b->texts));
	assert_int_equal(texts_map(b->texts, PLACE), 0);
	assert_true(texts_missed(b->texts));
	texts_published(b->texts);
	assert_false(texts_changed(b->texts));
	assert_false(texts_missed(b->texts));
	assert_int_equal(texts_map(b->texts, PLACE + 0x3f), LINKS + 0x3f);
	assert_int_equal(texts_map(b->texts, PLACE + 0x40), 0);
	assert_int_equal(texts_map(b->texts, PLACE - 1), 0);
}

static void what_is_told_twice_is_there_once(void **state)
{
	struct bench *b = *state;

	add(b, PLACE, 0x40, "one");
	texts_published(b->texts);
	add(b, PLACE, 0x40, "one");
	assert_false(texts_changed(b->texts));
	assert_int_equal(count(b), 1);
	texts_remove(b->texts, PLACE);
	texts_remove(b->texts, PLACE);
	assert_int_equal(count(b), 1);
}

static void samples_taken_before_it_went_are_still_named(void **state)
{
	struct bench *b = *state;

	add(b, PLACE, 0x40, "one");
	texts_published(b->texts);
	tick(b);
	texts_remove(b->texts, PLACE);
	assert_string_equal(name_of(b, PLACE), "one");   /* drained now, sampled before */
	tick(b);
	assert_string_equal(name_of(b, PLACE), "one");
	tick(b);
	assert_string_equal(name_of(b, PLACE), "");      /* nothing can be sampled there */
	assert_string_equal(texts_at_link(b->texts, LINKS)->name, "one");
}

static void one_that_comes_back_is_another_one(void **state)
{
	struct bench *b = *state;
	uint64_t first;

	add(b, PLACE, 0x40, "one");
	texts_published(b->texts);
	first = texts_map(b->texts, PLACE);
	tick(b);
	texts_remove(b->texts, PLACE);
	add(b, PLACE, 0x40, "one");
	texts_published(b->texts);
	for (int i = 0; i < 3; i++)
		tick(b);
	assert_string_equal(name_of(b, PLACE), "one");
	assert_true(texts_map(b->texts, PLACE) != first);
}

static void another_one_in_its_place_is_never_taken_for_it(void **state)
{
	struct bench *b = *state;
	uint64_t first;

	add(b, PLACE, 0x40, "one");
	texts_published(b->texts);
	first = texts_map(b->texts, PLACE);
	tick(b);
	texts_remove(b->texts, PLACE);
	add(b, PLACE, 0x40, "two");
	texts_published(b->texts);
	assert_string_equal(name_of(b, PLACE), "");      /* of either: not to be told */
	tick(b);
	assert_string_equal(name_of(b, PLACE), "two");
	assert_true(texts_map(b->texts, PLACE) != first);
	assert_int_equal(memcmp(texts_at_link(b->texts, first)->name, "one", 3), 0);
}

static void one_that_lies_on_several_takes_the_place_of_all(void **state)
{
	struct bench *b = *state;

	add(b, PLACE, 0x40, "one");
	add(b, PLACE + 0x40, 0x40, "two");
	add(b, PLACE + 0x80, 0x40, "three");
	texts_published(b->texts);
	tick(b);
	add(b, PLACE + 0x20, 0x40, "new");               /* nobody told that they went */
	texts_published(b->texts);
	tick(b);
	assert_string_equal(name_of(b, PLACE + 0x10), "");
	assert_string_equal(name_of(b, PLACE + 0x20), "new");
	assert_string_equal(name_of(b, PLACE + 0x5f), "new");
	assert_string_equal(name_of(b, PLACE + 0x60), "");
	assert_string_equal(name_of(b, PLACE + 0x80), "three");
}

static void a_guessed_end_gives_way(void **state)
{
	struct bench *b = *state;

	guess(b, PLACE, 0x10000, "guessed");
	texts_published(b->texts);
	tick(b);
	add(b, PLACE + 0x100, 0x40, "new");
	texts_published(b->texts);
	assert_string_equal(name_of(b, PLACE + 0xff), "guessed");
	assert_string_equal(name_of(b, PLACE + 0x100), "new");
	assert_string_equal(name_of(b, PLACE + 0x140), "");
	guess(b, PLACE + 0x40, 0x10000, "between");
	texts_published(b->texts);
	tick(b);
	assert_string_equal(name_of(b, PLACE + 0x3f), "guessed");
	assert_string_equal(name_of(b, PLACE + 0xff), "between");
	assert_string_equal(name_of(b, PLACE + 0x100), "new");
	add(b, PLACE, 0x20, "guessed");                  /* told later how long it is */
	assert_string_equal(name_of(b, PLACE + 0x1f), "guessed");
	assert_string_equal(name_of(b, PLACE + 0x20), "");
}

static void what_is_not_told_again_has_gone(void **state)
{
	struct bench *b = *state;

	add(b, PLACE, 0x40, "one");
	add(b, PLACE + 0x100, 0x40, "two");
	texts_published(b->texts);
	tick(b);
	texts_begin(b->texts);
	texts_end(b->texts, false);                      /* of modules only: these are none */
	tick(b);
	tick(b);
	assert_string_equal(name_of(b, PLACE), "one");
	texts_begin(b->texts);
	add(b, PLACE + 0x100, 0x40, "two");
	texts_end(b->texts, true);
	tick(b);
	tick(b);
	assert_string_equal(name_of(b, PLACE), "");
	assert_string_equal(name_of(b, PLACE + 0x100), "two");
	assert_false(texts_changed(b->texts));
}

static void what_went_is_forgotten_after_a_minute(void **state)
{
	struct bench *b = *state;

	tick(b);
	add(b, PLACE, 0x40, "one");
	texts_remove(b->texts, PLACE);
	b->now_ns += TEXTS_RETIRED_NS / 2;
	tick(b);
	assert_int_equal(count(b), 1);
	b->now_ns += TEXTS_RETIRED_NS;
	tick(b);
	assert_int_equal(count(b), 0);
	assert_null(texts_at_link(b->texts, LINKS));
}

/* Programs that come and go all day, faster than they are forgotten. */
static void nothing_grows_whatever_comes_and_goes(void **state)
{
	struct bench *b = *state;
	uint64_t last = 0;

	add(b, PLACE - 0x1000, 0x40, "stays");
	texts_published(b->texts);
	for (int i = 0; i < 100000; i++) {
		const uint64_t place = PLACE + (uint64_t)(i % 7) * 0x20;
		uint64_t link;

		add(b, place, 0x40, i % 2 ? "odd" : "even");
		link = texts_link(b->texts, place);
		assert_true(link > last && link < 0xffffffffc0000000ull);
		last = link;
		if (i % 3)
			texts_remove(b->texts, place);
		if (i % 50 == 0)
			tick(b);
	}
	assert_true(count(b) <= TEXTS_RETIRED_MAX + 1 + 7);
	assert_int_equal(texts_refused(b->texts), 0);
	tick(b);
	assert_string_equal(name_of(b, PLACE - 0x1000), "stays");
}

static void more_than_have_room_are_counted(void **state)
{
	struct bench *b = *state;
	const int many = TEXTS_MAX + 10;

	for (int i = 0; i < many; i++)
		add(b, PLACE + (uint64_t)i * 0x100, 0x40, "one");
	assert_int_equal(count(b), TEXTS_MAX);
	assert_int_equal(texts_refused(b->texts), 10);
	texts_published(b->texts);
	assert_string_equal(name_of(b, PLACE + (uint64_t)(many - 1) * 0x100), "");
	texts_remove(b->texts, PLACE);
	add(b, PLACE + (uint64_t)many * 0x100, 0x40, "next");
	assert_int_equal(texts_refused(b->texts), 10);
	assert_int_equal(count(b), TEXTS_MAX);
}

static void addresses_come_round_only_when_all_were_given(void **state)
{
	const uint64_t bytes = 1 << 20, all = 0xffffffffc0000000ull - LINKS;
	struct bench *b = *state;
	unsigned int rounds = 0;
	uint64_t last = 0;

	add(b, PLACE - 0x1000, 0x40, "stays");
	for (uint64_t given = 0; given < 3 * all; given += bytes) {
		uint64_t link;

		add(b, PLACE, bytes, "one");
		link = texts_link(b->texts, PLACE);
		assert_true(link >= LINKS && link + bytes <= 0xffffffffc0000000ull);
		rounds += link < last;
		last = link;
		texts_remove(b->texts, PLACE);
		texts_tick(b->texts, b->now_ns += 2 * TEXTS_RETIRED_NS);
		texts_tick(b->texts, b->now_ns);
	}
	assert_in_range(rounds, 2, 3);
	texts_published(b->texts);
	assert_string_equal(name_of(b, PLACE - 0x1000), "stays");
}

static void nonsense_is_left_out(void **state)
{
	struct bench *b = *state;

	add(b, PLACE, 0, "nothing");
	add(b, UINT64_MAX - 8, 0x40, "over the end");
	add(b, PLACE, 0x40, "");
	add(b, PLACE, 0x7fffffff00000000ull, "all there is");
	texts_remove(b->texts, 0);
	assert_int_equal(count(b), 0);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(a_frame_uses_a_piece_once_it_is_published),
		on_bench(what_is_told_twice_is_there_once),
		on_bench(samples_taken_before_it_went_are_still_named),
		on_bench(one_that_comes_back_is_another_one),
		on_bench(another_one_in_its_place_is_never_taken_for_it),
		on_bench(one_that_lies_on_several_takes_the_place_of_all),
		on_bench(a_guessed_end_gives_way),
		on_bench(what_is_not_told_again_has_gone),
		on_bench(what_went_is_forgotten_after_a_minute),
		on_bench(nothing_grows_whatever_comes_and_goes),
		on_bench(more_than_have_room_are_counted),
		on_bench(addresses_come_round_only_when_all_were_given),
		on_bench(nonsense_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
