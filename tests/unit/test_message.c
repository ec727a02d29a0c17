/* tests/unit/test_message.c - datagrams are checked before they are believed */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "message.h"
#include "ring.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static uint8_t boot_id[17] = "0123456789abcdef";

static Netto__Hello good_hello(void)
{
	Netto__Hello hello = NETTO__HELLO__INIT;

	hello.schema_major = RING_SCHEMA_MAJOR;
	hello.schema_minor = RING_SCHEMA_MINOR;
	hello.version = "0.1.0";
	hello.kernel_release = "6.18.5";
	hello.ring_generation = 77;
	hello.boot_id.data = boot_id;
	hello.boot_id.len = 16;
	hello.rate_hz = 997;
	hello.sample_ns = 1003009;
	hello.period_ns = 500000000;
	hello.cpus_online = 2;
	hello.cpu_slots = 4;
	return hello;
}

static int unpack_hello(const Netto__Hello *hello, Netto__Message **message)
{
	uint8_t buf[MESSAGE_BYTES_MAX];
	ssize_t bytes = message_pack_hello(hello, buf, sizeof(buf));

	assert_true(bytes > 0);
	return message_unpack(buf, (size_t)bytes, message);
}

static void hello_arrives_as_it_was_sent(void **state)
{
	Netto__Hello hello = good_hello();
	Netto__Message *message;

	(void)state;
	assert_int_equal(unpack_hello(&hello, &message), 0);
	assert_int_equal(message->kind_case, NETTO__MESSAGE__KIND_HELLO);
	assert_string_equal(message->hello->kernel_release, "6.18.5");
	assert_int_equal(message->hello->ring_generation, 77);
	assert_int_equal(message->hello->period_ns, 500000000);
	assert_memory_equal(message->hello->boot_id.data, boot_id, 16);
	message_free(message);
	message_free(NULL);
}

static void hello_out_of_bounds_is_refused(void **state)
{
	static const struct {
		size_t field;
		uint32_t value;
		int want;
		const char *why;
	} cases[] = {
#define FIELD(name) offsetof(Netto__Hello, name)
		{ FIELD(schema_major), RING_SCHEMA_MAJOR + 1, -EPROTONOSUPPORT, "a later schema" },
		{ FIELD(schema_major), 0, -EPROTONOSUPPORT, "an earlier schema" },
		{ FIELD(schema_minor), 999, 0, "a later minor schema is understood" },
		{ FIELD(boot_id.len), 15, -EPROTO, "a short boot id" },
		{ FIELD(boot_id.len), 17, -EPROTO, "a long boot id" },
		{ FIELD(boot_id.len), 0, -EPROTO, "no boot id" },
		{ FIELD(rate_hz), 0, -EPROTO, "no rate" },
		{ FIELD(period_ns), 0, -EPROTO, "no period" },
		{ FIELD(cpu_slots), 0, -EPROTO, "no CPUs" },
		{ FIELD(cpu_slots), 8192, 0, "the largest machine" },
		{ FIELD(cpu_slots), 8193, -EPROTO, "a machine too large" },
		{ FIELD(cpus_online), 4, 0, "all online" },
		{ FIELD(cpus_online), 5, -EPROTO, "more online than there are" },
		{ FIELD(cpus_online), 0, -EPROTO, "none online" },
#undef FIELD
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		Netto__Hello hello = good_hello();
		Netto__Message *message = NULL;
		int got;

		memcpy((char *)&hello + cases[i].field, &cases[i].value, sizeof(uint32_t));
		got = unpack_hello(&hello, &message);
		if (got != cases[i].want || !message != !!got)
			fail_msg("%s: %d instead of %d", cases[i].why, got, cases[i].want);
		message_free(message);
	}
}

static void bytes_that_are_no_message_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t count;
		const char *why;
	} cases[] = {
		{ "", 0, "empty: no kind" },
		{ "\x1a\x00", 2, "an unknown kind" },
		{ "\x0a\x05\x08", 3, "cut off" },
		{ "\x12\x09\x09\x01\x02", 5, "a doorbell cut off" },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, "an endless varint" },
		{ "\x0a\xff\xff\xff\xff\x7f", 6, "a length above all memory" },
		{ "GET / HTTP/1.1\r\n", 16, "another protocol" },
	};
	Netto__Message *message = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (message_unpack(cases[i].bytes, cases[i].count, &message) != -EPROTO || message)
			fail_msg("%s: not refused", cases[i].why);
}

/* A doorbell with an unknown field behind it, as a later minor schema might
 * have, that makes bytes in all. */
static void pack_long_doorbell(uint8_t *buf, size_t bytes)
{
	const size_t head = message_pack_doorbell(5, buf);
	const size_t filling = bytes - head - 3;

	memset(buf + head, 0, bytes - head);
	buf[head] = 15 << 3 | 2;                       /* field 15: bytes */
	buf[head + 1] = (uint8_t)(filling | 0x80);
	buf[head + 2] = (uint8_t)(filling >> 7);
}

static void datagrams_above_the_limit_are_refused(void **state)
{
	uint8_t buf[MESSAGE_BYTES_MAX + 1];
	Netto__Message *message;

	(void)state;
	pack_long_doorbell(buf, MESSAGE_BYTES_MAX);
	assert_int_equal(message_unpack(buf, MESSAGE_BYTES_MAX, &message), 0);
	message_free(message);
	pack_long_doorbell(buf, MESSAGE_BYTES_MAX + 1);
	assert_int_equal(message_unpack(buf, MESSAGE_BYTES_MAX + 1, &message), -EPROTO);
}

static void hello_that_does_not_fit_is_not_packed(void **state)
{
	Netto__Hello hello = good_hello();
	uint8_t buf[64];
	uint8_t *exact;
	ssize_t bytes;

	(void)state;
	memset(buf, 0xaa, sizeof(buf));
	assert_int_equal(message_pack_hello(&hello, buf, 20), -EMSGSIZE);
	assert_int_equal(buf[0], 0xaa);
	exact = malloc(MESSAGE_BYTES_MAX);
	bytes = message_pack_hello(&hello, exact, MESSAGE_BYTES_MAX);
	assert_int_equal(message_pack_hello(&hello, exact, (size_t)bytes), bytes);
	assert_int_equal(message_pack_hello(&hello, exact, (size_t)bytes - 1), -EMSGSIZE);
	free(exact);
}

static void doorbell_rings_with_any_number(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 127, 128, 1ull << 32, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		uint8_t buf[MESSAGE_DOORBELL_BYTES];
		Netto__Message *message;
		size_t bytes = message_pack_doorbell(numbers[i], buf);

		assert_in_range(bytes, 1, sizeof(buf));
		assert_int_equal(message_unpack(buf, bytes, &message), 0);
		assert_int_equal(message->kind_case, NETTO__MESSAGE__KIND_DOORBELL);
		assert_true(message->doorbell->next_seq == numbers[i]);
		message_free(message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_arrives_as_it_was_sent),
		cmocka_unit_test(hello_out_of_bounds_is_refused),
		cmocka_unit_test(bytes_that_are_no_message_are_refused),
		cmocka_unit_test(datagrams_above_the_limit_are_refused),
		cmocka_unit_test(hello_that_does_not_fit_is_not_packed),
		cmocka_unit_test(doorbell_rings_with_any_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
