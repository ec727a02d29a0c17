/* tests/unit/test_ring.c - the broadcast ring loses exactly what it says it lost */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring.h"
#include "ring_layout.h"

#define DATA_BYTES RING_DATA_BYTES_MIN
#define FILE_BYTES (RING_HEADER_BYTES + DATA_BYTES)

static const struct ring_identity identity = {
	.generation = 42,
	.boot_id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
};

struct fixture {
	int fd;            /* read and write: the collector's */
	int reader_fd;     /* read only: what an aggregator gets */
	uint8_t *file;     /* to damage it */
	struct ring_writer *writer;
	struct ring_reader *reader;
};

static int new_file(void)
{
	int fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	return fd;
}

static int read_only(int fd)
{
	char path[64];
	int copy;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(copy >= 0);
	return copy;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->fd = new_file();
	f->reader_fd = read_only(f->fd);
	assert_int_equal(ring_writer_open(&f->writer, f->fd, DATA_BYTES, &identity), 0);
	f->file = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_ptr_not_equal(f->file, MAP_FAILED);
	assert_int_equal(ring_reader_open(&f->reader, f->reader_fd), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ring_reader_close(f->reader);
	ring_writer_close(f->writer);
	munmap(f->file, FILE_BYTES);
	close(f->reader_fd);
	close(f->fd);
	free(f);
	return 0;
}

/* A size from 9 to 300, now and then up to the largest, that seq alone decides. */
static size_t size_of(uint64_t seq)
{
	const uint64_t mixed = seq * 0x9e3779b97f4a7c15ull >> 32;

	return 9 + mixed % (seq % 50 ? 292 : RING_RECORD_BYTES_MAX - 8);
}

/* Write a record whose every byte follows from its sequence number. */
static void write_next(struct ring_writer *writer, size_t bytes)
{
	uint8_t record[RING_RECORD_BYTES_MAX];
	const uint64_t seq = ring_writer_next_seq(writer);

	memset(record, (int)(seq % 251), bytes);
	if (bytes >= sizeof(seq))
		memcpy(record, &seq, sizeof(seq));
	ring_write(writer, record, bytes);
}

static int is_whole(const uint8_t *record, size_t bytes, uint64_t seq)
{
	uint64_t stamp;

	memcpy(&stamp, record, sizeof(stamp));
	if (stamp != seq || bytes != size_of(seq))
		return 0;
	for (size_t i = sizeof(stamp); i < bytes; i++)
		if (record[i] != seq % 251)
			return 0;
	return 1;
}

struct account {
	uint64_t got, lost, laps, torn, errors;
};

/* Read until there is nothing new. */
static void drain(struct ring_reader *reader, struct account *account)
{
	uint8_t buf[RING_RECORD_BYTES_MAX];
	uint64_t seq, lost;
	ssize_t bytes;

	while ((bytes = ring_read(reader, buf, sizeof(buf), &seq, &lost)) != 0) {
		if (bytes == -EAGAIN) {
			account->laps++;
		} else if (bytes < 0) {
			account->errors++;
			return;
		} else {
			account->got++;
			account->lost += lost;
			account->torn += !is_whole(buf, (size_t)bytes, seq);
		}
	}
}

static void check_read(struct ring_reader *reader, uint64_t want_seq, size_t want_bytes)
{
	uint8_t buf[RING_RECORD_BYTES_MAX];
	uint64_t seq = 0, lost = 99;

	assert_int_equal(ring_read(reader, buf, sizeof(buf), &seq, &lost), want_bytes);
	assert_int_equal(seq, want_seq);
	assert_int_equal(lost, 0);
	assert_int_equal(buf[want_bytes - 1], want_seq % 251);
}

static void check_nothing_new(struct ring_reader *reader)
{
	uint8_t buf[RING_RECORD_BYTES_MAX];
	uint64_t seq, lost;

	assert_int_equal(ring_read(reader, buf, sizeof(buf), &seq, &lost), 0);
}

static void first_record_has_number_one(void **state)
{
	struct fixture *f = *state;

	check_nothing_new(f->reader);
	assert_int_equal(ring_writer_next_seq(f->writer), 1);
	write_next(f->writer, 1);
	assert_int_equal(ring_writer_next_seq(f->writer), 2);
	check_read(f->reader, 1, 1);
	check_nothing_new(f->reader);
}

static void identity_is_read_back(void **state)
{
	struct fixture *f = *state;

	assert_memory_equal(ring_reader_identity(f->reader), &identity, sizeof(identity));
}

/* Each size over more than two laps: every possible room at the end of the data. */
static void records_of_every_size_wrap_whole(void **state)
{
	static const size_t sizes[] = {
		1, 15, 16, 17, 240, 255, 1000, 4079, 4080, 4081, RING_RECORD_BYTES_MAX,
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t written = 0; written < 2 * DATA_BYTES + 5000; written += sizes[i] + 16) {
			write_next(f->writer, sizes[i]);
			check_read(f->reader, ring_writer_next_seq(f->writer) - 1, sizes[i]);
		}
	}
	check_nothing_new(f->reader);
}

