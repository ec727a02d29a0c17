/* test_pipeline.c - packed records in, figures of a period out */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "classifier.h"
#include "pipeline.h"

#define MS 1000000ull
#define RECORD_BYTES 4096

#define NET_RX_ACTION 0xffffffff81000000ull
#define NAPI_POLL 0xffffffff81001000ull
#define GRO 0xffffffff81002000ull
#define TCP_RX 0xffffffff81003000ull
#define NIC_INTERRUPT 0xffffffff81004000ull

static const char symbols[] =
	"ffffffff81000000 T net_rx_action\n"
	"ffffffff81001000 t __napi_poll\n"
	"ffffffff81002000 T gro_receive_skb\n"
	"ffffffff81003000 T tcp_v4_rcv\n"
	"ffffffff81004000 t igb_msix_ring\t[igb]\n";

static struct pipeline *pipeline;
static struct procfs *procfs;
static struct totals seen;      /* of the last period */
static struct cpu_figures seen_cpus[2];
static unsigned int periods;
static uint64_t seq, now_ns, rx_ns, nic_ns;

static Netto__Probe softirq = NETTO__PROBE__INIT, hardirq = NETTO__PROBE__INIT;
static Netto__Probe *probes[] = { &softirq, &hardirq };
static Netto__Hello hello = NETTO__HELLO__INIT;

static void on_period(const struct totals *totals)
{
	seen = *totals;
	memcpy(seen_cpus, totals->period.cpus, sizeof(seen_cpus));
	periods++;
}

static int open_all(void **state)
{
	(void)state;
	periods = 0;
	seq = rx_ns = nic_ns = 0;
	now_ns = 1000000 * MS;
	softirq.name = "softirq";
	hardirq.name = "hardirq";
	softirq.attached = hardirq.attached = true;
	hello.probes = probes;
	hello.n_probes = 2;
	hello.sample_ns = MS;
	hello.cpus_online = hello.cpu_slots = 2;
	assert_int_equal(procfs_open(&procfs, NULL, 0), 0);
	assert_int_equal(pipeline_open(&pipeline, procfs, on_period), 0);
	assert_int_equal(pipeline_hello(pipeline, &hello), 0);
	assert_int_equal(pipeline_symbols(pipeline, symbols, sizeof(symbols) - 1), 0);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	pipeline_close(pipeline);
	procfs_close(procfs);
	return 0;
}

static bool symbols_changed;   /* what the last record said */

static void send_bytes(const uint8_t *bytes, size_t count)
{
	symbols_changed = pipeline_record(pipeline, ++seq, 0, bytes, count);
}

static void send_record(const Netto__Record *record)
{
	uint8_t bytes[RECORD_BYTES];

	assert_true(netto__record__get_packed_size(record) <= sizeof(bytes));
	send_bytes(bytes, netto__record__pack(record, bytes));
}

static void send_sample(uint64_t *frames, size_t count, int vector)
{
	Netto__Sample sample = NETTO__SAMPLE__INIT;
	Netto__Record record = NETTO__RECORD__INIT;

	sample.frames = frames;
	sample.n_frames = count;
	sample.vector = (uint32_t)(vector + 1);
	sample.syscall = -1;
	record.kind_case = NETTO__RECORD__KIND_SAMPLE;
	record.sample = &sample;
	send_record(&record);
}

/* A packet in GRO. */
static void send_gro(int vector)
{
	send_sample((uint64_t[]){ GRO + 4, NAPI_POLL + 8, NET_RX_ACTION + 16 }, 3, vector);
}

static void send_counters(Netto__Counters *counters)
{
	Netto__Record record = NETTO__RECORD__INIT;

	counters->time_ns = now_ns;
	record.kind_case = NETTO__RECORD__KIND_COUNTERS;
	record.counters = counters;
	send_record(&record);
}

