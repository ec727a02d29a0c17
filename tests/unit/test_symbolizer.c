/* test_symbolizer.c - from address to kernel function */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer.h"

static struct symbolizer *symbolizer;

static int open_empty(void **state)
{
	(void)state;
	return symbolizer_open(&symbolizer);
}

static int close_all(void **state)
{
	(void)state;
	symbolizer_close(symbolizer);
	return 0;
}

static int load(const char *text)
{
	return symbolizer_load(symbolizer, text, strlen(text));
}

/* Name at address; "-": none. */
static const char *name_at(uint64_t address, bool is_return)
{
	const struct symbol *symbol = symbolizer_resolve(symbolizer, address, is_return);

	return symbol ? symbolizer_name(symbolizer, symbol) : "-";
}

static void an_address_belongs_to_the_symbol_below_it(void **state)
{
	static const struct { uint64_t address; bool is_return; const char *want, *why; } cases[] = {
		{ 0xffffffff81000000, false, "_text", "its first byte" },
		{ 0xffffffff81000fff, false, "_text", "its last byte" },
		{ 0xffffffff81001000, false, "second", "the next one's first" },
		{ 0xffffffff81001000, true, "_text", "a call in the last bytes" },
		{ 0xffffffff81001001, true, "second", "a call in the first bytes" },
		{ 0xffffffff80ffffff, false, "-", "below all" },
		{ 0xffffffff81000000, true, "-", "a return to the first byte of all" },
		{ 0xffffffff810ffff0, false, "second", "within reach of the last of the image" },
		{ 0xffffffff81101000, false, "-", "in the gap behind the image" },
		{ 0xffffffffc0000010, false, "in_module", "a module" },
		{ 0, false, "-", "a frame that is in no known range" },
		{ 0, true, "-", "the same, as a return" },
		{ 1, true, "-", "becomes 0" },
		{ UINT64_MAX, false, "-", "above all" },
	};

	(void)state;
	assert_int_equal(load("ffffffff81000000 T _text\nffffffff81001000 t second\n"
			      "ffffffffc0000000 t in_module\t[m]\n"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = name_at(cases[i].address, cases[i].is_return);

		if (strcmp(got, cases[i].want))
			fail_msg("%s: %s, not %s", cases[i].why, got, cases[i].want);
	}
}

static void an_empty_table_knows_nothing(void **state)
{
	(void)state;
	assert_null(symbolizer_resolve(symbolizer, 0xffffffff81000000, false));
	assert_int_equal(symbolizer_count(symbolizer), 0);
}

static void a_symbol_has_its_meaning(void **state)
{
	const struct symbol *symbol;

	(void)state;
	assert_int_equal(load("ffffffff81000000 T net_rx_action\nffffffff81001000 t sys_nothing\n"
			      "ffffffff81002000 t __napi_poll.constprop.0\n"), 0);
	symbol = symbolizer_resolve(symbolizer, 0xffffffff81000000, false);
	assert_int_equal(symbol->function, functions_find("net_rx_action", 13, NULL, 0));
	assert_int_not_equal(symbol->function, 0);
	assert_int_equal(symbol->name_bytes, 13);
	symbol = symbolizer_resolve(symbolizer, 0xffffffff81001000, false);
	assert_int_equal(symbol->function, 0);
	symbol = symbolizer_resolve(symbolizer, 0xffffffff81002000, false);
	assert_int_equal(symbol->function, functions_find("__napi_poll", 11, NULL, 0));
}

static void of_aliases_the_most_telling_is_kept(void **state)
{
	static const struct { const char *text, *want, *why; } cases[] = {
		{ "ffffffff81000000 T plain\nffffffff81000000 t net_rx_action\n", "net_rx_action",
		  "known, though local and later" },
		{ "ffffffff81000000 t net_rx_action\nffffffff81000000 T plain\n", "net_rx_action",
		  "known, though local and first" },
		{ "ffffffff81000000 t local\nffffffff81000000 T global\n", "global", "global" },
		{ "ffffffff81000000 T global\nffffffff81000000 t local\n", "global", "global, first" },
		{ "ffffffff81000000 t one\nffffffff81000000 t two\n", "one", "the first" },
		{ "ffffffff81000000 t one\nffffffff81000000 W two\nffffffff81000000 T three\n", "two",
		  "the first global one" },
		{ "ffffffff81001000 t last\nffffffff81000000 t local\nffffffff81000000 T global\n",
		  "global", "out of order" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(load(cases[i].text), 0);
		if (strcmp(name_at(0xffffffff81000000, false), cases[i].want))
			fail_msg("%s: %s", cases[i].why, name_at(0xffffffff81000000, false));
	}
}

static void padding_data_and_zeros_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(load("0000000000000000 A fixed_percpu_data\n0000000000000000 t zero\n"
			      "ffffffff81000000 T first\nffffffff81000ff0 t __pfx_second\n"
			      "ffffffff81001000 T second\nffffffff81001010 d data\n"), 0);
	assert_int_equal(symbolizer_count(symbolizer), 2);
	assert_string_equal(name_at(0xffffffff81000ff8, false), "first");
	assert_string_equal(name_at(0xffffffff81001010, false), "second");
}

static void modules_may_come_out_of_order(void **state)
{
	(void)state;
	assert_int_equal(load("ffffffff81000000 T first\nffffffffc0200000 t b\t[two]\n"
			      "ffffffffc0100000 t a\t[one]\n"), 0);
	assert_string_equal(name_at(0xffffffffc0100004, false), "a");
	assert_string_equal(name_at(0xffffffffc0200004, false), "b");
}

static function_id meaning_at(uint64_t address)
{
	function_id function;

	symbolizer_functions(symbolizer, &address, 1, &function);
	return function;
}

/* The published table says where a piece of text ends: what another one has
 * taken or will take is nobody's, not that of the piece below. */
static void behind_a_piece_there_is_nothing(void **state)
{
	static const struct { uint64_t address; bool is_return; const char *want, *why; } cases[] = {
		{ 0xffffffff8400003f, false, "bpf_prog_one", "its last byte" },
		{ 0xffffffff84000040, true, "bpf_prog_one", "a call in the last bytes" },
		{ 0xffffffff84000040, false, "-", "behind it" },
		{ 0xffffffff840000ff, false, "-", "before the next one" },
		{ 0xffffffff84000100, false, "bpf_prog_two", "the next one" },
		{ 0xffffffff84000200, false, "-", "one loaded since" },
	};

	(void)state;
	assert_int_equal(load("ffffffff81000000 T _text\nffffffff81001000 t -\n"
			      "ffffffff84000000 t bpf_prog_one\t[bpf]\nffffffff84000040 t -\n"
			      "ffffffff84000100 t bpf_prog_two\t[bpf]\nffffffff84000140 t -\n"), 0);
	assert_int_equal(symbolizer_count(symbolizer), 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = name_at(cases[i].address, cases[i].is_return);

		if (strcmp(got, cases[i].want))
			fail_msg("%s: %s, not %s", cases[i].why, got, cases[i].want);
	}
	assert_null(symbolizer_resolve(symbolizer, 0xffffffff84000040, false));
	assert_int_equal(meaning_at(0xffffffff84000040), FUNCTION_UNKNOWN);
}

static void a_function_wins_over_a_gap_at_its_address(void **state)
{
	(void)state;
	assert_int_equal(load("ffffffff84000000 t -\nffffffff84000000 t plain\n"
			      "ffffffff84000100 t plain\nffffffff84000100 t -\n"), 0);
	assert_string_equal(name_at(0xffffffff84000000, false), "plain");
	assert_string_equal(name_at(0xffffffff84000100, false), "plain");
	assert_int_equal(symbolizer_count(symbolizer), 2);
}

/* Two functions of one name, in different modules and in the image; parts of a
 * function that lie elsewhere. */
static void one_name_in_several_places_is_told_apart_by_module(void **state)
{
	const function_id mlx5 = functions_find("any_function", 12, "mlx5_core", 9);

	(void)state;
	assert_int_not_equal(mlx5, 0);
	assert_int_equal(load("ffffffff81000000 t any_function\nffffffff81001000 T net_rx_action\n"
			      "ffffffff81002000 t other\nffffffff81003000 t net_rx_action.cold\n"
			      "ffffffff82000000 t any_function\t[nvme]\n"
			      "ffffffff82100000 t any_function\t[mlx5_core]\n"), 0);
	assert_int_equal(symbolizer_resolve(symbolizer, 0xffffffff81000010, false)->function, 0);
	assert_int_equal(symbolizer_resolve(symbolizer, 0xffffffff82000010, false)->function, 0);
	assert_int_equal(symbolizer_resolve(symbolizer, 0xffffffff82100010, false)->function, mlx5);
	assert_int_equal(symbolizer_resolve(symbolizer, 0xffffffff81003010, false)->function,
			 functions_find("net_rx_action", 13, NULL, 0));
}

static void a_stack_has_the_meanings_of_its_frames(void **state)
{
	/* The leaf is where it is; a return address may be the next function's first. */
	static const uint64_t frames[] = {
		0xffffffff81001000, 0xffffffff81001000, 0xffffffff81001001, 0, 1,
		0xffffffff81000000, 0x81001000, 0x1000000081001000,
	};
	const function_id rx = functions_find("net_rx_action", 13, NULL, 0);
	const function_id poll = functions_find("__napi_poll", 11, NULL, 0);
	const function_id want[] = {
		poll, rx, poll, FUNCTION_UNKNOWN, FUNCTION_UNKNOWN, FUNCTION_UNKNOWN,
		FUNCTION_UNKNOWN, FUNCTION_UNKNOWN,
	};
	function_id got[8];

	(void)state;
	assert_int_equal(load("ffffffff81000000 T net_rx_action\nffffffff81001000 t __napi_poll\n"), 0);
	for (int again = 0; again < 2; again++) {   /* the second time from the cache */
		memset(got, 0, sizeof(got));
		symbolizer_functions(symbolizer, frames, 8, got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

/* User-space code has no kernel symbol, but a table may say anything. */
static void addresses_of_any_range_have_their_meaning(void **state)
{
	const function_id rx = functions_find("net_rx_action", 13, NULL, 0);

	(void)state;
	assert_int_equal(load("0000000081000000 T net_rx_action\n1000000081000000 t nothing\n"
			      "ffff000000000000 T net_rx_action\n"), 0);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(meaning_at(0x0000000081000000), rx);
		assert_int_equal(meaning_at(0x1000000081000000), 0);
		assert_int_equal(meaning_at(0xffff000000000000), rx);
		assert_int_equal(meaning_at(0xffffffff81000000), FUNCTION_UNKNOWN);
	}
}

static void a_bad_table_leaves_the_old_one(void **state)
{
	static const struct { const char *text; int want; const char *why; } cases[] = {
		{ "", -ENODATA, "nothing" },
		{ "0000000000000000 T _text\n0000000000000000 t second\n", -ENODATA, "hidden" },
		{ "ffffffff81000000 D data\n", -ENODATA, "no functions" },
		{ "ffffffff81000000 T __pfx_only\n", -ENODATA, "padding alone" },
		{ "ffffffff82000000 T new\nrubbish\n", -EINVAL, "not kallsyms" },
	};

	(void)state;
	assert_int_equal(load("ffffffff81000000 T old\n"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = load(cases[i].text);

		if (got != cases[i].want || strcmp(name_at(0xffffffff81000010, false), "old"))
			fail_msg("%s: %d", cases[i].why, got);
	}
}

static void a_new_table_empties_the_cache(void **state)
{
	const function_id rx = functions_find("net_rx_action", 13, NULL, 0);

	(void)state;
	assert_int_equal(load("ffffffff81000000 T nothing\n"), 0);
	assert_int_equal(meaning_at(0xffffffff81000010), 0);
	assert_int_equal(meaning_at(0xffffffff80000010), FUNCTION_UNKNOWN);
	assert_int_equal(load("ffffffff80000000 T nothing\nffffffff81000000 T net_rx_action\n"), 0);
	assert_int_equal(meaning_at(0xffffffff81000010), rx);
	assert_int_equal(meaning_at(0xffffffff80000010), 0);
}

static void long_names_are_cut(void **state)
{
	char text[20000] = "ffffffff81000000 T ";
	const struct symbol *symbol;

	(void)state;
	memset(text + 19, 'x', 19000);
	strcpy(text + 19019, "\nffffffff81001000 t y\n");
	assert_int_equal(load(text), 0);
	symbol = symbolizer_resolve(symbolizer, 0xffffffff81000000, false);
	assert_int_equal(symbol->name_bytes, 511);
	assert_int_equal(strlen(symbolizer_name(symbolizer, symbol)), 511);
	assert_string_equal(name_at(0xffffffff81001000, false), "y");
}

/* More than the first allocation, and the cache, hold; against plain arithmetic. */
static void every_address_of_a_large_table_is_found(void **state)
{
	enum { SYMBOLS = 150000, LINE_BYTES = 64 };
	const function_id rx = functions_find("net_rx_action", 13, NULL, 0);
	char *text = malloc(SYMBOLS * LINE_BYTES);
	unsigned int seed = 1;
	size_t bytes = 0;

	(void)state;
	for (unsigned int i = 0; i < SYMBOLS; i++)
		bytes += (size_t)sprintf(text + bytes, "%lx t %s\n", 0xffffffff81000000ul + i * 256ul,
					 i % 3 ? "a_function_with_a_long_name" : "net_rx_action");
	assert_int_equal(symbolizer_load(symbolizer, text, bytes), 0);
	free(text);
	assert_int_equal(symbolizer_count(symbolizer), SYMBOLS);
	for (int i = 0; i < 400000; i++) {
		unsigned int at = (unsigned int)rand_r(&seed) % (i % 2 ? 4000u : SYMBOLS * 256u);
		const char *name = name_at(0xffffffff81000000ul + at, false);

		assert_int_equal(strcmp(name, "net_rx_action") == 0, at / 256 % 3 == 0);
		assert_int_equal(meaning_at(0xffffffff81000000ul + at), at / 256 % 3 ? 0 : rx);
	}
}

#define OPENED(test) cmocka_unit_test_setup_teardown(test, open_empty, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPENED(an_address_belongs_to_the_symbol_below_it),
		OPENED(an_empty_table_knows_nothing),
		OPENED(a_symbol_has_its_meaning),
		OPENED(of_aliases_the_most_telling_is_kept),
		OPENED(padding_data_and_zeros_are_passed_over),
		OPENED(modules_may_come_out_of_order),
		OPENED(behind_a_piece_there_is_nothing),
		OPENED(a_function_wins_over_a_gap_at_its_address),
		OPENED(one_name_in_several_places_is_told_apart_by_module),
		OPENED(a_stack_has_the_meanings_of_its_frames),
		OPENED(addresses_of_any_range_have_their_meaning),
		OPENED(a_bad_table_leaves_the_old_one),
		OPENED(a_new_table_empties_the_cache),
		OPENED(long_names_are_cut),
		OPENED(every_address_of_a_large_table_is_found),
	};

	return cmocka_run_group_tests_name("symbolizer", tests, NULL, NULL);
}