/* Records left unread while they fill the ring to the last byte are all there. */
static void a_full_ring_is_delivered_without_loss(void **state)
{
	struct fixture *f = *state;
	const size_t count = DATA_BYTES / 256;

	for (size_t lap = 0; lap < 3; lap++) {
		for (size_t i = 0; i < count; i++)
			write_next(f->writer, 240);
		for (size_t i = 0; i < count; i++)
			check_read(f->reader, lap * count + i + 1, 240);
		check_nothing_new(f->reader);
	}
}

static void late_reader_starts_with_the_next_record(void **state)
{
	struct fixture *f = *state;
	struct ring_reader *late;

	for (int i = 0; i < 1000; i++) {
		write_next(f->writer, size_of(ring_writer_next_seq(f->writer)));
		assert_int_equal(ring_reader_open(&late, f->reader_fd), 0);
		check_nothing_new(late);
		write_next(f->writer, 100);
		check_read(late, ring_writer_next_seq(f->writer) - 1, 100);
		ring_reader_close(late);
	}
}

static void late_reader_counts_losses_from_its_start(void **state)
{
	struct fixture *f = *state;
	struct account account = { 0 };
	struct ring_reader *late;

	for (uint64_t seq = 1; seq <= 5000; seq++)
		write_next(f->writer, size_of(seq));
	assert_int_equal(ring_reader_open(&late, f->reader_fd), 0);
	for (uint64_t seq = 5001; seq <= 10000; seq++)
		write_next(f->writer, size_of(seq));
	drain(late, &account);
	assert_int_equal(account.got + account.lost, 5000);
	assert_true(account.got > 0 && account.lost > 0);
	ring_reader_close(late);
}

/* Design: three quarters less at most one segment and the records at its ends. */
static void lapped_reader_keeps_most_of_the_ring(void **state)
{
	struct fixture *f = *state;
	struct account account = { 0 };

	for (uint64_t seq = 1; seq <= 10ull * DATA_BYTES / 256; seq++) {
		uint8_t record[240] = { 0 };

		ring_write(f->writer, record, sizeof(record));
	}
	drain(f->reader, &account);
	assert_int_equal(account.errors, 0);
	assert_int_equal(account.laps, 1);
	assert_int_equal(account.got + account.lost, 10ull * DATA_BYTES / 256);
	assert_in_range(account.got, DATA_BYTES / 256 * 11 / 16, DATA_BYTES / 256 * 12 / 16);
}

/* One record of the largest size more than fits is the smallest overrun there is. */
static void one_record_too_many_is_counted(void **state)
{
	struct fixture *f = *state;
	struct account account = { 0 };
	uint8_t record[240] = { 0 };

	for (size_t i = 0; i < DATA_BYTES / 256 + 1; i++)
		ring_write(f->writer, record, sizeof(record));
	drain(f->reader, &account);
	assert_int_equal(account.laps, 1);
	assert_int_equal(account.got + account.lost, DATA_BYTES / 256 + 1);
}

static void two_readers_do_not_touch_each_other(void **state)
{
	struct fixture *f = *state;
	struct account slow = { 0 }, fast = { 0 };
	struct ring_reader *second;

	assert_int_equal(ring_reader_open(&second, f->reader_fd), 0);
	for (uint64_t seq = 1; seq <= 4000; seq++) {
		write_next(f->writer, size_of(seq));
		drain(second, &fast);
	}
	drain(f->reader, &slow);
	assert_int_equal(fast.got, 4000);
	assert_int_equal(fast.lost, 0);
	assert_true(slow.lost > 0);
	assert_int_equal(slow.got + slow.lost, 4000);
	assert_int_equal(fast.torn + slow.torn, 0);
	ring_reader_close(second);
}

static void reader_outlives_the_writer(void **state)
{
	struct fixture *f = *state;

	write_next(f->writer, 100);
	ring_writer_close(f->writer);
	f->writer = NULL;
	check_read(f->reader, 1, 100);
	check_nothing_new(f->reader);
}

