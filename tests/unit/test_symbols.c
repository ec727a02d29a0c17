/* test_symbols.c - a synthetic kernel at random places, and what is told of it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "kallsyms.h"
#include "symbols.h"
#include "texts.h"

#define IMAGE_BYTES 0x2000000ull

/* Where this kernel is: never twice the same, as with KASLR. */
struct kernel {
	uint64_t text;
	uint64_t modules;
	char kallsyms[4096];
	size_t bytes;
	struct symbols *symbols;
	char *table;            /* what was published */
	size_t table_bytes;
};

static void read_table(struct kernel *k)
{
	int fd = memfd_create("symbols", MFD_CLOEXEC);

	assert_return_code(fd, errno);
	assert_int_equal(symbols_write(k->symbols, k->kallsyms, k->bytes, -1, fd), 0);
	symbols_published(k->symbols);
	k->table_bytes = (size_t)lseek(fd, 0, SEEK_END);
	k->table = malloc(k->table_bytes + 1);
	assert_int_equal(pread(fd, k->table, k->table_bytes, 0), (ssize_t)k->table_bytes);
	k->table[k->table_bytes] = '\0';
	close(fd);
}

static void add(struct kernel *k, uint64_t address, const char *rest)
{
	k->bytes += (size_t)snprintf(k->kallsyms + k->bytes, sizeof(k->kallsyms) - k->bytes,
				     "%016" PRIx64 " %s\n", address, rest);
	assert_true(k->bytes < sizeof(k->kallsyms));
}

static int boot(void **state)
{
	struct kernel *k = calloc(1, sizeof(*k));
	uint32_t random[2];

	assert_int_equal(getrandom(random, sizeof(random), 0), sizeof(random));
	/* slides of x86: 2 MiB steps within 1 GiB, here never onto what is published */
	k->text = 0xffffffff81000000ull + (32 + random[0] % 224) * 0x200000ull;
	k->modules = 0xffffffffc0001000ull + (random[1] % 1024) * 0x1000ull;

	add(k, 0, "A fixed_percpu_data");
	add(k, k->text, "T _stext");
	add(k, k->text, "T _text");
	add(k, k->text + 0x1000, "t __pfx_first");
	add(k, k->text + 0x1010, "t first");
	add(k, k->text + 0x500000, "D data_symbol");
	add(k, k->text + IMAGE_BYTES - 0x800, "T _einittext");
	add(k, k->modules + 0x20000, "t late_module_one\t[late]");
	add(k, k->modules + 0x21010, "t late_module_two\t[late]");
	add(k, k->modules, "t early_module\t[early]");
	add(k, k->modules + 0x40000, "t bpf_prog_6deef7357e7b4530_one\t[bpf]");
	add(k, k->modules + 0x40100, "t bpf_prog_6deef7357e7b4531_two\t[bpf]");
	add(k, k->modules + 0x80000, "t ftrace_trampoline\t[__builtin__ftrace]");
	add(k, k->modules + 0x90000, "t split_near\t[split]");
	add(k, k->modules + 0xc0000, "t split_far\t[split]");
	assert_int_equal(symbols_open(&k->symbols, k->kallsyms, k->bytes), 0);
	read_table(k);
	*state = k;
	return 0;
}

static int power_off(void **state)
{
	struct kernel *k = *state;

	symbols_close(k->symbols);
	free(k->table);
	free(k);
	return 0;
}

static uint64_t published_address(const struct kernel *k, const char *name)
{
	const char *text = k->table;
	struct kallsyms_line line;

	while (kallsyms_next(&text, k->table + k->table_bytes, &line) == 1)
		if (line.name_bytes == strlen(name) && !memcmp(line.name, name, line.name_bytes))
			return line.address;
	return 0;
}

static void image_goes_to_where_it_was_linked(void **state)
{
	const struct kernel *k = *state;

	assert_int_equal(symbols_map(k->symbols, k->text), KALLSYMS_LINK_TEXT);
	assert_int_equal(symbols_map(k->symbols, k->text + 0x1234), KALLSYMS_LINK_TEXT + 0x1234);
	assert_int_equal(published_address(k, "first"), KALLSYMS_LINK_TEXT + 0x1010);
}

static void modules_go_above_the_image_in_order_of_appearance(void **state)
{
	static const char *const names[] = {
		"_einittext", "late_module_one", "late_module_two", "early_module",
		"bpf_prog_6deef7357e7b4530_one", "bpf_prog_6deef7357e7b4531_two", "ftrace_trampoline",
	};
	uint64_t before = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const uint64_t address = published_address(*state, names[i]);

		if (address <= before)
			fail_msg("%s is not above the one before it", names[i]);
		before = address;
	}
}