/* The counters of both CPUs; all time is CPU 0's. */
static void send_snapshot(uint64_t passed_ns)
{
	uint64_t ns[VECTOR_COUNT] = { [VECTOR_NET_RX] = rx_ns };
	Netto__IrqHandler irq = NETTO__IRQ_HANDLER__INIT, *irqs[] = { &irq };
	Netto__Counters first = NETTO__COUNTERS__INIT, second = NETTO__COUNTERS__INIT;

	now_ns += passed_ns;
	irq.handler = NIC_INTERRUPT;
	irq.name = (ProtobufCBinaryData){ 9, (uint8_t *)"eth0-rx-0" };
	irq.ns = nic_ns;
	first.softirq_ns = ns;
	first.n_softirq_ns = VECTOR_COUNT;
	first.irq_handlers = irqs;
	first.n_irq_handlers = 1;
	send_counters(&first);
	second.cpu = 1;
	second.last_of_snapshot = true;
	send_counters(&second);
}

static uint64_t rx_component(enum component component)
{
	return seen.period.components[CONTEXT_SOFTIRQ_RX][component].ns;
}

static void a_sample_ends_in_its_component(void **state)
{
	(void)state;
	send_snapshot(0);
	send_gro(VECTOR_NET_RX);
	send_gro(VECTOR_NET_RX);
	send_gro(VECTOR_NET_RX);
	send_sample((uint64_t[]){ TCP_RX + 4, GRO + 4, NET_RX_ACTION + 16 }, 3, VECTOR_NET_RX);
	rx_ns = 100;
	nic_ns = 7;
	send_snapshot(500 * MS);
	assert_int_equal(periods, 1);
	assert_int_equal(seen.period.contexts[CONTEXT_SOFTIRQ_RX].ns, 100);
	assert_int_equal(seen.period.contexts[CONTEXT_SOFTIRQ_RX].samples, 4);
	assert_int_equal(rx_component(COMPONENT_GRO), 75);
	assert_int_equal(rx_component(COMPONENT_TCP_RX), 25);
	assert_int_equal(seen.period.contexts[CONTEXT_HARDIRQ].ns, 7);
	assert_int_equal(seen_cpus[0].ns[CONTEXT_SOFTIRQ_RX], 100);
}

static void any_number_of_records_is_decoded(void **state)
{
	(void)state;
	send_snapshot(0);
	for (int i = 0; i < 3000; i++)
		send_gro(VECTOR_NET_RX);
	send_snapshot(500 * MS);
	assert_int_equal(seen.period.contexts[CONTEXT_SOFTIRQ_RX].samples, 3000);
	assert_int_equal(seen.period.lost[LOSS_DECODE], 0);
}

static void the_vector_is_part_of_a_stack(void **state)
{
	(void)state;
	send_snapshot(0);
	for (int i = 0; i < 2; i++) {
		send_gro(VECTOR_NET_RX);
		send_gro(VECTOR_BLOCK);   /* the probes saw another softirq: not network */
	}
	send_snapshot(500 * MS);
	assert_int_equal(seen.period.contexts[CONTEXT_SOFTIRQ_RX].samples, 2);
	assert_int_equal(seen.period.samples_other, 2);
}

static void labels_do_not_outlive_their_symbols(void **state)
{
	static const char others[] =
		"ffffffff81000000 T net_rx_action\n"
		"ffffffff81001000 t __napi_poll\n"
		"ffffffff81002000 T tcp_v4_rcv\n";

	(void)state;
	send_snapshot(0);
	send_gro(VECTOR_NET_RX);
	send_snapshot(500 * MS);
	assert_int_equal(pipeline_symbols(pipeline, others, sizeof(others) - 1), 0);
	send_gro(VECTOR_NET_RX);
	send_snapshot(500 * MS);
	assert_int_equal(seen.period.components[CONTEXT_SOFTIRQ_RX][COMPONENT_GRO].samples, 0);
	assert_int_equal(seen.period.components[CONTEXT_SOFTIRQ_RX][COMPONENT_TCP_RX].samples, 1);
	assert_int_equal(seen.symbols, 3);
}

static void without_addresses_exact_time_is_unknown_but_there(void **state)
{
	static const char hidden[] = "0000000000000000 T net_rx_action\n";

	(void)state;
	assert_int_equal(pipeline_symbols(pipeline, hidden, sizeof(hidden) - 1), 0);
	send_snapshot(0);
	send_sample((uint64_t[]){ 0, 0, 0 }, 3, VECTOR_NET_RX);
	rx_ns = 100;
	send_snapshot(500 * MS);
	assert_int_equal(seen.symbols, 0);
	assert_int_equal(rx_component(COMPONENT_UNKNOWN), 100);
}