#define STRESS_RECORDS 400000

struct reading {
	struct ring_reader *reader;
	const _Atomic int *done;
	long nap_ns;              /* after each time it caught up; 0: none */
	struct account account;
};

static void *read_until_done(void *arg)
{
	struct reading *r = arg;
	const struct timespec nap = { .tv_nsec = r->nap_ns };
	int last;

	do {
		last = atomic_load(r->done);   /* before the last look */
		drain(r->reader, &r->account);
		if (r->nap_ns)
			nanosleep(&nap, NULL);
	} while (!last);
	return NULL;
}

static void fast_writer_and_slow_readers_agree_exactly(void **state)
{
	struct fixture *f = *state;
	_Atomic int done = 0;
	struct reading readings[] = {
		{ .done = &done, .nap_ns = 0 },
		{ .done = &done, .nap_ns = 100000 },
		{ .done = &done, .nap_ns = 3000000 },
	};
	pthread_t threads[3];

	for (int i = 0; i < 3; i++) {
		assert_int_equal(ring_reader_open(&readings[i].reader, f->reader_fd), 0);
		assert_int_equal(pthread_create(&threads[i], NULL, read_until_done, &readings[i]), 0);
	}
	for (uint64_t seq = 1; seq <= STRESS_RECORDS; seq++)
		write_next(f->writer, size_of(seq));
	atomic_store(&done, 1);
	for (int i = 0; i < 3; i++) {
		const struct account *account = &readings[i].account;

		pthread_join(threads[i], NULL);
		assert_int_equal(account->errors, 0);
		assert_int_equal(account->torn, 0);
		assert_int_equal(account->got + account->lost, STRESS_RECORDS);
		ring_reader_close(readings[i].reader);
	}
	/* A reader asleep for 3 ms misses hundreds of rings: else this tests nothing. */
	assert_true(readings[2].account.laps > 0);
}

struct opening {
	int fd;
	const _Atomic int *done;
	const _Atomic uint64_t *published;
	unsigned int opened, failed, misplaced;
};

/* Open reader after reader; each must account for all from its opening on. */
static void *open_until_done(void *arg)
{
	struct opening *o = arg;
	uint8_t buf[RING_RECORD_BYTES_MAX];
	struct ring_reader *late;
	uint64_t before, after, seq, lost;
	ssize_t bytes;

	while (!atomic_load(o->done)) {
		before = atomic_load(o->published);
		if (ring_reader_open(&late, o->fd)) {
			o->failed++;
			continue;
		}
		after = atomic_load(o->published);
		while ((bytes = ring_read(late, buf, sizeof(buf), &seq, &lost)) == -EAGAIN)
			;
		/* The one being written while we look is on either side. */
		if (bytes < 0 || (bytes && (seq - lost <= before || seq - lost > after + 2)))
			o->misplaced++;
		o->opened++;
		ring_reader_close(late);
	}
	return NULL;
}

static void readers_opened_under_load_start_at_their_opening(void **state)
{
	struct fixture *f = *state;
	_Atomic int done = 0;
	_Atomic uint64_t published = 0;
	struct opening opening = { .fd = f->reader_fd, .done = &done, .published = &published };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, open_until_done, &opening), 0);
	for (uint64_t seq = 1; seq <= STRESS_RECORDS; seq++) {
		write_next(f->writer, size_of(seq));
		atomic_store(&published, seq);
	}
	atomic_store(&done, 1);
	pthread_join(thread, NULL);
	assert_true(opening.opened > 0);
	assert_int_equal(opening.failed, 0);
	assert_int_equal(opening.misplaced, 0);
}

#define OF(field) offsetof(struct ring_header, field)

