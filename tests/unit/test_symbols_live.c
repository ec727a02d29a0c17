/* tests/unit/test_symbols_live.c - a module that comes gets its name, whatever fails meanwhile */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "symbols_live.h"

#define PERIOD_NS 10000000ull
#define STEP_US 2000
#define STEPS_MAX 2000           /* some seconds: more than ever needed */

#define FUNCTIONS 40000           /* so many that reading them takes longer than half a period */
#define LINE_BYTES 32

static const char first_lines[] = "ffffffff81200000 T _stext\nffffffff81200000 T _text\n";
static const char last_lines[] = "ffffffff81a00000 T _einittext\n"
				 "ffffffffc0001000 t bpf_prog_6deef7357e7b4530_one\t[bpf]\n";
static const char module[] = "ffffffffc0100000 t late_function\t[late]\n";

/* In the place of those of the kernel: nothing but the count of modules. */
static uint64_t module_changes;

uint64_t probes_module_changes(const struct probes *probes)
{
	(void)probes;
	return module_changes;
}

uint64_t probes_take_ksymbols(struct probes *probes, ksymbol_fn on_symbol, void *arg)
{
	(void)probes;
	(void)on_symbol;
	(void)arg;
	return 0;
}

struct live {
	char text[FUNCTIONS * LINE_BYTES + sizeof(first_lines) + sizeof(last_lines)];
	size_t bytes;
	char base[64];
	char dir[80], symbols_file[96], obstacle[96];
	int kallsyms_fd;
	struct runtime *runtime;
	struct symbols *symbols;
	struct symbols_live *live;
};

static void write_text(struct live *l)
{
	char *at = stpcpy(l->text, first_lines);

	for (unsigned int i = 0; i < FUNCTIONS; i++)
		at += snprintf(at, LINE_BYTES, "ffffffff81%06x t f%05u\n", 0x200010 + i * 0x10, i);
	l->bytes = (size_t)(stpcpy(at, last_lines) - l->text);
}

static int set_up(void **state)
{
	struct live *l = calloc(1, sizeof(*l));
	struct symbols_live_config config = { .period_ns = PERIOD_NS };

	log_open("test");
	module_changes = 0;
	write_text(l);
	strcpy(l->base, "/dev/shm/netto-test-XXXXXX");
	assert_non_null(mkdtemp(l->base));
	snprintf(l->dir, sizeof(l->dir), "%s/run", l->base);
	snprintf(l->symbols_file, sizeof(l->symbols_file), "%s/symbols", l->dir);
	snprintf(l->obstacle, sizeof(l->obstacle), "%s/symbols.new", l->dir);
	assert_int_equal(runtime_open(&l->runtime, l->dir, geteuid(), getegid()), 0);
	assert_int_equal(symbols_open(&l->symbols, l->text, l->bytes), 0);
	config.published_fd = runtime_create(l->runtime, RUNTIME_SYMBOLS);
	assert_int_equal(symbols_write(l->symbols, l->text, l->bytes, -1, config.published_fd), 0);
	assert_int_equal(runtime_publish(l->runtime, RUNTIME_SYMBOLS), 0);
	symbols_published(l->symbols);
	l->kallsyms_fd = memfd_create("kallsyms", MFD_CLOEXEC);
	assert_int_equal(write(l->kallsyms_fd, l->text, l->bytes), (ssize_t)l->bytes);
	config.kallsyms_fd = l->kallsyms_fd;
	config.symbols = l->symbols;
	config.runtime = l->runtime;
	assert_int_equal(symbols_live_open(&l->live, &config), 0);
	*state = l;
	return 0;
}

static int tear_down(void **state)
{
	struct live *l = *state;

	symbols_live_close(l->live);
	symbols_close(l->symbols);
	unlink(l->obstacle);
	runtime_close(l->runtime);
	rmdir(l->base);
	close(l->kallsyms_fd);
	free(l);
	return 0;
}

static void module_comes(struct live *l)
{
	assert_int_equal(pwrite(l->kallsyms_fd, module, strlen(module), (off_t)l->bytes),
			 (ssize_t)strlen(module));
	module_changes++;
}

static bool is_named(const struct live *l)
{
	const size_t room = 2 * sizeof(l->text);
	char *text = calloc(1, room);
	int fd = open(l->symbols_file, O_RDONLY | O_CLOEXEC);
	bool named;

	assert_true(read(fd, text, room - 1) > 0);
	close(fd);
	named = strstr(text, "late_function");
	free(text);
	return named;
}

static void pass(struct live *l, unsigned int steps)
{
	struct timespec now;

	for (unsigned int i = 0; i < steps && !is_named(l); i++) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		(void)symbols_live_follow(l->live, (uint64_t)now.tv_sec * 1000000000u +
						   (uint64_t)now.tv_nsec);
		usleep(STEP_US);
	}
}

static void a_module_that_comes_is_named(void **state)
{
	struct live *l = *state;

	pass(l, 20);
	assert_false(is_named(l));
	module_comes(l);
	pass(l, STEPS_MAX);
	assert_true(is_named(l));
}

static void it_is_named_after_a_table_that_could_not_be_published(void **state)
{
	struct live *l = *state;

	close(open(l->obstacle, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	module_comes(l);
	pass(l, 20);
	assert_false(is_named(l));
	unlink(l->obstacle);
	pass(l, STEPS_MAX);
	assert_true(is_named(l));
	assert_int_not_equal(symbols_map(l->symbols, 0xffffffffc0100000), 0);
}

static void it_is_named_after_kallsyms_could_not_be_read(void **state)
{
	struct live *l = *state;
	int pipe_fds[2], whole = dup(l->kallsyms_fd);

	assert_int_equal(pipe(pipe_fds), 0);
	module_comes(l);
	assert_true(dup2(pipe_fds[0], l->kallsyms_fd) >= 0);   /* cannot seek */
	pass(l, 20);
	assert_false(is_named(l));
	assert_true(dup2(whole, l->kallsyms_fd) >= 0);
	pass(l, STEPS_MAX);
	assert_true(is_named(l));
	close(whole);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_module_that_comes_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_named_after_a_table_that_could_not_be_published,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_named_after_kallsyms_could_not_be_read, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
