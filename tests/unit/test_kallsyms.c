/* tests/unit/test_kallsyms.c - one parser for the kernel's symbols and ours */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "kallsyms.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* text in a block of exactly its size, so that ASan sees a byte too many read. */
static char *exact_copy(const char *text, size_t bytes)
{
	char *copy = malloc(bytes ? bytes : 1);

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	return copy;
}

/* All text symbols of text as "address type name module;", then the end. */
static void describe(const char *text, char *out, size_t out_bytes)
{
	const size_t bytes = strlen(text);
	char *copy = exact_copy(text, bytes);
	const char *at = copy;
	struct kallsyms_line line;
	size_t used = 0;
	int got;

	while ((got = kallsyms_next(&at, copy + bytes, &line)) == 1)
		used += (size_t)snprintf(out + used, out_bytes - used, "%jx %c %.*s %.*s;",
					 (uintmax_t)line.address, line.type,
					 (int)line.name_bytes, line.name,
					 line.module ? (int)line.module_bytes : 1,
					 line.module ? line.module : "-");
	if (got)
		(void)snprintf(out + used, out_bytes - used, "%d at %zu", got,
			       (size_t)(at - copy));
	else if (at != copy + bytes)
		(void)snprintf(out + used, out_bytes - used, "stopped at %zu",
			       (size_t)(at - copy));
	free(copy);
}