static void damaged_headers_are_refused(void **state)
{
	static const struct {
		size_t offset;
		uint64_t value;
		size_t bytes;
		int want;
		const char *why;
	} cases[] = {
		{ OF(magic), 0, 8, -EPROTO, "no ring" },
		{ OF(magic), RING_MAGIC + 1, 8, -EPROTO, "one bit of the magic" },
		{ OF(schema_major), RING_SCHEMA_MAJOR + 1, 4, -EPROTONOSUPPORT, "a later schema" },
		{ OF(schema_major), 0, 4, -EPROTONOSUPPORT, "an earlier schema" },
		{ OF(schema_minor), 9, 4, 0, "a later minor schema is understood" },
		{ OF(generation), 0, 8, -EPROTO, "no generation" },
		{ OF(data_bytes), 0, 4, -EPROTO, "no data" },
		{ OF(data_bytes), DATA_BYTES / 2, 4, -EPROTO, "below the limit" },
		{ OF(data_bytes), DATA_BYTES - 16, 4, -EPROTO, "no power of two" },
		{ OF(data_bytes), DATA_BYTES * 2ull, 4, -EPROTO, "the file is shorter" },
		{ OF(data_bytes), RING_DATA_BYTES_MAX * 2ull, 4, -EPROTO, "above the limit" },
		{ OF(latest), 8, 8, -EPROTO, "latest not aligned" },
		{ OF(latest), 1 << 20, 8, -EPROTO, "latest above the tail" },
		{ OF(latest), 16, 8, -EPROTO, "latest is no record" },
		{ OF(intent), UINT64_MAX, 8, -EPROTO, "overwritten for ever" },
		{ OF(tail), 0, 8, -EPROTO, "tail below latest" },
	};
	struct fixture *f = *state;
	uint8_t saved[sizeof(struct ring_header)];
	struct ring_reader *reader;

	write_next(f->writer, 100);
	write_next(f->writer, 100);
	memcpy(saved, f->file, sizeof(saved));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got;

		memcpy(f->file + cases[i].offset, &cases[i].value, cases[i].bytes);
		reader = NULL;
		got = ring_reader_open(&reader, f->reader_fd);
		if (got != cases[i].want)
			fail_msg("%s: %d instead of %d", cases[i].why, got, cases[i].want);
		assert_true(!reader == !!got);
		ring_reader_close(reader);
		memcpy(f->file, saved, sizeof(saved));
	}
}

static void files_that_are_no_ring_are_refused(void **state)
{
	static const struct { off_t bytes; const char *why; } cases[] = {
		{ 0, "empty" },
		{ 100, "part of a header" },
		{ RING_HEADER_BYTES, "a header alone" },
		{ FILE_BYTES - 1, "one byte short" },
	};
	struct fixture *f = *state;
	struct ring_reader *reader;
	int pipes[2];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = new_file();

		assert_int_equal(write(fd, f->file, FILE_BYTES), FILE_BYTES);
		assert_int_equal(ftruncate(fd, cases[i].bytes), 0);
		if (ring_reader_open(&reader, fd) != -EPROTO)
			fail_msg("%s: not refused", cases[i].why);
		close(fd);
	}
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(ring_reader_open(&reader, pipes[0]), -EPROTO);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(ring_reader_open(&reader, -1), -EBADF);
}

/* What the second of three records can be damaged to; each is refused when read. */
static void damaged_records_are_refused(void **state)
{
	enum { BYTES = offsetof(struct ring_record, bytes), KIND = offsetof(struct ring_record, kind),
	       SEQ = offsetof(struct ring_record, seq) };
	static const struct {
		size_t offset;
		uint64_t value;
		size_t bytes;
		const char *why;
	} cases[] = {
		{ BYTES, 0, 4, "no bytes: would be read again for ever" },
		{ BYTES, 15, 4, "less than its header" },
		{ BYTES, 16, 4, "empty" },
		{ BYTES, 16 + RING_RECORD_BYTES_MAX + 1, 4, "above the limit" },
		{ BYTES, 300, 4, "beyond the tail" },
		{ BYTES, DATA_BYTES, 4, "beyond the data" },
		{ BYTES, UINT32_MAX, 4, "a span that overflows 32 bits" },
		{ KIND, RING_PADDING, 4, "padding that does not reach the end" },
		{ KIND, 2, 4, "an unknown kind" },
		{ SEQ, 0, 8, "no number" },
		{ SEQ, 1, 8, "a number seen before" },
		{ SEQ, 100, 8, "more records than fit below" },
		{ SEQ, UINT64_MAX, 8, "a number that cannot be counted on" },
	};
	struct fixture *f = *state;
	uint8_t *second = f->file + RING_HEADER_BYTES + 128;
	uint8_t buf[RING_RECORD_BYTES_MAX], saved[16];
	uint64_t seq, lost;

	for (int i = 0; i < 3; i++)
		write_next(f->writer, 100);
	check_read(f->reader, 1, 100);
	memcpy(saved, second, sizeof(saved));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(second + cases[i].offset, &cases[i].value, cases[i].bytes);
		if (ring_read(f->reader, buf, sizeof(buf), &seq, &lost) != -EPROTO)
			fail_msg("%s: not refused", cases[i].why);
		memcpy(second, saved, sizeof(saved));
	}
	check_read(f->reader, 2, 100);
}

