/* test_source.c - the source believes a good collector only, and comes back */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "message.h"
#include "ring.h"
#include "runtime_files.h"
#include "source.h"

#define RING_BYTES RING_DATA_BYTES_MIN
#define PATIENCE_S 60   /* so long a step may take on the slowest machine */
#define SYMBOLS "ffffffff81000000 T _text\n"
#define OTHER_SYMBOLS "ffffffff81000000 T _text\nffffffff81000010 T other\n"

/* A collector and what the source tells of it. */
struct bench {
	char dir[64];
	uv_loop_t loop;
	uv_timer_t step;      /* lets run_until() look now and then */
	struct source *source;

	struct ring_identity identity;
	struct ring_writer *ring;
	int listener;
	int client;

	unsigned int hellos, gone, records;
	uint64_t generation, last_seq, lost, last_record;
	bool records_after_gone;
	bool refuse;          /* what hello() answers */
	char symbols[128];
	unsigned int symbol_reads;
	uint64_t tells_at;    /* the record that tells of new symbols */
	char symbols_then[128];   /* the table at the last record */
};

static int on_hello(void *arg, const Netto__Hello *hello)
{
	struct bench *b = arg;

	b->hellos++;
	b->generation = hello->ring_generation;
	return b->refuse ? -ENOMEM : 0;
}

static int on_symbols(void *arg, const char *text, size_t bytes)
{
	struct bench *b = arg;

	snprintf(b->symbols, sizeof(b->symbols), "%.*s", (int)bytes, text);
	b->symbol_reads++;
	return 0;
}

static bool on_record(void *arg, uint64_t seq, uint64_t lost, const uint8_t *bytes, size_t count)
{
	struct bench *b = arg;

	assert_int_equal(count, sizeof(b->last_record));
	memcpy(&b->last_record, bytes, count);
	if (b->records)
		assert_int_equal(seq, b->last_seq + 1 + lost);
	b->last_seq = seq;
	b->lost += lost;
	b->records++;
	b->records_after_gone |= b->gone == b->hellos;
	memcpy(b->symbols_then, b->symbols, sizeof(b->symbols));
	return b->tells_at && b->last_record == b->tells_at;
}

static void on_gone(void *arg)
{
	((struct bench *)arg)->gone++;
}

static const struct source_events events = {
	.hello = on_hello, .symbols = on_symbols, .record = on_record, .gone = on_gone,
};

static const char *path_of(const struct bench *b, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return path;
}

static int create(const struct bench *b, const char *name, mode_t mode)
{
	int fd;

	(void)unlink(path_of(b, name));
	fd = open(path_of(b, name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	return fd;
}

static void publish_ring(struct bench *b, mode_t mode)
{
	int fd = create(b, "ring", mode);

	ring_writer_close(b->ring);
	assert_int_equal(ring_writer_open(&b->ring, fd, RING_BYTES, &b->identity), 0);
	close(fd);
}

static void publish_table(struct bench *b, const char *table, mode_t mode)
{
	int fd = create(b, "symbols", mode);

	assert_int_equal(write(fd, table, strlen(table)), strlen(table));
	close(fd);
}

static void publish_symbols(struct bench *b, mode_t mode)
{
	publish_table(b, SYMBOLS, mode);
}

static void listen_anew(struct bench *b)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (b->listener >= 0)
		close(b->listener);
	(void)unlink(path_of(b, "collector.sock"));
	strcpy(address.sun_path, path_of(b, "collector.sock"));
	b->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(b->listener, 4), 0);
}

static void publish(struct bench *b)
{
	b->identity.generation++;
	publish_ring(b, 0440);
	publish_symbols(b, 0440);
	listen_anew(b);
}

static Netto__Hello good_hello(struct bench *b)
{
	Netto__Hello hello = NETTO__HELLO__INIT;

	hello.schema_major = RING_SCHEMA_MAJOR;
	hello.ring_generation = b->identity.generation;
	hello.boot_id = (ProtobufCBinaryData){ 16, b->identity.boot_id };
	hello.rate_hz = 997;
	hello.sample_ns = 1003009;
	hello.period_ns = 500000000;
	hello.cpus_online = hello.cpu_slots = 2;
	return hello;
}

static void send_hello(struct bench *b, const Netto__Hello *hello)
{
	uint8_t buf[MESSAGE_BYTES_MAX];
	ssize_t n = message_pack_hello(hello, buf, sizeof(buf));

	assert_true(n > 0);
	assert_int_equal(send(b->client, buf, (size_t)n, MSG_NOSIGNAL), n);
}

