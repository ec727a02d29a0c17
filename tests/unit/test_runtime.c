/* test_runtime.c - what may lie in a runtime directory, and what is left of it */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "exit_status.h"
#include "log.h"
#include "runtime.h"

#define OTHER_UID 65531

struct place {
	char base[64];           /* a directory of this test alone */
	char path[96];           /* the runtime directory within */
	struct runtime *runtime;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->base, "/dev/shm/netto-test-XXXXXX");
	assert_non_null(mkdtemp(p->base));
	snprintf(p->path, sizeof(p->path), "%s/run", p->base);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	char command[128];

	runtime_close(p->runtime);
	snprintf(command, sizeof(command), "rm -rf '%s'", p->base);
	assert_int_equal(system(command), 0);
	free(p);
	return 0;
}

static int open_it(struct place *p)
{
	return runtime_open(&p->runtime, p->path, geteuid(), getegid());
}

static const char *inside(const struct place *p, const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", p->path, name);
	return path;
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_return_code(fd, errno);
	close(fd);
}

/* A socket at path; a listening one if alive. The descriptor. */
static int make_socket(const char *path, bool alive)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	if (alive)
		assert_return_code(listen(fd, 1), errno);
	return fd;
}

static void a_file(const struct place *p)
{
	make_file(p->path);
}

static void a_link(const struct place *p)
{
	char target[128];

	snprintf(target, sizeof(target), "%s/elsewhere", p->base);
	assert_return_code(mkdir(target, 0750), errno);
	assert_return_code(symlink(target, p->path), errno);
}

static void for_the_group(const struct place *p)
{
	assert_return_code(mkdir(p->path, 0750), errno);
	assert_return_code(chmod(p->path, 0770), errno);
}

static void for_all(const struct place *p)
{
	assert_return_code(mkdir(p->path, 0750), errno);
	assert_return_code(chmod(p->path, 01777), errno);
}

static void without_a_parent(const struct place *p)
{
	assert_return_code(rmdir(p->base), errno);
}