static void record_above_the_limit_is_refused(void **state)
{
	struct fixture *f = *state;
	struct ring_record *first = (void *)(f->file + RING_HEADER_BYTES);
	uint8_t buf[RING_RECORD_BYTES_MAX];
	uint64_t seq, lost;

	for (int i = 0; i < 100; i++)
		write_next(f->writer, 100);
	first->bytes = sizeof(*first) + RING_RECORD_BYTES_MAX + 1;
	assert_int_equal(ring_read(f->reader, buf, sizeof(buf), &seq, &lost), -EPROTO);
	first->bytes = sizeof(*first) + RING_RECORD_BYTES_MAX;
	assert_int_equal(ring_read(f->reader, buf, sizeof(buf), &seq, &lost),
			 RING_RECORD_BYTES_MAX);
}

static void damaged_positions_are_refused_in_the_end(void **state)
{
	static const struct {
		uint64_t intent, tail, mark;
		int calls;   /* it takes, at most */
		const char *why;
	} cases[] = {
		{ 128, 0, 0, 1, "the tail went back" },
		{ UINT64_MAX, 256, 0, 1, "lapped, and a mark that leads nowhere" },
		{ UINT64_MAX, 256, 128, 1, "lapped, and a mark that leads back" },
		{ UINT64_MAX, 1 << 20, 8 + 4096, 1, "a mark not aligned" },
		{ UINT64_MAX, 1 << 20, 1 << 21, 1, "a mark above the tail" },
		{ UINT64_MAX, 1 << 20, 4096, 2, "lapped wherever it goes" },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX - 15, 2, "the end of all positions" },
	};
	struct fixture *f = *state;
	struct ring_header *header = (void *)f->file;
	uint8_t buf[RING_RECORD_BYTES_MAX];
	uint64_t seq, lost;

	write_next(f->writer, 100);
	check_read(f->reader, 1, 100);
	write_next(f->writer, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ssize_t got = -EAGAIN;

		header->intent = cases[i].intent;
		header->tail = cases[i].tail;
		for (int mark = 0; mark < RING_MARKS; mark++)
			header->marks[mark] = cases[i].mark;
		for (int calls = 0; got == -EAGAIN && calls < cases[i].calls; calls++)
			got = ring_read(f->reader, buf, sizeof(buf), &seq, &lost);
		if (got != -EPROTO)
			fail_msg("%s: %zd", cases[i].why, got);
	}
}

static void writer_refuses_what_is_no_ring_size(void **state)
{
	static const struct { uint32_t bytes; const char *why; } cases[] = {
		{ 0, "nothing" },
		{ RING_DATA_BYTES_MIN / 2, "below the limit" },
		{ RING_DATA_BYTES_MIN + 4096, "no power of two" },
		{ RING_DATA_BYTES_MAX * 2u, "above the limit" },
	};
	struct ring_writer *writer = NULL;
	int fd = new_file();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ring_writer_open(&writer, fd, cases[i].bytes, &identity) != -EINVAL)
			fail_msg("%s: not refused", cases[i].why);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	assert_int_equal(ring_writer_open(&writer, fd, DATA_BYTES, &identity), -EPERM);
	close(fd);
	fd = new_file();
	assert_int_equal(ftruncate(fd, 1), 0);
	assert_int_equal(ring_writer_open(&writer, fd, DATA_BYTES, &identity), -EINVAL);
	assert_null(writer);
	close(fd);
	ring_writer_close(NULL);
	ring_reader_close(NULL);
}

int main(void)
{
#define RING_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		RING_TEST(first_record_has_number_one),
		RING_TEST(identity_is_read_back),
		RING_TEST(records_of_every_size_wrap_whole),
		RING_TEST(a_full_ring_is_delivered_without_loss),
		RING_TEST(late_reader_starts_with_the_next_record),
		RING_TEST(late_reader_counts_losses_from_its_start),
		RING_TEST(lapped_reader_keeps_most_of_the_ring),
		RING_TEST(one_record_too_many_is_counted),
		RING_TEST(two_readers_do_not_touch_each_other),
		RING_TEST(reader_outlives_the_writer),
		RING_TEST(fast_writer_and_slow_readers_agree_exactly),
		RING_TEST(readers_opened_under_load_start_at_their_opening),
		RING_TEST(damaged_headers_are_refused),
		RING_TEST(files_that_are_no_ring_are_refused),
		RING_TEST(damaged_records_are_refused),
		RING_TEST(record_above_the_limit_is_refused),
		RING_TEST(damaged_positions_are_refused_in_the_end),
		cmocka_unit_test(writer_refuses_what_is_no_ring_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