static void ring_bell(struct bench *b)
{
	uint8_t buf[MESSAGE_DOORBELL_BYTES];
	size_t n = message_pack_doorbell(ring_writer_next_seq(b->ring), buf);

	(void)send(b->client, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void write_records(struct bench *b, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		uint64_t record = ring_writer_next_seq(b->ring);

		ring_write(b->ring, &record, sizeof(record));
	}
}

static void on_step(uv_timer_t *timer)
{
	(void)timer;
}

static bool connected(struct bench *b)
{
	if (b->client < 0)
		b->client = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
	return b->client >= 0;
}

static bool has_records(struct bench *b)
{
	return b->records && b->last_record == ring_writer_next_seq(b->ring) - 1;
}

static bool is_taken(struct bench *b)
{
	return b->hellos > b->gone && b->generation == b->identity.generation && *b->symbols;
}

static bool is_gone(struct bench *b)
{
	return b->gone;
}

/* The source has closed its end. */
static bool turned_away(struct bench *b)
{
	struct pollfd p = { .fd = b->client };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

static void run_until(struct bench *b, bool (*condition)(struct bench *))
{
	const uint64_t end_ns = uv_hrtime() + PATIENCE_S * 1000000000ull;

	while (!condition(b)) {
		assert_true(uv_hrtime() < end_ns);
		uv_run(&b->loop, UV_RUN_ONCE);
	}
}

static void drop_client(struct bench *b)
{
	if (b->client >= 0)
		close(b->client);
	b->client = -1;
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	strcpy(b->dir, "/tmp/netto-source-XXXXXX");
	if (!mkdtemp(b->dir) || uv_loop_init(&b->loop) || boot_id_read(b->identity.boot_id))
		return -1;
	b->listener = b->client = -1;
	uv_timer_init(&b->loop, &b->step);
	uv_timer_start(&b->step, on_step, 2, 2);
	publish(b);
	if (source_start(&b->source, &b->loop, b->dir, &events, b))
		return -1;
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	source_stop(b->source);
	uv_close((uv_handle_t *)&b->step, NULL);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	drop_client(b);
	close(b->listener);
	ring_writer_close(b->ring);
	(void)unlink(path_of(b, "ring"));
	(void)unlink(path_of(b, "symbols"));
	(void)unlink(path_of(b, "collector.sock"));
	if (rmdir(b->dir) || uv_loop_close(&b->loop))
		return -1;
	free(b);
	return 0;
}

static void connect_and_greet(struct bench *b)
{
	Netto__Hello hello = good_hello(b);

	*b->symbols = '\0';
	run_until(b, connected);
	send_hello(b, &hello);
	run_until(b, is_taken);
}

static void records_arrive_in_order_after_hello_and_symbols(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	assert_string_equal(b->symbols, SYMBOLS);
	for (int i = 0; i < 3; i++) {
		write_records(b, 100);
		ring_bell(b);
		run_until(b, has_records);
	}
	assert_int_equal(b->records, 300);
	assert_int_equal(b->lost, 0);
}

static void records_overwritten_unread_are_counted_exactly(void **state)
{
	const unsigned int count = RING_BYTES / 8;   /* far above what the ring holds */
	struct bench *b = *state;

	connect_and_greet(b);
	write_records(b, 1);
	ring_bell(b);
	run_until(b, has_records);
	write_records(b, count);
	ring_bell(b);
	run_until(b, has_records);
	assert_true(b->lost > 0);
	assert_int_equal(b->records + b->lost, 1 + count);
}

/* Records of which the first tells of a new table. */
static void write_news(struct bench *b, unsigned int count)
{
	b->tells_at = ring_writer_next_seq(b->ring);
	write_records(b, count);
	ring_bell(b);
	run_until(b, has_records);
}

static void new_symbols_are_read_before_the_next_record(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	write_records(b, 1);
	publish_table(b, OTHER_SYMBOLS, 0440);
	write_news(b, 1);
	assert_string_equal(b->symbols_then, SYMBOLS);
	assert_string_equal(b->symbols, OTHER_SYMBOLS);
	write_news(b, 2);
	assert_string_equal(b->symbols_then, OTHER_SYMBOLS);
	assert_int_equal(b->symbol_reads, 2);
}

static void a_table_that_is_away_or_no_good_leaves_the_last_one(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	(void)unlink(path_of(b, "symbols"));
	write_news(b, 2);
	publish_table(b, OTHER_SYMBOLS, 0666);
	write_news(b, 2);
	assert_string_equal(b->symbols, SYMBOLS);
	assert_int_equal(b->gone, 0);
	publish_table(b, OTHER_SYMBOLS, 0440);
	write_news(b, 2);
	assert_string_equal(b->symbols, OTHER_SYMBOLS);
}

static void symbols_whose_record_was_lost_are_read_all_the_same(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	write_records(b, 1);
	ring_bell(b);
	run_until(b, has_records);
	publish_table(b, OTHER_SYMBOLS, 0440);
	write_records(b, RING_BYTES / 8);
	ring_bell(b);
	run_until(b, has_records);
	assert_true(b->lost > 0);
	assert_string_equal(b->symbols_then, OTHER_SYMBOLS);
	assert_int_equal(b->symbol_reads, 2);
}

static void a_lost_bell_delays_records_but_loses_none(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	write_records(b, 10);
	run_until(b, has_records);
	assert_int_equal(b->records, 10);
}

static void what_a_dead_collector_left_is_read_before_it_is_gone(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	write_records(b, 1000);
	drop_client(b);
	run_until(b, is_gone);
	assert_int_equal(b->records, 1000);
	assert_false(b->records_after_gone);
	assert_int_equal(b->gone, 1);
}

static void a_restarted_collector_is_found_again(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	drop_client(b);
	run_until(b, is_gone);
	b->records = 0;
	publish(b);
	connect_and_greet(b);
	write_records(b, 5);
	ring_bell(b);
	run_until(b, has_records);
	assert_int_equal(b->hellos, 2);
	assert_int_equal(b->records, 5);
}

static void a_collector_that_cannot_be_taken_is_tried_again(void **state)
{
	struct bench *b = *state;
	Netto__Hello hello = good_hello(b);

	b->refuse = true;
	run_until(b, connected);
	send_hello(b, &hello);
	run_until(b, turned_away);
	assert_int_equal(b->gone, 0);
	drop_client(b);
	b->refuse = false;
	b->hellos = 0;
	connect_and_greet(b);
}

static void a_ring_that_shrinks_is_left_alone(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	write_records(b, 10);
	assert_int_equal(chmod(path_of(b, "ring"), 0640), 0);
	assert_int_equal(truncate(path_of(b, "ring"), 4096), 0);
	ring_bell(b);
	run_until(b, is_gone);
	assert_int_equal(b->records, 0);
}

static void many_bells_without_records_do_no_harm(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	for (int i = 0; i < 1000; i++)
		ring_bell(b);
	write_records(b, 1);
	ring_bell(b);
	run_until(b, has_records);
	assert_int_equal(b->records, 1);
}

/* Ways of being no good; each gets a hello, and the connection closed by the
 * source. */
static void ring_of_another_boot(struct bench *b)
{
	b->identity.boot_id[0] ^= 1;
	publish_ring(b, 0440);
	b->identity.boot_id[0] ^= 1;
}

static void ring_of_another_run(struct bench *b)
{
	b->identity.generation++;
	publish_ring(b, 0440);
	b->identity.generation--;
}

static void ring_of_noise(struct bench *b)
{
	int fd = create(b, "ring", 0440);

	for (int i = 0; i < 10000; i++)
		dprintf(fd, "noise%d", i);
	close(fd);
}

static void ring_cut_short(struct bench *b)
{
	publish_ring(b, 0640);
	assert_int_equal(truncate(path_of(b, "ring"), RING_BYTES / 2), 0);
	assert_int_equal(chmod(path_of(b, "ring"), 0440), 0);
}

static void ring_empty(struct bench *b)
{
	close(create(b, "ring", 0440));
}

static void ring_of_another_schema(struct bench *b)
{
	int fd = open(path_of(b, "ring"), O_WRONLY);
	uint32_t major = RING_SCHEMA_MAJOR + 1;

	assert_int_equal(pwrite(fd, &major, sizeof(major), sizeof(uint64_t)), sizeof(major));
	close(fd);
}

static void ring_missing(struct bench *b)
{
	(void)unlink(path_of(b, "ring"));
}

static void ring_that_the_group_can_write(struct bench *b)
{
	assert_int_equal(chmod(path_of(b, "ring"), 0460), 0);
}

static void ring_that_all_can_write(struct bench *b)
{
	assert_int_equal(chmod(path_of(b, "ring"), 0446), 0);
}

static void ring_behind_a_link(struct bench *b)
{
	char to[128];

	strcpy(to, path_of(b, "symbols.real"));
	assert_int_equal(rename(path_of(b, "ring"), to), 0);
	assert_int_equal(symlink(to, path_of(b, "ring")), 0);
}

static void ring_is_a_pipe(struct bench *b)
{
	(void)unlink(path_of(b, "ring"));
	assert_int_equal(mkfifo(path_of(b, "ring"), 0440), 0);
}

static void symbols_missing(struct bench *b)
{
	(void)unlink(path_of(b, "symbols"));
}

static void symbols_that_all_can_write(struct bench *b)
{
	publish_symbols(b, 0446);
}

static void symbols_without_end(struct bench *b)
{
	int fd = create(b, "symbols", 0440);

	assert_int_equal(ftruncate(fd, (off_t)SYMBOLS_BYTES_MAX + 1), 0);
	close(fd);
}

static const struct { void (*spoil)(struct bench *); const char *name; } spoiled[] = {
	{ ring_of_another_boot, "another boot" },
	{ ring_of_another_run, "another run" },
	{ ring_of_noise, "noise" },
	{ ring_cut_short, "cut short" },
	{ ring_empty, "empty" },
	{ ring_of_another_schema, "another schema" },
	{ ring_missing, "no ring" },
	{ ring_that_the_group_can_write, "group can write the ring" },
	{ ring_that_all_can_write, "all can write the ring" },
	{ ring_behind_a_link, "a link" },
	{ ring_is_a_pipe, "a pipe" },
	{ symbols_missing, "no symbols" },
	{ symbols_that_all_can_write, "all can write the symbols" },
	{ symbols_without_end, "symbols above the limit" },
};

static void what_is_no_good_is_refused_and_a_good_one_taken_then(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
		Netto__Hello hello = good_hello(b);

		print_message("%s\n", spoiled[i].name);
		spoiled[i].spoil(b);
		run_until(b, connected);
		send_hello(b, &hello);
		run_until(b, turned_away);
		assert_int_equal(b->hellos, 0);
		drop_client(b);
		(void)unlink(path_of(b, "symbols.real"));
		publish(b);
	}
	connect_and_greet(b);
}

static void hello_of_another_boot(Netto__Hello *hello)
{
	static uint8_t other[16];

	hello->boot_id.data = other;
}

static void hello_of_another_schema(Netto__Hello *hello)
{
	hello->schema_major++;
}

static void hello_without_a_rate(Netto__Hello *hello)
{
	hello->rate_hz = 0;
}

static void hello_with_too_many_cpus(Netto__Hello *hello)
{
	hello->cpu_slots = 1u << 31;
}

static void a_hello_that_cannot_be_true_is_refused(void **state)
{
	static void (*const lies[])(Netto__Hello *) = {
		hello_of_another_boot, hello_of_another_schema, hello_without_a_rate,
		hello_with_too_many_cpus,
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		Netto__Hello hello = good_hello(b);

		lies[i](&hello);
		run_until(b, connected);
		send_hello(b, &hello);
		run_until(b, turned_away);
		assert_int_equal(b->hellos, 0);
		drop_client(b);
	}
}

static void datagrams_that_are_no_message_end_the_connection(void **state)
{
	static const size_t sizes[] = { 1, 7, MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 1, 65536 };
	static uint8_t noise[65536];
	struct bench *b = *state;

	memset(noise, 0xa7, sizeof(noise));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		run_until(b, connected);
		assert_int_equal(send(b->client, noise, sizes[i], MSG_NOSIGNAL), sizes[i]);
		run_until(b, turned_away);
		drop_client(b);
	}
	connect_and_greet(b);
	assert_int_equal(send(b->client, noise, 7, MSG_NOSIGNAL), 7);
	run_until(b, is_gone);
}

