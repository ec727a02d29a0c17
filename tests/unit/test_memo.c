/* test_memo.c - a stack seen before has its label, and no other one's */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memo.h"

static struct memo *memo;

static int open_empty(void **state)
{
	(void)state;
	return memo_open(&memo);
}

static int close_all(void **state)
{
	(void)state;
	memo_close(memo);
	return 0;
}

static struct memo_key key_of(const uint64_t *frames, uint8_t count)
{
	struct memo_key key = { .frames = frames, .count = count, .vector = 3 };

	memo_hash(&key);
	return key;
}

/* A label that tells which stack it was made for. */
static struct label label_of(uint32_t number)
{
	const struct label label = {
		.context = (uint8_t)number, .component = (uint8_t)(number >> 8),
		.step = (uint8_t)(number >> 16),
	};

	return label;
}

static uint32_t number_of(const struct label *label)
{
	return label->context | (uint32_t)label->component << 8 | (uint32_t)label->step << 16;
}

static void add(const struct memo_key *key, uint32_t number)
{
	const struct label label = label_of(number);

	memo_add(memo, key, &label);
}

static void a_stack_is_found_by_all_that_its_label_hangs_on(void **state)
{
	const uint64_t frames[] = { 1, 2, 3, 4, 5 }, others[] = { 1, 2, 3, 4, 6 };
	struct memo_key key = key_of(frames, 5), other;

	(void)state;
	assert_null(memo_find(memo, &key));
	add(&key, 42);
	assert_int_equal(number_of(memo_find(memo, &key)), 42);

	other = key_of(frames, 4);
	assert_null(memo_find(memo, &other));
	other = key_of(others, 5);
	assert_null(memo_find(memo, &other));
	other = key;
	other.vector = -1;
	memo_hash(&other);
	assert_null(memo_find(memo, &other));
	other = key;
	other.hints = 1;
	memo_hash(&other);
	assert_null(memo_find(memo, &other));
}

/* Equal hashes, made by hand: each part of the key is compared all the same. */
static void stacks_of_one_hash_are_told_apart(void **state)
{
	const uint64_t one[] = { 1, 2, 3 }, two[] = { 1, 2, 4 };
	const struct memo_key keys[] = {
		{ one, 3, 3, 0, 99 }, { two, 3, 3, 0, 99 }, { one, 2, 3, 0, 99 },
		{ one, 3, -1, 0, 99 },
	};
	const struct memo_key hinted = { one, 3, 3, 64, 99 };

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		add(&keys[i], i);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(number_of(memo_find(memo, &keys[i])), i);
	assert_null(memo_find(memo, &hinted));
}

static void the_oldest_of_a_set_makes_room(void **state)
{
	uint64_t frame;
	struct memo_key key = { &frame, 1, 3, 0, 99 };

	(void)state;
	for (frame = 1; frame <= 5; frame++)
		add(&key, (uint32_t)frame);
	frame = 1;
	assert_null(memo_find(memo, &key));
	for (frame = 2; frame <= 5; frame++)
		assert_int_equal(number_of(memo_find(memo, &key)), frame);
}

static void a_stack_without_frames_is_not_kept(void **state)
{
	struct memo_key key = key_of(NULL, 0);

	(void)state;
	add(&key, 1);
	assert_null(memo_find(memo, &key));
}

static void cleared_is_forgotten(void **state)
{
	const uint64_t frames[] = { 1, 2, 3 };
	struct memo_key key = key_of(frames, 3);

	(void)state;
	add(&key, 1);
	memo_clear(memo);
	assert_null(memo_find(memo, &key));
}

static void fill_frames(uint64_t *frames, uint8_t count, uint32_t number)
{
	for (uint8_t i = 0; i < count; i++)
		frames[i] = 0xffffffff81000000ull + (uint64_t)number * 131 + i;
}

/* Several times what it holds, in stacks and in frames: what it finds is right. */
static void an_overfull_memo_forgets_but_does_not_mix(void **state)
{
	static const uint8_t counts[] = { 1, 30, 127 };
	uint64_t frames[127];
	uint32_t found = 0;

	(void)state;
	for (uint32_t number = 0; number < 100000; number++) {
		uint8_t count = counts[number % 3];
		struct memo_key key;

		fill_frames(frames, count, number);
		key = key_of(frames, count);
		add(&key, number);
		assert_int_equal(number_of(memo_find(memo, &key)), number);
	}
	for (uint32_t number = 0; number < 100000; number++) {
		uint8_t count = counts[number % 3];
		struct memo_key key;
		const struct label *label;

		fill_frames(frames, count, number);
		key = key_of(frames, count);
		label = memo_find(memo, &key);
		found += label != NULL;
		if (label)
			assert_int_equal(number_of(label), number);
	}
	assert_in_range(found, 5000, MEMO_STACKS);
}

static void a_stack_is_kept_until_its_frames_are_overwritten(void **state)
{
	uint64_t frames[127], first[127];
	struct memo_key key, first_key;

	(void)state;
	memset(first, 1, sizeof(first));
	first_key = key_of(first, 127);
	add(&first_key, 7);
	for (uint32_t number = 0; number < MEMO_FRAMES / 127; number++) {
		const struct label *label = memo_find(memo, &first_key);

		assert_non_null(label);
		assert_int_equal(number_of(label), 7);
		memset(frames, 0, sizeof(frames));
		key = key_of(frames, 127);
		key.hash = first_key.hash + 1;   /* into another set: only frames run out */
		add(&key, 1);
	}
	assert_null(memo_find(memo, &first_key));
	key.hash = first_key.hash;   /* what lies there now is not the first one's either */
	assert_null(memo_find(memo, &key));
}

#define OPENED(test) cmocka_unit_test_setup_teardown(test, open_empty, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPENED(a_stack_is_found_by_all_that_its_label_hangs_on),
		OPENED(stacks_of_one_hash_are_told_apart),
		OPENED(the_oldest_of_a_set_makes_room),
		OPENED(a_stack_without_frames_is_not_kept),
		OPENED(cleared_is_forgotten),
		OPENED(an_overfull_memo_forgets_but_does_not_mix),
		OPENED(a_stack_is_kept_until_its_frames_are_overwritten),
	};

	return cmocka_run_group_tests_name("memo", tests, NULL, NULL);
}
