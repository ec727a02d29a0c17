/* test_functions.c - the table is in order, and its names are a kernel's
 *
 * tests/data/kallsyms-6.18.44.txt: the functions of a kernel that has most of
 * the network stack built in, one name a line; its README says how it was made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "functions.h"

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static function_id find(const char *name, const char *module)
{
	return functions_find(name, strlen(name), module, module ? strlen(module) : 0);
}

static const struct meaning *meaning(const char *name)
{
	return &functions_meanings[find(name, NULL)];
}

static void rows_are_sorted_and_each_finds_itself(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < functions_row_count; i++) {
		const struct function_row *row = &functions_rows[i];

		assert_int_equal(row->bytes, strlen(row->symbol));
		assert_true(row->id < functions_meaning_count);
		if (i > 0)
			assert_true(strcmp(functions_rows[i - 1].symbol, row->symbol) <= 0);
		if (!row->is_prefix && find(row->symbol, NULL) != row->id)
			fail_msg("%s is not found", row->symbol);
		if (row->parent) {
			assert_true(row->parent - 1u < i);
			assert_true(functions_rows[row->parent - 1].is_prefix);
		}
	}
}

static void suffixes_of_the_compiler_are_cut(void **state)
{
	static const char *const suffixes[] = {
		".constprop.0", ".isra.0", ".part.0", ".cold", ".part.0.cold", ".constprop.0.isra.0",
		".isra.0.cold", ".llvm.1234567890", ".cfi_jt",
	};

	(void)state;
	assert_int_not_equal(find("__napi_poll", NULL), 0);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "__napi_poll%s", suffixes[i]);
		if (find(name, NULL) != find("__napi_poll", NULL))
			fail_msg("%s is not __napi_poll", name);
		snprintf(name, sizeof(name), "mlx5e_xmit%s", suffixes[i]);
		if (find(name, "mlx5_core") != find("mlx5e_xmit", "mlx5_core"))
			fail_msg("%s [mlx5_core] is not mlx5e_xmit", name);
	}
	assert_int_equal(functions_find("tcp_v4_rcv and more", 10, NULL, 0),
			 find("tcp_v4_rcv", NULL));
	assert_int_equal(find(".text", NULL), 0);
	assert_int_equal(functions_find("", 0, NULL, 0), 0);
}

static void the_longest_prefix_wins_and_an_exact_row_beats_it(void **state)
{
	(void)state;
	assert_int_equal(meaning("tcp_no_such_function")->component, 1 + COMPONENT_TCP_CONN);
	assert_int_equal(meaning("tcp_ack_no_such_function")->component, 1 + COMPONENT_TCP_RX);
	assert_int_equal(meaning("tcp_poll")->component, 1 + COMPONENT_SOCKET);
	assert_int_equal(find("tcp", NULL), 0);
	assert_int_equal(find("no_such_function", NULL), 0);
	assert_int_equal(find("zzz", NULL), 0);
	assert_int_equal(find("___", NULL), 0);
}

static void an_exact_row_leaves_other_kinds_to_the_prefixes(void **state)
{
	(void)state;
	/* step and family by rows of their own, the component by another */
	assert_int_equal(meaning("tcp_v4_rcv")->step, STEP_LOCAL_DELIVERY);
	assert_int_equal(meaning("tcp_v4_rcv")->component, 1 + COMPONENT_TCP_RX);
	assert_int_equal(meaning("page_pool_no_such_function")->work, WORK_MEMORY);
}

static void names_shared_with_others_prove_nothing(void **state)
{
	static const char *const shared[] = {
		"try_to_wake_up", "__wake_up", "ep_poll_callback", "schedule", "receive_buf",
		"start_xmit", "vp_notify", "virtqueue_notify", "kfree", "_copy_from_iter",
		"bpf_trace_run2", "handle_softirqs", "process_one_work", "fifo_open",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(shared); i++)
		if (meaning(shared[i])->network)
			fail_msg("%s counts as proof of network work", shared[i]);
}

static void a_modules_row_holds_in_that_module_alone(void **state)
{
	(void)state;
	assert_int_not_equal(find("any_function", "mlx5_core"), 0);
	assert_int_equal(find("any_function", "nvme"), 0);
	assert_int_equal(find("any_function", "mlx5"), 0);
	assert_int_equal(find("any_function", "mlx5_core_and_more"), 0);
	assert_int_equal(find("any_function", NULL), 0);
	/* what the function is by its own name counts first */
	assert_int_equal(find("mlx5e_xmit", "mlx5_core"), find("mlx5e_xmit", NULL));
}

/* A text file as sorted lines, each up to its first tab. */
struct lines {
	char *text;
	char **line;
	size_t count;
};

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_lines(struct lines *lines, const char *path)
{
	FILE *file = fopen(path, "re");
	char *at;
	long bytes;
	size_t i;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	bytes = ftell(file);
	rewind(file);
	lines->text = calloc(1, (size_t)bytes + 1);
	lines->line = calloc((size_t)bytes + 1, sizeof(*lines->line));
	assert_true(lines->text && lines->line);
	assert_int_equal(fread(lines->text, 1, (size_t)bytes, file), bytes);
	fclose(file);
	lines->count = 0;
	for (at = strtok(lines->text, "\n"); at; at = strtok(NULL, "\n"))
		lines->line[lines->count++] = at;
	for (i = 0; i < lines->count; i++)
		lines->line[i][strcspn(lines->line[i], "\t")] = '\0';
	qsort(lines->line, lines->count, sizeof(*lines->line), compare_lines);
}

static bool has_line(const struct lines *lines, const char *text)
{
	return bsearch(&text, lines->line, lines->count, sizeof(*lines->line), compare_lines);
}

static void free_lines(struct lines *lines)
{
	free(lines->text);
	free(lines->line);
}

/* Rows that this kernel's configuration or compiler leaves without a symbol
 * are listed, with the reason, in functions-not-in-6.18.44.txt. */
static void every_exact_row_is_a_function_of_the_recorded_kernel(void **state)
{
	struct lines kernel, absent;
	unsigned int wrong = 0;
	size_t i;

	(void)state;
	read_lines(&kernel, TEST_DATA "/kallsyms-6.18.44.txt");
	read_lines(&absent, TEST_DATA "/functions-not-in-6.18.44.txt");
	assert_true(kernel.count > 5000);
	for (i = 0; i < functions_row_count; i++) {
		const struct function_row *row = &functions_rows[i];

		if (row->is_prefix)
			continue;
		if (has_line(&kernel, row->symbol) == !has_line(&absent, row->symbol))
			continue;
		print_error("%s: %s\n", row->symbol, has_line(&kernel, row->symbol) ?
			    "listed as absent, but there" : "in no list");
		wrong++;
	}
	free_lines(&kernel);
	free_lines(&absent);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sorted_and_each_finds_itself),
		cmocka_unit_test(suffixes_of_the_compiler_are_cut),
		cmocka_unit_test(the_longest_prefix_wins_and_an_exact_row_beats_it),
		cmocka_unit_test(an_exact_row_leaves_other_kinds_to_the_prefixes),
		cmocka_unit_test(names_shared_with_others_prove_nothing),
		cmocka_unit_test(a_modules_row_holds_in_that_module_alone),
		cmocka_unit_test(every_exact_row_is_a_function_of_the_recorded_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