static void symbols_that_are_none_are_refused(void **state)
{
	(void)state;
	assert_int_equal(pipeline_symbols(pipeline, "rubbish\n", 8), -EINVAL);
}

static void a_period_says_where_and_when(void **state)
{
	struct timespec now;
	uint64_t aggregator_ns;

	(void)state;
	send_snapshot(0);
	assert_int_equal(periods, 0);
	send_snapshot(500 * MS);
	clock_gettime(CLOCK_REALTIME, &now);
	assert_int_equal(periods, 1);
	assert_true(seen.collector_up);
	assert_ptr_equal(seen.hello, &hello);
	assert_int_equal(seen.symbols, 5);
	assert_int_equal(seen.cpus_online, 2);
	assert_in_range((uint64_t)now.tv_sec - seen.end_ns / 1000000000u, 0, 60);
	aggregator_ns = seen.period.aggregator_cpu_ns;
	send_snapshot(500 * MS);
	assert_int_equal(seen.total.aggregator_cpu_ns,
			 aggregator_ns + seen.period.aggregator_cpu_ns);
}

static void silence_shows_no_collector(void **state)
{
	const struct totals *totals;
	struct pipeline *other;

	(void)state;
	assert_int_equal(pipeline_open(&other, procfs, on_period), 0);
	totals = pipeline_silence(other);
	assert_false(totals->collector_up);
	assert_null(totals->hello);
	assert_int_equal(totals->cpu_slots, 0);
	pipeline_close(other);

	send_snapshot(0);
	send_snapshot(500 * MS);
	totals = pipeline_silence(pipeline);
	assert_false(totals->collector_up);
	assert_ptr_equal(totals->hello, &hello);
	assert_int_equal(totals->period.records, 0);
	assert_int_equal(totals->total.records, 4);
}

/* A collector that was stopped goes on counting in the kernel. */
static void a_stall_is_shown_and_loses_nothing(void **state)
{
	const struct totals *totals;

	(void)state;
	send_snapshot(0);
	send_snapshot(500 * MS);
	rx_ns = 100;
	totals = pipeline_stall(pipeline);
	assert_false(totals->collector_up);
	assert_ptr_equal(totals->hello, &hello);
	assert_int_equal(totals->total.records, 4);
	send_snapshot(10000 * MS);
	assert_int_equal(periods, 2);
	assert_true(seen.collector_up);
	assert_int_equal(seen.period.contexts[CONTEXT_SOFTIRQ_RX].ns, 100);
	assert_int_equal(seen.total.records, 6);
}

/* ---- records that are none ---- */

static void send_deep_sample(void)
{
	uint64_t frames[STACK_FRAMES_MAX + 1] = { 0 };

	send_sample(frames, STACK_FRAMES_MAX + 1, VECTOR_NET_RX);
}

static void send_unknown_vector(void)
{
	send_gro(VECTOR_COUNT);
}

static void send_cpu_out_of_range(void)
{
	Netto__Counters counters = NETTO__COUNTERS__INIT;

	counters.cpu = 2;
	send_counters(&counters);
}

static void send_many_vectors(void)
{
	uint64_t ns[VECTOR_COUNT + 1] = { 0 };
	Netto__Counters counters = NETTO__COUNTERS__INIT;

	counters.softirq_ns = ns;
	counters.n_softirq_ns = VECTOR_COUNT + 1;
	send_counters(&counters);
}

static void send_many_events(void)
{
	uint64_t events[VECTOR_COUNT + 1] = { 0 };
	Netto__Counters counters = NETTO__COUNTERS__INIT;

	counters.softirq_events = events;
	counters.n_softirq_events = VECTOR_COUNT + 1;
	send_counters(&counters);
}

static void send_irqs(size_t count, size_t name_bytes)
{
	static uint8_t name[100];
	Netto__IrqHandler irq = NETTO__IRQ_HANDLER__INIT, *irqs[65];
	Netto__Counters counters = NETTO__COUNTERS__INIT;

	irq.name = (ProtobufCBinaryData){ name_bytes, name };
	for (size_t i = 0; i < count; i++)
		irqs[i] = &irq;
	counters.irq_handlers = irqs;
	counters.n_irq_handlers = count;
	send_counters(&counters);
}