static void a_frame_maps_into_the_symbol_that_the_table_shows(void **state)
{
	const struct kernel *k = *state;
	const struct { uint64_t address; const char *name; uint64_t offset; const char *why; } rows[] = {
		{ k->text + 0x1013, "first", 3, "kernel image" },
		{ k->modules + 0x20040, "late_module_one", 0x40, "first symbol of a module" },
		{ k->modules + 0x21fff, "late_module_two", 0xfef, "last byte of a module's page" },
		{ k->modules + 0x22010, "late_module_two", 0x1000, "a last function that crosses a page" },
		{ k->modules + 0x20fff, "late_module_one", 0xfff, "a function that crosses a page" },
		{ k->modules + 0x40fff, "bpf_prog_6deef7357e7b4531_two", 0xeff, "a BPF program" },
		{ k->modules + 0x41080, "bpf_prog_6deef7357e7b4531_two", 0xf80, "one longer than a page" },
		{ k->modules + 0x80001, "ftrace_trampoline", 1, "a trampoline" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (symbols_map(k->symbols, rows[i].address) !=
		    published_address(k, rows[i].name) + rows[i].offset)
			fail_msg("%s: not where the table has it", rows[i].why);
}

static void a_frame_in_no_known_text_is_0(void **state)
{
	const struct kernel *k = *state;
	const struct { uint64_t address; const char *why; } rows[] = {
		{ 0, "no address" },
		{ 0x401000, "user space" },
		{ k->text - 1, "below the image" },
		{ k->text + IMAGE_BYTES, "above the last page of text" },
		{ k->modules - 1, "below the first module" },
		{ k->modules + 0x2000, "the second page behind a module's last symbol" },
		{ k->modules + 0x23000, "the same of another" },
		{ k->modules + 0x81000, "behind a trampoline" },
		{ k->modules + 0xa0000, "between two texts of one module" },
		{ k->modules + 0xc2000, "behind the last" },
		{ UINT64_MAX, "the last address" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (symbols_map(k->symbols, rows[i].address))
			fail_msg("%s: mapped to something", rows[i].why);
}

static void table_holds_every_text_symbol_but_padding(void **state)
{
	const struct kernel *k = *state;
	const char *text = k->table;
	struct kallsyms_line line;
	int count = 0, gaps = 0, got;

	while ((got = kallsyms_next(&text, k->table + k->table_bytes, &line)) == 1) {
		const bool gap = line.name_bytes == 1 && *line.name == *KALLSYMS_GAP;

		count += !gap;
		gaps += gap;
	}
	assert_int_equal(got, 0);
	assert_int_equal(count, 12);
	assert_int_equal(gaps, 8);   /* behind the image and each piece outside */
	assert_null(strstr(k->table, "__pfx_"));
	assert_null(strstr(k->table, "data_symbol"));
	assert_non_null(strstr(k->table, "late_module_one\t[late]\n"));
}

/* kallsyms as it is later, and the table made of it. */
static void become(struct kernel *k, const char *lines)
{
	const int last = memfd_create("symbols", MFD_CLOEXEC);
	const int fd = memfd_create("symbols", MFD_CLOEXEC);

	assert_int_equal(write(last, k->table, k->table_bytes), (ssize_t)k->table_bytes);
	k->bytes = (size_t)snprintf(k->kallsyms, sizeof(k->kallsyms), "%s", lines);
	assert_int_equal(symbols_read(k->symbols, k->kallsyms, k->bytes), 0);
	assert_int_equal(symbols_write(k->symbols, k->kallsyms, k->bytes, last, fd), 0);
	symbols_published(k->symbols);
	k->table_bytes = (size_t)lseek(fd, 0, SEEK_END);
	k->table = realloc(k->table, k->table_bytes + 1);
	assert_int_equal(pread(fd, k->table, k->table_bytes, 0), (ssize_t)k->table_bytes);
	k->table[k->table_bytes] = '\0';
	close(fd);
	close(last);
}

/* Whether value lies within what this kernel really occupies. */
static int tells(const struct kernel *k, uint64_t value)
{
	return value - k->text < IMAGE_BYTES || value - k->modules < 0xc1000;
}

static void nothing_published_tells_where_the_kernel_is(void **state)
{
	const struct kernel *k = *state;
	const char *text;
	struct kallsyms_line line;
	uint64_t window;

	texts_add(symbols_texts(k->symbols), &(struct text_facts){
		.start = k->modules + 0x50000, .bytes = 0x80, .kind = TEXT_BPF, .exact = true,
		.name = "bpf_prog_6deef7357e7b4532_three", .name_bytes = 31,
	});
	become(*state, strdupa(k->kallsyms));
	assert_non_null(strstr(k->table, "_three\t[bpf]\n"));
	text = k->table;
	while (kallsyms_next(&text, k->table + k->table_bytes, &line) == 1)
		assert_false(tells(k, line.address));
	for (size_t i = 0; i + sizeof(window) <= k->table_bytes; i++) {
		memcpy(&window, k->table + i, sizeof(window));
		assert_false(tells(k, window));
	}
}

/* Without the lines that hold word. */
static char *without(const char *lines, const char *word)
{
	char *kept = calloc(1, 2 * strlen(lines) + 1);

	for (const char *at = lines; *at; at = strchr(at, '\n') + 1) {
		const size_t bytes = (size_t)(strchr(at, '\n') + 1 - at);

		if (!memmem(at, bytes, word, strlen(word)))
			strncat(kept, at, bytes);
	}
	return kept;
}

static void drains(struct kernel *k, int count)
{
	for (int i = 0; i < count; i++)
		texts_tick(symbols_texts(k->symbols), 1000);
}

static void a_module_that_comes_later_is_named(void **state)
{
	struct kernel *k = *state;
	const uint64_t late = symbols_map(k->symbols, k->modules + 0x20000);

	drains(k, 1);
	add(k, k->modules + 0x300000, "t newcomer\t[fresh]");
	add(k, k->modules + 0x300ff8, "t over_the_page\t[fresh]");
	add(k, k->modules + 0x301200, "t newcomer.cold\t[fresh]");
	become(k, strdupa(k->kallsyms));
	assert_int_equal(symbols_map(k->symbols, k->modules + 0x300010),
			 published_address(k, "newcomer") + 0x10);
	assert_int_equal(symbols_map(k->symbols, k->modules + 0x301010),
			 published_address(k, "over_the_page") + 0x18);
	assert_int_equal(symbols_map(k->symbols, k->modules + 0x20000), late);
}

static void a_module_that_went_keeps_its_names_and_its_place(void **state)
{
	struct kernel *k = *state;
	const uint64_t early = symbols_map(k->symbols, k->modules);
	char *fewer = without(k->kallsyms, "early_module");

	drains(k, 1);
	become(k, fewer);
	assert_int_equal(symbols_map(k->symbols, k->modules), early);   /* sampled before */
	drains(k, 2);
	assert_int_equal(symbols_map(k->symbols, k->modules), 0);
	assert_int_equal(published_address(k, "early_module"), early);
	become(k, fewer);                                               /* from file to file */
	assert_int_equal(published_address(k, "early_module"), early);
	free(fewer);
}

static void another_module_in_its_place_has_another_address(void **state)
{
	struct kernel *k = *state;
	const uint64_t early = symbols_map(k->symbols, k->modules);
	char *fewer = without(k->kallsyms, "early_module");

	k->bytes = (size_t)snprintf(k->kallsyms, sizeof(k->kallsyms), "%s", fewer);
	add(k, k->modules, "t impostor\t[other]");
	drains(k, 1);
	become(k, strdupa(k->kallsyms));
	assert_int_equal(symbols_map(k->symbols, k->modules), 0);       /* of either */
	drains(k, 1);
	assert_int_equal(symbols_map(k->symbols, k->modules), published_address(k, "impostor"));
	assert_true(published_address(k, "impostor") > early);
	assert_int_equal(published_address(k, "early_module"), early);
	free(fewer);
}

static void programs_alone_leave_the_rest_of_the_table_as_it_is(void **state)
{
	struct kernel *k = *state;
	const int last = memfd_create("symbols", MFD_CLOEXEC);
	const int fd = memfd_create("symbols", MFD_CLOEXEC);
	char *alone = calloc(1, 2 * sizeof(k->kallsyms)), *gone = without(k->kallsyms, "_one\t[bpf]");
	off_t bytes;

	assert_int_equal(write(last, k->table, k->table_bytes), (ssize_t)k->table_bytes);
	texts_add(symbols_texts(k->symbols), &(struct text_facts){
		.start = k->modules + 0x50000, .bytes = 0x80, .kind = TEXT_BPF, .exact = true,
		.name = "bpf_prog_6deef7357e7b4532_three", .name_bytes = 31,
	});
	assert_int_equal(symbols_write(k->symbols, NULL, 0, last, fd), 0);
	symbols_published(k->symbols);
	bytes = lseek(fd, 0, SEEK_END);
	assert_int_equal(pread(fd, alone, (size_t)bytes, 0), bytes);
	become(k, strdupa(k->kallsyms));                 /* kallsyms has not heard of it: it went */
	assert_string_equal(alone, k->table);
	assert_non_null(strstr(alone, "_three\t[bpf]\n"));
	become(k, gone);
	assert_string_equal(alone, k->table);            /* names stay */
	free(alone);
	free(gone);
	close(fd);
	close(last);
}

static void kallsyms_of_another_kernel_changes_nothing(void **state)
{
	static const char other[] = "ffffffff99000000 T _text\nffffffff99001000 T _etext\n";
	struct kernel *k = *state;

	assert_int_equal(symbols_read(k->symbols, other, sizeof(other) - 1), -EINVAL);
	assert_int_equal(symbols_read(k->symbols, "rubbish\n", 8), -EINVAL);
	assert_int_equal(symbols_map(k->symbols, k->text), KALLSYMS_LINK_TEXT);
	assert_int_equal(symbols_map(k->symbols, k->modules), published_address(k, "early_module"));
}

static void a_last_table_that_was_cut_is_an_error(void **state)
{
	struct kernel *k = *state;
	const int last = memfd_create("symbols", MFD_CLOEXEC);
	const int fd = memfd_create("symbols", MFD_CLOEXEC);

	assert_int_equal(write(last, k->table, k->table_bytes / 2), (ssize_t)k->table_bytes / 2);
	assert_int_equal(symbols_write(k->symbols, NULL, 0, last, fd), -EIO);
	close(fd);
	close(last);
}

static void hidden_addresses_give_an_empty_table(void **state)
{
	static const char hidden[] =
		"0000000000000000 T _text\n0000000000000000 t first\n"
		"0000000000000000 t early_module\t[early]\n";
	struct kernel k = { 0 };

	(void)state;
	k.bytes = sizeof(hidden) - 1;
	memcpy(k.kallsyms, hidden, k.bytes);
	assert_int_equal(symbols_open(&k.symbols, k.kallsyms, k.bytes), 0);
	assert_true(symbols_hidden(k.symbols));
	assert_int_equal(symbols_map(k.symbols, 0xffffffff81000010ull), 0);
	assert_int_equal(symbols_map(k.symbols, 0x10), 0);
	read_table(&k);
	assert_int_equal(k.table_bytes, 0);
	symbols_close(k.symbols);
	free(k.table);
}

static void text_that_is_not_kallsyms_is_refused(void **state)
{
	static const char text[] = "ffffffff81000000 T _text\nrubbish\n";
	struct symbols *symbols;

	(void)state;
	assert_int_equal(symbols_open(&symbols, text, sizeof(text) - 1), -EINVAL);
}

static void a_table_that_cannot_be_written_is_an_error(void **state)
{
	const struct kernel *k = *state;

	assert_int_equal(symbols_write(k->symbols, k->kallsyms, k->bytes, -1, -1), -EBADF);
}

#define with_kernel(test) cmocka_unit_test_setup_teardown(test, boot, power_off)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_kernel(image_goes_to_where_it_was_linked),
		with_kernel(modules_go_above_the_image_in_order_of_appearance),
		with_kernel(a_frame_maps_into_the_symbol_that_the_table_shows),
		with_kernel(a_frame_in_no_known_text_is_0),
		with_kernel(table_holds_every_text_symbol_but_padding),
		with_kernel(nothing_published_tells_where_the_kernel_is),
		with_kernel(a_module_that_comes_later_is_named),
		with_kernel(a_module_that_went_keeps_its_names_and_its_place),
		with_kernel(another_module_in_its_place_has_another_address),
		with_kernel(programs_alone_leave_the_rest_of_the_table_as_it_is),
		with_kernel(kallsyms_of_another_kernel_changes_nothing),
		with_kernel(a_last_table_that_was_cut_is_an_error),
		cmocka_unit_test(hidden_addresses_give_an_empty_table),
		cmocka_unit_test(text_that_is_not_kallsyms_is_refused),
		with_kernel(a_table_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