static void text_symbols_are_found_and_others_passed_over(void **state)
{
	static const struct { const char *text, *want, *why; } cases[] = {
		{ "ffffffff81000000 T _text\n", "ffffffff81000000 T _text -;", "the kernel image" },
		{ "ffffffffc0001000 t nf_hook\t[nf_tables]\n",
		  "ffffffffc0001000 t nf_hook nf_tables;", "a module" },
		{ "ffffffffc0a t bpf_prog_6deef7357e7b4530_on_tick\t[bpf]\n",
		  "ffffffffc0a t bpf_prog_6deef7357e7b4530_on_tick bpf;", "a BPF program" },
		{ "1 t a\n2 T b\n3 w c\n4 W d\n", "1 t a -;2 T b -;3 w c -;4 W d -;", "all text types" },
		{ "1 d a\n2 D b\n3 r c\n4 A d\n5 B e\n6 V f\n7 ? g\n8 t h\n", "8 t h -;", "other types" },
		{ "1 d a\n2 D b", "", "nothing but other types" },
		{ "", "", "empty" },
		{ "1 t tcp_v4_rcv.cold\n2 t foo.isra.0.part.1\n3 t f.llvm.123$x\n",
		  "1 t tcp_v4_rcv.cold -;2 t foo.isra.0.part.1 -;3 t f.llvm.123$x -;", "suffixes" },
		{ "1 t a\r\n2 t b\t[m]\r\n", "1 t a -;2 t b m;", "CR LF" },
		{ "1 t a\n2 t b", "1 t a -;2 t b -;", "no newline at the end" },
		{ "1 t a\n2 t b\t[m]", "1 t a -;2 t b m;", "no newline behind a module" },
		{ "0000000000000000 T a\n0000000000000000 T b\n", "0 T a -;0 T b -;", "hidden addresses" },
		{ "FFFFFFFF81000000 T a\n", "ffffffff81000000 T a -;", "capital digits" },
		{ "(null) T a\n", "-22 at 0", "no address" },
		{ "1 t a\n\n2 t b\n", "1 t a -;-22 at 6", "an empty line" },
		{ "1 t a\ngarbage\n", "1 t a -;-22 at 6", "garbage" },
		{ "1 d a\ngarbage\n", "-22 at 6", "garbage behind a line passed over" },
		{ "12345678901234567 t a\n", "-22 at 0", "17 digits" },
		{ "12g4 t a\n", "-22 at 0", "no digit" },
		{ "1 t\n", "-22 at 0", "no name" },
		{ "1 t \n", "-22 at 0", "an empty name" },
		{ "1 t \t[m]\n", "-22 at 0", "an empty name in a module" },
		{ "1 t a b\n", "-22 at 0", "a space in the name" },
		{ "1 t a\x1b[2J\n", "-22 at 0", "a name that clears the terminal" },
		{ "1 t a\x7f\n", "-22 at 0", "a name that deletes" },
		{ "1 t a\rb\n", "-22 at 0", "a line end within the name" },
		{ "1 t a\t[m\t]\n", "-22 at 0", "a tab in the module" },
		{ "1 t a\tmodule]\n", "-22 at 0", "a module without its start" },
		{ "1 t a [m]\n", "-22 at 0", "a space before the module" },
		{ "1 t a\tm\n", "-22 at 0", "a module without brackets" },
		{ "1 t a\t[m\n", "-22 at 0", "a module without its end" },
		{ "1 t a\t[]\n", "-22 at 0", "a module without a name" },
		{ "1 t a\t[\n", "-22 at 0", "half a bracket" },
		{ " t a\n", "-22 at 0", "nothing before the space" },
		{ "1 d \n", "-22 at 0", "an empty name of another type" },
		{ "1\tt a\n", "-22 at 0", "a tab for the first space" },
		{ "1 t\ta\n", "-22 at 0", "a tab for the second space" },
		{ "1  t a\n", "-22 at 0", "two spaces" },
		{ "1 tt a\n", "-22 at 0", "two types" },
		{ "1", "-22 at 0", "an address alone" },
		{ "\r\n", "-22 at 0", "an empty CR LF line" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[512] = "";

		describe(cases[i].text, out, sizeof(out));
		if (strcmp(out, cases[i].want) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", cases[i].why, out, cases[i].want);
	}
}

static void a_refused_line_leaves_the_output_alone(void **state)
{
	static const char text[] = "1 t a\t[broken\n";
	struct kallsyms_line line = { .address = 77 };
	const char *at = text;

	(void)state;
	assert_int_equal(kallsyms_next(&at, text + sizeof(text) - 1, &line), -EINVAL);
	assert_ptr_equal(at, text);
	assert_int_equal(line.address, 77);
}

static void a_name_with_a_zero_byte_is_refused(void **state)
{
	static const char text[] = "1 t a\0b\n";
	struct kallsyms_line line;
	const char *at = text;

	(void)state;
	assert_int_equal(kallsyms_next(&at, text + sizeof(text) - 1, &line), -EINVAL);
}

static void names_may_be_of_any_length(void **state)
{
	const size_t name_bytes = 100000;
	char *text = malloc(name_bytes + 64);
	const char *at = text;
	struct kallsyms_line line;
	int head;

	(void)state;
	assert_non_null(text);
	head = sprintf(text, "ffffffff81000000 T ");
	memset(text + head, 'x', name_bytes);
	(void)sprintf(text + head + name_bytes, "\t[m]\n");
	assert_int_equal(kallsyms_next(&at, text + head + name_bytes + 5, &line), 1);
	assert_int_equal(line.name_bytes, name_bytes);
	assert_int_equal(line.module_bytes, 1);
	free(text);
}

/* Larger than the first read, so that the buffer grows; from any file position. */
static void files_are_read_whole_from_their_start(void **state)
{
	static const size_t sizes[] = { 0, 1, (16u << 20) - 1, 16u << 20, (40u << 20) + 3 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		int fd = memfd_create("kallsyms", MFD_CLOEXEC);
		char *text;

		assert_int_equal(ftruncate(fd, (off_t)sizes[i]), 0);
		if (sizes[i])
			assert_int_equal(pwrite(fd, "!", 1, (off_t)sizes[i] - 1), 1);
		lseek(fd, 0, SEEK_END);
		assert_int_equal(kallsyms_read(fd, &text), sizes[i]);
		if (sizes[i])
			assert_int_equal(text[sizes[i] - 1], '!');
		free(text);
		close(fd);
	}
}

static void what_cannot_be_read_is_an_error(void **state)
{
	int fd = memfd_create("kallsyms", MFD_CLOEXEC);
	char *text = NULL;
	int pipes[2];

	(void)state;
	assert_int_equal(ftruncate(fd, (256u << 20) + 1), 0);
	assert_int_equal(kallsyms_read(fd, &text), -EFBIG);
	close(fd);
	assert_int_equal(kallsyms_read(-1, &text), -EBADF);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(kallsyms_read(pipes[0], &text), -ESPIPE);
	assert_null(text);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_symbols_are_found_and_others_passed_over),
		cmocka_unit_test(a_refused_line_leaves_the_output_alone),
		cmocka_unit_test(a_name_with_a_zero_byte_is_refused),
		cmocka_unit_test(names_may_be_of_any_length),
		cmocka_unit_test(files_are_read_whole_from_their_start),
		cmocka_unit_test(what_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