static void send_many_irqs(void)
{
	send_irqs(65, 4);
}

static void send_long_irq_name(void)
{
	send_irqs(1, 65);
}

static void send_no_kind(void)
{
	send_bytes((const uint8_t *)"", 0);
}

static void send_rubbish(void)
{
	uint8_t bytes[200];

	memset(bytes, 0xff, sizeof(bytes));
	send_bytes(bytes, sizeof(bytes));
}

static void send_cut_off(void)
{
	send_bytes((const uint8_t[]){ 0x0a, 40, 0x0a, 32, 1, 2, 3 }, 7);
}

/* Handlers of no bytes: what unpacks to far more than it is long. */
static void send_bomb(void)
{
	uint8_t bytes[RECORD_BYTES - 1] = { 0x12, 0xfc, 0x1f };

	for (size_t i = 3; i < sizeof(bytes); i += 2)
		bytes[i] = 0x3a;
	send_bytes(bytes, sizeof(bytes));
}

static void what_is_no_record_is_counted_and_harmless(void **state)
{
	static const struct { void (*send)(void); const char *why; } cases[] = {
		{ send_deep_sample, "more than 127 frames" },
		{ send_unknown_vector, "a vector that no kernel has" },
		{ send_cpu_out_of_range, "a CPU that the hello does not know" },
		{ send_many_vectors, "time of too many vectors" },
		{ send_many_events, "events of too many vectors" },
		{ send_many_irqs, "too many handlers" },
		{ send_long_irq_name, "a long name" },
		{ send_no_kind, "no kind" },
		{ send_rubbish, "rubbish" },
		{ send_cut_off, "cut off" },
		{ send_bomb, "a bomb" },
	};

	(void)state;
	send_snapshot(0);
	send_snapshot(500 * MS);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cases[i].send();
		send_gro(VECTOR_NET_RX);
		send_snapshot(500 * MS);
		if (seen.period.lost[LOSS_DECODE] != 1 || seen.period.records != 3)
			fail_msg("%s: %lu undecodable, %lu records", cases[i].why,
				 (unsigned long)seen.period.lost[LOSS_DECODE],
				 (unsigned long)seen.period.records);
		assert_int_equal(seen.period.samples_network, 1);
	}
}

static void the_largest_and_the_smallest_honest_records_are_taken(void **state)
{
	uint64_t frames[STACK_FRAMES_MAX];
	Netto__SymbolsChanged changed = NETTO__SYMBOLS_CHANGED__INIT;
	Netto__Record record = NETTO__RECORD__INIT;

	(void)state;
	send_snapshot(0);
	for (size_t i = 0; i < STACK_FRAMES_MAX; i++)
		frames[i] = GRO + i;
	send_sample(frames, STACK_FRAMES_MAX, VECTOR_NET_RX);
	send_sample(NULL, 0, VECTOR_NONE);
	send_irqs(40, 24);
	send_irqs(2, 0);
	assert_false(symbols_changed);
	record.kind_case = NETTO__RECORD__KIND_SYMBOLS_CHANGED;
	record.symbols_changed = &changed;
	send_record(&record);
	assert_true(symbols_changed);
	send_snapshot(500 * MS);
	assert_int_equal(seen.period.lost[LOSS_DECODE], 0);
	assert_int_equal(seen.period.records, 9);
}

#define OPENED(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPENED(a_sample_ends_in_its_component),
		OPENED(any_number_of_records_is_decoded),
		OPENED(the_vector_is_part_of_a_stack),
		OPENED(labels_do_not_outlive_their_symbols),
		OPENED(without_addresses_exact_time_is_unknown_but_there),
		OPENED(symbols_that_are_none_are_refused),
		OPENED(a_period_says_where_and_when),
		OPENED(silence_shows_no_collector),
		OPENED(a_stall_is_shown_and_loses_nothing),
		OPENED(what_is_no_record_is_counted_and_harmless),
		OPENED(the_largest_and_the_smallest_honest_records_are_taken),
	};

	return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