static void a_directory_that_others_control_is_refused(void **state)
{
	static const struct { void (*plant)(const struct place *); int want; const char *why; }
	rows[] = {
		{ a_file, EXIT_ERR(EX_CANTCREAT), "a file" },
		{ a_link, EXIT_ERR(EX_CANTCREAT), "a link to a directory" },
		{ for_the_group, EXIT_ERR(EX_NOPERM), "the group could replace files" },
		{ for_all, EXIT_ERR(EX_NOPERM), "everybody could" },
		{ without_a_parent, EXIT_ERR(EX_CANTCREAT), "no parent" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place *p;
		int got;

		set_up((void **)&p);
		rows[i].plant(p);
		got = open_it(p);
		if (rows[i].plant == without_a_parent)
			mkdir(p->base, 0700);
		tear_down((void **)&p);
		if (got != rows[i].want)
			fail_msg("%s: got %d", rows[i].why, got);
	}
	(void)state;
}

static void a_directory_of_somebody_else_is_refused(void **state)
{
	struct place *p = *state;

	if (geteuid())
		skip();
	assert_return_code(mkdir(p->path, 0750), errno);
	assert_return_code(chown(p->path, OTHER_UID, OTHER_UID), errno);
	assert_int_equal(open_it(p), EXIT_ERR(EX_NOPERM));
}

static void link_entry(const struct place *p, const char *name)
{
	assert_return_code(symlink("/dev/null", inside(p, name)), errno);
}

static void dir_entry(const struct place *p, const char *name)
{
	assert_return_code(mkdir(inside(p, name), 0700), errno);
}

static void file_entry(const struct place *p, const char *name)
{
	make_file(inside(p, name));
}

static void foreign_entry(const struct place *p, const char *name)
{
	make_file(inside(p, name));
	assert_return_code(chown(inside(p, name), OTHER_UID, OTHER_UID), errno);
}

static void entries_that_no_collector_left_are_refused_and_kept(void **state)
{
	static const struct {
		void (*plant)(const struct place *, const char *);
		const char *name;
		int want;
	} rows[] = {
		{ link_entry, "ring", EXIT_ERR(EX_CANTCREAT) },
		{ link_entry, "ring.new", EXIT_ERR(EX_CANTCREAT) },
		{ link_entry, "symbols", EXIT_ERR(EX_CANTCREAT) },
		{ link_entry, "collector.sock", EXIT_ERR(EX_CANTCREAT) },
		{ dir_entry, "symbols.new", EXIT_ERR(EX_CANTCREAT) },
		{ file_entry, "collector.sock", EXIT_ERR(EX_CANTCREAT) },
		{ foreign_entry, "ring", EXIT_ERR(EX_NOPERM) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place *p;
		struct stat st;
		int got, there;

		if (rows[i].plant == foreign_entry && geteuid())
			continue;
		set_up((void **)&p);
		assert_int_equal(open_it(p), 0);
		rows[i].plant(p, rows[i].name);
		got = runtime_clean(p->runtime);
		there = !lstat(inside(p, rows[i].name), &st);
		tear_down((void **)&p);
		if (got != rows[i].want || !there)
			fail_msg("%s, row %zu: got %d", rows[i].name, i, got);
	}
	(void)state;
}

static void what_a_dead_collector_left_is_removed(void **state)
{
	static const char *const files[] = { "ring", "ring.new", "symbols", "symbols.new" };
	struct place *p = *state;
	struct stat st;

	assert_int_equal(open_it(p), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		make_file(inside(p, files[i]));
	close(make_socket(inside(p, "collector.sock"), true));
	close(make_socket(inside(p, "collector.sock.new"), true));
	assert_int_equal(runtime_clean(p->runtime), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_int_equal(lstat(inside(p, files[i]), &st), -1);
	assert_int_equal(lstat(inside(p, "collector.sock"), &st), -1);
	assert_int_equal(lstat(inside(p, "collector.sock.new"), &st), -1);
}

static void a_collector_that_lives_is_left_alone(void **state)
{
	struct place *p = *state;
	struct stat st;
	int fd;

	assert_int_equal(open_it(p), 0);
	make_file(inside(p, "ring"));
	fd = make_socket(inside(p, "collector.sock"), true);
	assert_int_equal(runtime_clean(p->runtime), EXIT_ERR(EX_UNAVAILABLE));
	assert_int_equal(lstat(inside(p, "ring"), &st), 0);
	assert_int_equal(lstat(inside(p, "collector.sock"), &st), 0);
	close(fd);
}

/* All three entries, as the collector publishes them. */
static void publish(struct place *p)
{
	int fd;

	assert_int_equal(open_it(p), 0);
	for (int entry = RUNTIME_RING; entry <= RUNTIME_SYMBOLS; entry++) {
		fd = runtime_create(p->runtime, entry);
		assert_return_code(fd, -fd);
		close(fd);
		assert_int_equal(runtime_publish(p->runtime, entry), 0);
	}
	fd = runtime_listen(p->runtime);
	assert_return_code(fd, -fd);
	assert_int_equal(access(inside(p, "collector.sock"), F_OK), -1);
	assert_int_equal(runtime_publish(p->runtime, RUNTIME_SOCKET), 0);
	close(fd);
}

static void entries_have_their_modes_whatever_the_umask(void **state)
{
	static const struct { const char *name; mode_t want; } rows[] = {
		{ "", S_IFDIR | 0750 }, { "ring", S_IFREG | 0440 }, { "symbols", S_IFREG | 0440 },
		{ "collector.sock", S_IFSOCK | 0660 },
	};
	const mode_t before = umask(0077);
	struct stat st;

	publish(*state);
	assert_int_equal(umask(before), 0077);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_return_code(lstat(inside(*state, rows[i].name), &st), errno);
		assert_int_equal(st.st_mode, rows[i].want);
		assert_int_equal(st.st_uid, geteuid());
	}
}

static void entries_that_go_or_are_replaced_are_noticed(void **state)
{
	static const char *const names[] = { "ring", "symbols", "collector.sock" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct place *p;
		bool before, without, replaced;

		set_up((void **)&p);
		publish(p);
		before = runtime_intact(p->runtime);
		unlink(inside(p, names[i]));
		without = runtime_intact(p->runtime);
		make_file(inside(p, names[i]));
		replaced = runtime_intact(p->runtime);
		tear_down((void **)&p);
		assert_true(before);
		assert_false(without);
		assert_false(replaced);
	}
	(void)state;
}

static void a_new_table_takes_the_place_of_the_old_one_or_leaves_no_trace(void **state)
{
	struct place *p = *state;
	struct stat before, after;
	int fd;

	publish(p);
	assert_int_equal(stat(inside(p, "symbols"), &before), 0);
	fd = runtime_create(p->runtime, RUNTIME_SYMBOLS);
	assert_return_code(fd, -fd);
	assert_int_equal(runtime_create(p->runtime, RUNTIME_SYMBOLS), -EEXIST);
	runtime_discard(p->runtime, RUNTIME_SYMBOLS);
	runtime_discard(p->runtime, RUNTIME_SYMBOLS);
	close(fd);
	assert_int_equal(access(inside(p, "symbols.new"), F_OK), -1);
	assert_true(runtime_intact(p->runtime));
	fd = runtime_create(p->runtime, RUNTIME_SYMBOLS);
	assert_return_code(fd, -fd);
	assert_int_equal(runtime_publish(p->runtime, RUNTIME_SYMBOLS), 0);
	close(fd);
	assert_int_equal(stat(inside(p, "symbols"), &after), 0);
	assert_true(after.st_ino != before.st_ino);
	assert_true(runtime_intact(p->runtime));
}

static void the_end_removes_all_that_was_made(void **state)
{
	struct place *p = *state;

	publish(p);
	runtime_close(p->runtime);
	p->runtime = NULL;
	assert_int_equal(access(p->path, F_OK), -1);
}

static void the_end_leaves_a_directory_of_others_and_their_files(void **state)
{
	struct place *p = *state;

	assert_return_code(mkdir(p->path, 0750), errno);
	publish(p);
	unlink(inside(p, "ring"));
	make_file(inside(p, "ring"));
	runtime_close(p->runtime);
	p->runtime = NULL;
	assert_int_equal(access(inside(p, "ring"), F_OK), 0);
	assert_int_equal(access(inside(p, "symbols"), F_OK), -1);
	assert_int_equal(access(inside(p, "collector.sock"), F_OK), -1);
}

#define at_place(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_that_others_control_is_refused),
		at_place(a_directory_of_somebody_else_is_refused),
		cmocka_unit_test(entries_that_no_collector_left_are_refused_and_kept),
		at_place(what_a_dead_collector_left_is_removed),
		at_place(a_collector_that_lives_is_left_alone),
		at_place(entries_have_their_modes_whatever_the_umask),
		cmocka_unit_test(entries_that_go_or_are_replaced_are_noticed),
		at_place(a_new_table_takes_the_place_of_the_old_one_or_leaves_no_trace),
		at_place(the_end_removes_all_that_was_made),
		at_place(the_end_leaves_a_directory_of_others_and_their_files),
	};

	log_hold();   /* what the module says is not the test's output */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