static void a_second_hello_ends_the_connection(void **state)
{
	struct bench *b = *state;
	Netto__Hello hello = good_hello(b);

	connect_and_greet(b);
	send_hello(b, &hello);
	run_until(b, is_gone);
	assert_int_equal(b->hellos, 1);
}

static void a_stop_in_any_state_tells_nothing_more(void **state)
{
	struct bench *b = *state;

	connect_and_greet(b);
	write_records(b, 100);
	source_stop(b->source);
	b->source = NULL;
	uv_run(&b->loop, UV_RUN_ONCE);
	assert_int_equal(b->gone, 0);
	assert_int_equal(b->records, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_arrive_in_order_after_hello_and_symbols),
		TEST(records_overwritten_unread_are_counted_exactly),
		TEST(new_symbols_are_read_before_the_next_record),
		TEST(a_table_that_is_away_or_no_good_leaves_the_last_one),
		TEST(symbols_whose_record_was_lost_are_read_all_the_same),
		TEST(a_lost_bell_delays_records_but_loses_none),
		TEST(what_a_dead_collector_left_is_read_before_it_is_gone),
		TEST(a_restarted_collector_is_found_again),
		TEST(a_collector_that_cannot_be_taken_is_tried_again),
		TEST(a_ring_that_shrinks_is_left_alone),
		TEST(many_bells_without_records_do_no_harm),
		TEST(what_is_no_good_is_refused_and_a_good_one_taken_then),
		TEST(a_hello_that_cannot_be_true_is_refused),
		TEST(datagrams_that_are_no_message_end_the_connection),
		TEST(a_second_hello_ends_the_connection),
		TEST(a_stop_in_any_state_tells_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
