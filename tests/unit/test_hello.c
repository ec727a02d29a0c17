/* test_hello.c - the first message fits, whatever the probes have to say */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "family.h"
#include "hello.h"
#include "message.h"

/* Names longer than those of any probe there is. */
#define LONG_NAME "a_name_longer_than_any"
#define LONG_FUNCTION "irq_handler_entry, irq_handler_exit, and_more"

#define UTSNAME_ROOM (3 * 64)   /* release, machine and host may be that much longer than here */

/* In place of collector/probes.c: what it tells is ours to choose. */
struct probes {
	struct probe_report reports[FAMILY_REPORTS_MAX];
	size_t count;
};

size_t probes_reports(const struct probes *probes, const struct probe_report **reports)
{
	*reports = probes->reports;
	return probes->count;
}

unsigned int probes_cpu_slots(const struct probes *probes)
{
	(void)probes;
	return 8192;
}

unsigned int probes_cpus_online(const struct probes *probes)
{
	(void)probes;
	return 8192;
}

uint64_t probes_interval_ns(const struct probes *probes)
{
	(void)probes;
	return UINT64_MAX;
}

bool probes_exact(const struct probes *probes, enum shared_direction direction)
{
	(void)probes;
	(void)direction;
	return true;
}

/* As many probes as are ever reported, all off for reasons of so many bytes. */
static struct probes all_refused(size_t reason_bytes)
{
	struct probes probes = { .count = FAMILY_REPORTS_MAX };

	for (size_t i = 0; i < probes.count; i++) {
		struct probe_report *report = &probes.reports[i];

		report->name = LONG_NAME;
		report->function = LONG_FUNCTION;
		memset(report->reason, 'x', reason_bytes);
	}
	return probes;
}

static ssize_t pack(const struct probes *probes, uint8_t *buf, size_t buf_bytes)
{
	const struct options options = { .rate_hz = 1, .period_ns = UINT64_MAX };
	struct ring_identity identity = { .generation = UINT64_MAX };

	return hello_pack(&options, probes, &identity, true, buf, buf_bytes);
}

static Netto__Message *unpack(const uint8_t *buf, ssize_t bytes)
{
	Netto__Message *message = NULL;

	if (bytes < 0)
		fail_msg("not packed: %s", strerror((int)-bytes));
	assert_int_equal(message_unpack(buf, (size_t)bytes, &message), 0);
	return message;
}

static void all_probes_with_the_longest_reasons_fit(void **state)
{
	const struct probes probes = all_refused(sizeof(probes.reports[0].reason) - 1);
	uint8_t buf[MESSAGE_BYTES_MAX - UTSNAME_ROOM];
	Netto__Message *message = unpack(buf, pack(&probes, buf, sizeof(buf)));

	(void)state;
	assert_int_equal(message->hello->n_probes, FAMILY_REPORTS_MAX);
	for (size_t i = 0; i < FAMILY_REPORTS_MAX; i++) {
		assert_string_equal(message->hello->probes[i]->function, LONG_FUNCTION);
		assert_false(message->hello->probes[i]->attached);
		assert_in_range(strlen(message->hello->probes[i]->reason), 20, 118);
	}
	message_free(message);
}

static void reasons_that_fit_are_not_cut(void **state)
{
	struct probes probes = all_refused(20);
	uint8_t buf[MESSAGE_BYTES_MAX - UTSNAME_ROOM];
	char *long_one = probes.reports[3].reason;
	Netto__Message *message;

	(void)state;
	memset(long_one, 'y', sizeof(probes.reports[3].reason) - 1);
	message = unpack(buf, pack(&probes, buf, sizeof(buf)));
	for (size_t i = 0; i < FAMILY_REPORTS_MAX; i++)
		assert_string_equal(message->hello->probes[i]->reason, probes.reports[i].reason);
	message_free(message);
}

/* All get the same room: short reasons stay whole. */
static void the_longest_reasons_are_cut_first(void **state)
{
	struct probes probes = all_refused(sizeof(probes.reports[0].reason) - 1);
	uint8_t buf[MESSAGE_BYTES_MAX - UTSNAME_ROOM];
	Netto__Message *message;

	(void)state;
	snprintf(probes.reports[0].reason, sizeof(probes.reports[0].reason), "a short one");
	message = unpack(buf, pack(&probes, buf, sizeof(buf)));
	assert_string_equal(message->hello->probes[0]->reason, "a short one");
	assert_in_range(strlen(message->hello->probes[1]->reason), 12, 118);
	message_free(message);
}

static void a_buffer_too_small_without_any_is_refused(void **state)
{
	const struct probes probes = all_refused(1);
	uint8_t buf[1024];

	(void)state;
	assert_int_equal(pack(&probes, buf, sizeof(buf)), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_probes_with_the_longest_reasons_fit),
		cmocka_unit_test(reasons_that_fit_are_not_cut),
		cmocka_unit_test(the_longest_reasons_are_cut_first),
		cmocka_unit_test(a_buffer_too_small_without_any_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
