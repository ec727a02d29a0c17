/* test_accumulator.c - figures that add up, whatever comes in */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accumulator.h"
#include "classifier.h"

#define CPUS_MAX 8
#define MS 1000000ull
#define SECOND (1000 * MS)
#define SAMPLE_NS MS

#define NIC_HANDLER 0xffffffff81001000ull
#define DISK_HANDLER 0xffffffff81002000ull

/* Counters of one CPU of the machine that the tests pretend to be. */
struct pretended_cpu {
	uint64_t ns[VECTOR_COUNT], events[VECTOR_COUNT];
	uint64_t nic_ns, nic_events, disk_ns;
	uint64_t socket_ns[2], socket_events[2];   /* send, receive */
	uint64_t taken, calls_missed;
	struct { uint64_t full, encode; } lost;
};

static struct accumulator *a;
static struct pretended_cpu cpus[CPUS_MAX];
static size_t cpu_count;
static uint64_t now_ns, seq, snapshot, unmapped, symbols_missed, collector_cpu_ns;
static unsigned int handlers_asked;
static bool skip_record[CPUS_MAX];   /* records that are lost on the way */
static uint64_t skipped;

static Netto__Probe softirq = NETTO__PROBE__INIT, hardirq = NETTO__PROBE__INIT;
static Netto__Probe *probes[] = { &softirq, &hardirq };
static bool exact_sends, exact_receives;

static bool handler_is_network(void *arg, uint64_t handler, const char *name, size_t name_bytes)
{
	(void)arg;
	handlers_asked++;
	assert_int_equal(name_bytes, 4);
	assert_memory_equal(name, handler == NIC_HANDLER ? "eth0" : "sda0", 4);
	return handler == NIC_HANDLER;
}

/* A collector with nothing counted yet comes. */
static void begin(size_t count)
{
	Netto__Hello hello = NETTO__HELLO__INIT;

	softirq.name = "softirq";
	hardirq.name = "hardirq";
	hello.probes = probes;
	hello.n_probes = 2;
	hello.exact_syscall_tx = exact_sends;
	hello.exact_syscall_rx = exact_receives;
	hello.ring_generation = 77;
	hello.cpus_online = (uint32_t)count;
	hello.cpu_slots = (uint32_t)count;
	hello.sample_ns = SAMPLE_NS;
	cpu_count = count;
	memset(cpus, 0, sizeof(cpus));
	memset(skip_record, 0, sizeof(skip_record));
	unmapped = symbols_missed = collector_cpu_ns = skipped = 0;
	assert_int_equal(accumulator_begin(a, &hello), 0);
}

static void record(uint64_t lost)
{
	lost += skipped;
	skipped = 0;
	seq += lost + 1;
	accumulator_record(a, seq, lost);
}

static bool counters(size_t i)
{
	Netto__IrqHandler nic = NETTO__IRQ_HANDLER__INIT, disk = NETTO__IRQ_HANDLER__INIT;
	Netto__IrqHandler *irqs[] = { &nic, &disk };
	Netto__SamplesLost lost = NETTO__SAMPLES_LOST__INIT;
	Netto__Counters c = NETTO__COUNTERS__INIT;

	nic.handler = NIC_HANDLER;
	nic.name = (ProtobufCBinaryData){ 4, (uint8_t *)"eth0" };
	nic.ns = cpus[i].nic_ns;
	nic.events = cpus[i].nic_events;
	disk.handler = DISK_HANDLER;
	disk.name = (ProtobufCBinaryData){ 4, (uint8_t *)"sda0" };
	disk.ns = cpus[i].disk_ns;
	lost.ring_full = cpus[i].lost.full;
	lost.encode = cpus[i].lost.encode;
	c.snapshot = snapshot;
	c.cpu = (uint32_t)i;
	c.time_ns = now_ns;
	c.last_of_snapshot = i + 1 == cpu_count;
	c.n_softirq_ns = c.n_softirq_events = VECTOR_COUNT;
	c.softirq_ns = cpus[i].ns;
	c.softirq_events = cpus[i].events;
	c.n_socket_ns = c.n_socket_events = 2;
	c.socket_ns = cpus[i].socket_ns;
	c.socket_events = cpus[i].socket_events;
	c.irq_handlers = irqs;
	c.n_irq_handlers = 2;
	c.samples_taken = cpus[i].taken;
	c.socket_missed = cpus[i].calls_missed;
	c.lost = &lost;
	c.frames_unmapped = c.last_of_snapshot ? unmapped : 0;
	c.symbols_missed = c.last_of_snapshot ? symbols_missed : 0;
	c.collector_cpu_ns = c.last_of_snapshot ? collector_cpu_ns : 0;
	record(0);
	return accumulator_counters(a, &c);
}

/* All CPUs' counters but those to skip; whether a period ended. */
static bool take_snapshot(uint64_t passed_ns)
{
	bool ended = false;

	now_ns += passed_ns;
	snapshot++;
	for (size_t i = 0; i < cpu_count; i++) {
		if (skip_record[i])
			skipped++;
		else
			ended = counters(i);
	}
	return ended;
}

static void sample(size_t cpu, int vector, const struct label *label)
{
	const struct sample_facts facts = { .cpu = (uint32_t)cpu, .vector = vector };

	record(0);
	accumulator_sample(a, &facts, label);
}

static void samples(unsigned int times, size_t cpu, int vector, const struct label *label)
{
	while (times--)
		sample(cpu, vector, label);
}

static const struct label not_network = { .context = CONTEXT_COUNT };
static const struct label rx_gro = {
	.context = CONTEXT_SOFTIRQ_RX, .component = COMPONENT_GRO, .step = STEP_GRO,
	.explained = true,
};
static const struct label rx_tcp = {
	.context = CONTEXT_SOFTIRQ_RX, .component = COMPONENT_TCP_RX,
	.step = STEP_LOCAL_DELIVERY, .family = FAMILY_IPV4, .work = WORK_COPY, .explained = true,
};
static const struct label timer_tcp = {
	.context = CONTEXT_SOFTIRQ_TIMER, .component = COMPONENT_TCP_TIMER, .explained = true,
};
static const struct label send_tcp = {
	.context = CONTEXT_SYSCALL_TX, .component = COMPONENT_TCP_TX, .explained = true,
};
static const struct label receive_other = {
	.context = CONTEXT_SYSCALL_RX, .component = COMPONENT_OTHER,
};
static const struct label receive_polls = {
	.context = CONTEXT_BUSY_POLL, .component = COMPONENT_DRIVER_POLL,
	.step = STEP_DRIVER_POLL, .caller = CONTEXT_SYSCALL_RX, .explained = true,
};
static const struct label epoll_polls = {
	.context = CONTEXT_BUSY_POLL, .component = COMPONENT_DRIVER_POLL,
	.step = STEP_DRIVER_POLL, .caller = CONTEXT_SYSCALL_OTHER, .explained = true,
};

static int open_two_cpus(void **state)
{
	(void)state;
	now_ns = 1000 * SECOND;
	seq = snapshot = 0;
	handlers_asked = 0;
	softirq.attached = hardirq.attached = true;
	exact_sends = exact_receives = false;
	assert_int_equal(accumulator_open(&a, handler_is_network, NULL), 0);
	begin(2);
	return 0;
}

/* As above, with the baseline taken. */
static int start_two_cpus(void **state)
{
	open_two_cpus(state);
	assert_false(take_snapshot(0));
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	accumulator_close(a);
	return 0;
}

static const struct figures *period(void)
{
	return &accumulator_period(a)->period;
}

static const struct figures *total(void)
{
	return &accumulator_period(a)->total;
}

/* ---- what must always hold ---- */

static void check_context(const struct figures *f, size_t c, size_t slots)
{
	uint64_t by_cpu = 0, events = 0, components = 0, counted = 0, steps = 0, works = 0;

	for (size_t i = 0; i < slots; i++) {
		by_cpu += f->cpus[i].ns[c];
		events += f->cpus[i].events[c];
	}
	for (size_t k = 0; k < COMPONENT_COUNT; k++) {
		components += f->components[c][k].ns;
		counted += f->components[c][k].samples;
	}
	for (size_t s = 0; s < STEP_COUNT; s++)
		for (size_t i = 0; i < FAMILY_COUNT; i++)
			steps += f->steps[c][s][i];
	for (size_t w = 0; w < WORK_COUNT; w++)
		works += f->works[c][w];
	assert_int_equal(by_cpu, f->contexts[c].ns);
	assert_int_equal(events, f->contexts[c].events);
	assert_int_equal(components, f->contexts[c].ns);
	assert_int_equal(counted, f->contexts[c].samples);
	assert_int_equal(steps, f->contexts[c].ns);
	assert_int_equal(works, f->contexts[c].ns);
}

static void check_sums(const struct figures *f, size_t slots, uint64_t cpu_time_ns)
{
	uint64_t sum_ns = 0, sum_samples = 0;

	for (size_t c = 0; c < CONTEXT_COUNT; c++) {
		check_context(f, c, slots);
		sum_ns += f->contexts[c].ns;
		sum_samples += f->contexts[c].samples;
	}
	assert_true(sum_ns <= cpu_time_ns);
	assert_int_equal(sum_samples, f->samples_network);
}

/* The numbers of the records are all accounted for, and go on from the last period's. */
static void check_records(const struct totals *t)
{
	const struct figures *f = &t->period;

	assert_int_equal(f->records + f->lost[LOSS_RING_OVERRUN] + f->lost[LOSS_DECODE],
			 t->last_seq - t->first_seq + 1);
}

/* ---- exact contexts ---- */

static void exact_time_is_what_the_counters_say(void **state)
{
	(void)state;
	cpus[0].ns[VECTOR_NET_RX] = 100 * MS;
	cpus[0].events[VECTOR_NET_RX] = 7;
	cpus[1].ns[VECTOR_NET_RX] = 23;
	cpus[1].ns[VECTOR_NET_TX] = 5 * MS;
	cpus[1].ns[VECTOR_BLOCK] = 50 * MS;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->wall_ns, 500 * MS);
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 100 * MS + 23);
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].events, 7);
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_TX].ns, 5 * MS);
	assert_int_equal(period()->cpus[0].ns[CONTEXT_SOFTIRQ_RX], 100 * MS);
	assert_int_equal(period()->cpus[1].ns[CONTEXT_SOFTIRQ_TX], 5 * MS);
	check_sums(period(), 2, SECOND);

	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 0);
	assert_int_equal(total()->contexts[CONTEXT_SOFTIRQ_RX].ns, 100 * MS + 23);
	assert_int_equal(total()->wall_ns, SECOND);
}

static void time_before_the_first_snapshot_is_not_counted(void **state)
{
	(void)state;
	cpus[0].ns[VECTOR_NET_RX] = 900 * SECOND;
	cpus[0].taken = 4000;
	sample(0, VECTOR_NONE, &send_tcp);
	assert_false(take_snapshot(0));
	cpus[0].ns[VECTOR_NET_RX] += 3;
	cpus[0].taken += 2;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 3);
	assert_int_equal(period()->samples_taken, 2);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_TX].ns, 0);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_TX].samples, 1);
	check_records(accumulator_period(a));
}

/* A first snapshot whose last record was lost leaves CPU 0 with a reading. */
static void time_of_half_a_first_snapshot_is_not_counted(void **state)
{
	(void)state;
	skip_record[1] = true;
	assert_false(take_snapshot(0));
	skip_record[1] = false;
	cpus[0].ns[VECTOR_NET_RX] = 400 * MS;
	cpus[0].events[VECTOR_NET_RX] = 30;
	assert_false(take_snapshot(500 * MS));
	cpus[0].ns[VECTOR_NET_RX] += 5;
	cpus[0].events[VECTOR_NET_RX]++;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 5);
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].events, 1);
}

static void an_exact_context_is_split_as_its_samples_are(void **state)
{
	const struct figures *f;

	(void)state;
	samples(3, 0, VECTOR_NET_RX, &rx_gro);
	samples(1, 1, VECTOR_NET_RX, &rx_tcp);
	cpus[0].ns[VECTOR_NET_RX] = 101;
	assert_true(take_snapshot(500 * MS));
	f = period();
	assert_int_equal(f->components[CONTEXT_SOFTIRQ_RX][COMPONENT_GRO].ns, 76);
	assert_int_equal(f->components[CONTEXT_SOFTIRQ_RX][COMPONENT_TCP_RX].ns, 25);
	assert_int_equal(f->steps[CONTEXT_SOFTIRQ_RX][STEP_GRO][FAMILY_NONE], 76);
	assert_int_equal(f->steps[CONTEXT_SOFTIRQ_RX][STEP_LOCAL_DELIVERY][FAMILY_IPV4], 25);
	assert_int_equal(f->works[CONTEXT_SOFTIRQ_RX][WORK_COPY], 25);
	assert_int_equal(f->contexts[CONTEXT_SOFTIRQ_RX].samples, 4);

	/* The window reaches back: with no new sample the shares stay. */
	cpus[0].ns[VECTOR_NET_RX] += 100;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->components[CONTEXT_SOFTIRQ_RX][COMPONENT_GRO].ns, 75);

	/* Not for ever. */
	cpus[0].ns[VECTOR_NET_RX] += 100;
	assert_true(take_snapshot(60 * SECOND));
	cpus[0].ns[VECTOR_NET_RX] += 100;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->components[CONTEXT_SOFTIRQ_RX][COMPONENT_UNKNOWN].ns, 100);
}

static void without_samples_an_exact_context_is_unknown(void **state)
{
	(void)state;
	cpus[0].ns[VECTOR_NET_RX] = 99;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->components[CONTEXT_SOFTIRQ_RX][COMPONENT_UNKNOWN].ns, 99);
	assert_int_equal(period()->steps[CONTEXT_SOFTIRQ_RX][STEP_NONE][FAMILY_NONE], 99);
	assert_int_equal(period()->works[CONTEXT_SOFTIRQ_RX][WORK_NONE], 99);
}

static void timers_count_by_the_network_share_of_their_vector(void **state)
{
	(void)state;
	samples(1, 0, VECTOR_TIMER, &timer_tcp);
	samples(3, 0, VECTOR_TIMER, &not_network);
	samples(5, 0, VECTOR_HRTIMER, &not_network);
	cpus[0].ns[VECTOR_TIMER] = 300;
	cpus[1].ns[VECTOR_TIMER] = 100;
	cpus[0].events[VECTOR_TIMER] = 40;
	cpus[1].ns[VECTOR_HRTIMER] = 1000;
	cpus[1].ns[VECTOR_TASKLET] = 1000;   /* no sample: not network */
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_TIMER].ns, 100);
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_TIMER].events, 10);
	assert_int_equal(period()->components[CONTEXT_SOFTIRQ_TIMER][COMPONENT_TCP_TIMER].ns, 100);
	assert_int_equal(period()->cpus[0].ns[CONTEXT_SOFTIRQ_TIMER], 75);
	assert_int_equal(period()->cpus[1].ns[CONTEXT_SOFTIRQ_TIMER], 25);
	check_sums(period(), 2, SECOND);
}

static void interrupts_are_those_of_network_devices(void **state)
{
	(void)state;
	for (int i = 1; i <= 3; i++) {
		cpus[0].nic_ns += 10;
		cpus[0].nic_events++;
		cpus[1].nic_ns += 5;
		cpus[0].disk_ns += 1000;
		assert_true(take_snapshot(500 * MS));
		assert_int_equal(period()->contexts[CONTEXT_HARDIRQ].ns, 15);
		assert_int_equal(period()->contexts[CONTEXT_HARDIRQ].events, 1);
		assert_int_equal(period()->components[CONTEXT_HARDIRQ][COMPONENT_DRIVER_IRQ].ns, 15);
	}
	assert_int_equal(handlers_asked, 2);   /* once each */
	assert_int_equal(total()->contexts[CONTEXT_HARDIRQ].ns, 45);
}

/* As if started with socket probes, the baseline taken. */
static void time_sockets(void)
{
	exact_sends = exact_receives = true;
	begin(2);
	assert_false(take_snapshot(500 * MS));
}

static void timed_calls_are_what_the_counters_say(void **state)
{
	(void)state;
	time_sockets();
	samples(3, 0, VECTOR_NONE, &send_tcp);
	cpus[0].socket_ns[0] = 200;
	cpus[1].socket_ns[0] = 100;
	cpus[0].socket_events[0] = 7;
	cpus[1].socket_ns[1] = 50;
	cpus[1].socket_events[1] = 2;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_TX].ns, 300);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_TX].events, 7);
	assert_int_equal(period()->cpus[1].ns[CONTEXT_SYSCALL_TX], 100);
	assert_int_equal(period()->components[CONTEXT_SYSCALL_TX][COMPONENT_TCP_TX].ns, 300);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_RX].ns, 50);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_RX].events, 2);
	assert_int_equal(period()->components[CONTEXT_SYSCALL_RX][COMPONENT_UNKNOWN].ns, 50);
	check_sums(period(), 2, SECOND);
}

/* The call's clock runs on while it polls, but that is another context. */
static void polling_is_taken_out_of_the_receive_call(void **state)
{
	(void)state;
	time_sockets();
	samples(1, 0, VECTOR_NONE, &receive_other);
	samples(3, 0, VECTOR_NONE, &receive_polls);
	samples(4, 1, VECTOR_NONE, &epoll_polls);
	cpus[0].socket_ns[1] = 4 * SAMPLE_NS;
	cpus[0].socket_events[1] = 9;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_RX].ns, SAMPLE_NS);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_RX].events, 9);
	assert_int_equal(period()->components[CONTEXT_SYSCALL_RX][COMPONENT_OTHER].ns, SAMPLE_NS);
	assert_int_equal(period()->contexts[CONTEXT_BUSY_POLL].ns, 7 * SAMPLE_NS);
	check_sums(period(), 2, SECOND);
}

/* The time of calls holds that of softirqs, which their samples bill too. */
static void without_softirq_probes_calls_are_sampled(void **state)
{
	(void)state;
	softirq.attached = false;
	time_sockets();
	samples(2, 0, VECTOR_NONE, &send_tcp);
	cpus[0].socket_ns[0] = 300;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_TX].ns, 2 * SAMPLE_NS);
}

static void exactness_follows_the_probes(void **state)
{
	static const struct { bool softirq, hardirq; const char *why; } cases[] = {
		{ true, true, "both" }, { true, false, "softirqs" },
		{ false, true, "interrupts" }, { false, false, "neither" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const bool *exact = accumulator_period(a)->exact;

		softirq.attached = cases[i].softirq;
		hardirq.attached = cases[i].hardirq;
		begin(2);
		if (exact[CONTEXT_SOFTIRQ_RX] != cases[i].softirq ||
		    exact[CONTEXT_SOFTIRQ_TX] != cases[i].softirq ||
		    exact[CONTEXT_SOFTIRQ_TIMER] != cases[i].softirq ||
		    exact[CONTEXT_HARDIRQ] != cases[i].hardirq ||
		    exact[CONTEXT_SYSCALL_TX] || exact[CONTEXT_KTHREAD])
			fail_msg("%s", cases[i].why);
	}
}

static void without_softirq_probes_softirqs_are_sampled(void **state)
{
	(void)state;
	softirq.attached = false;
	begin(2);
	assert_false(take_snapshot(500 * MS));
	samples(3, 1, VECTOR_NONE, &rx_gro);
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 3 * SAMPLE_NS);
	assert_int_equal(period()->cpus[1].ns[CONTEXT_SOFTIRQ_RX], 3 * SAMPLE_NS);
	assert_int_equal(period()->components[CONTEXT_SOFTIRQ_RX][COMPONENT_GRO].ns, 3 * SAMPLE_NS);
}

/* ---- sampled contexts ---- */

static void a_sampled_context_is_samples_times_sample_time(void **state)
{
	(void)state;
	samples(5, 0, VECTOR_NONE, &send_tcp);
	samples(2, 1, VECTOR_NONE, &send_tcp);
	samples(3, 1, VECTOR_NONE, &receive_other);
	samples(9, 1, VECTOR_NONE, &not_network);
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_TX].ns, 7 * SAMPLE_NS);
	assert_int_equal(period()->cpus[0].ns[CONTEXT_SYSCALL_TX], 5 * SAMPLE_NS);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_RX].ns, 3 * SAMPLE_NS);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_RX].unexplained, 3);
	assert_int_equal(period()->samples_network, 10);
	assert_int_equal(period()->samples_other, 9);
	assert_int_equal(period()->clipped_ns, 0);

	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_TX].ns, 0);
}

static void sampled_contexts_share_what_exact_ones_leave(void **state)
{
	(void)state;
	cpus[0].ns[VECTOR_NET_RX] = 10 * MS;
	samples(20, 0, VECTOR_NONE, &send_tcp);
	samples(10, 1, VECTOR_NONE, &receive_other);
	assert_true(take_snapshot(12 * MS + 500000));   /* 25 ms of two CPUs */
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 10 * MS);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_TX].ns, 10 * MS);
	assert_int_equal(period()->contexts[CONTEXT_SYSCALL_RX].ns, 5 * MS);
	assert_int_equal(period()->clipped_ns, 15 * MS);
	check_sums(period(), 2, 25 * MS);
}

/* ---- what goes wrong on the way ---- */

static void a_softirq_across_a_snapshot_waits_for_room(void **state)
{
	(void)state;
	assert_true(take_snapshot(500 * MS));   /* idle: that time does not come back */
	cpus[0].ns[VECTOR_NET_RX] = 502 * MS;   /* 2 ms of it ran before the snapshot */
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 500 * MS);
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 2 * MS);
	assert_int_equal(total()->contexts[CONTEXT_SOFTIRQ_RX].ns, 502 * MS);
}

static void a_lost_counters_record_is_caught_up(void **state)
{
	(void)state;
	cpus[0].ns[VECTOR_NET_RX] = 400 * MS;
	cpus[1].ns[VECTOR_NET_RX] = 100 * MS;
	skip_record[0] = true;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 100 * MS);

	skip_record[0] = false;
	cpus[0].ns[VECTOR_NET_RX] += 400 * MS;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->cpus[0].ns[CONTEXT_SOFTIRQ_RX], 800 * MS);
	check_sums(period(), 2, SECOND);
	assert_int_equal(total()->contexts[CONTEXT_SOFTIRQ_RX].ns, 900 * MS);
}

static void a_lost_end_of_a_snapshot_makes_one_long_period(void **state)
{
	(void)state;
	cpus[0].ns[VECTOR_NET_RX] = 400 * MS;
	cpus[1].ns[VECTOR_NET_TX] = 300 * MS;
	skip_record[1] = true;
	assert_false(take_snapshot(500 * MS));
	skip_record[1] = false;
	cpus[0].ns[VECTOR_NET_RX] += 450 * MS;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->wall_ns, SECOND);
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 850 * MS);
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_TX].ns, 300 * MS);
}

static void a_counter_that_went_back_is_a_baseline(void **state)
{
	(void)state;
	cpus[0].ns[VECTOR_NET_RX] = 100;
	assert_true(take_snapshot(500 * MS));
	cpus[0].ns[VECTOR_NET_RX] = 40;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 0);
	cpus[0].ns[VECTOR_NET_RX] = 45;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->contexts[CONTEXT_SOFTIRQ_RX].ns, 5);
}

static void a_cpu_out_of_range_is_undecodable(void **state)
{
	(void)state;
	sample(2, VECTOR_NONE, &send_tcp);
	cpu_count = 3;
	assert_false(counters(2));
	cpu_count = 2;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->lost[LOSS_DECODE], 2);
	assert_int_equal(period()->samples_network, 0);
	check_records(accumulator_period(a));
}

static void every_record_is_delivered_or_lost_in_one_period(void **state)
{
	const struct totals *t = accumulator_period(a);
	uint64_t last;

	(void)state;
	record(0);
	record(5);
	record(0);
	accumulator_undecodable(a);
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(t->first_seq, 1);   /* the baseline's records are in it */
	assert_int_equal(t->last_seq, 12);
	assert_int_equal(t->period.records, 6);
	assert_int_equal(t->period.lost[LOSS_RING_OVERRUN], 5);
	assert_int_equal(t->period.lost[LOSS_DECODE], 1);
	check_records(t);

	last = t->last_seq;
	record(3);   /* lost where a period starts: the new one's */
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(t->first_seq, last + 1);
	check_records(t);
}

static void losses_before_the_first_record_are_the_first_periods(void **state)
{
	const struct totals *t = accumulator_period(a);

	(void)state;
	record(6);
	(void)take_snapshot(0);
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(t->first_seq, 1);
	assert_int_equal(t->period.lost[LOSS_RING_OVERRUN], 6);
	check_records(t);
}

static void kernel_side_losses_and_costs_are_handed_on(void **state)
{
	(void)state;
	cpus[0].lost.full = 3;
	cpus[1].lost.full = 4;
	cpus[1].lost.encode = 1;
	cpus[0].calls_missed = 5;
	unmapped = 8;
	symbols_missed = 6;
	collector_cpu_ns = 900;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(period()->lost[LOSS_BPF_RING_FULL], 7);
	assert_int_equal(period()->lost[LOSS_ENCODE], 1);
	assert_int_equal(period()->frames_unmapped, 8);
	assert_int_equal(period()->symbols_missed, 6);
	assert_int_equal(period()->calls_missed, 5);
	assert_int_equal(period()->collector_cpu_ns, 900);
}

static void a_new_collector_leaves_a_gap_and_the_totals(void **state)
{
	const struct totals *t = accumulator_period(a);

	(void)state;
	cpus[0].ns[VECTOR_NET_RX] = 100;
	assert_true(take_snapshot(500 * MS));
	samples(4, 0, VECTOR_NONE, &send_tcp);   /* of a period that never ends */

	seq = 900;
	now_ns += 3 * SECOND;
	begin(2);
	cpus[0].ns[VECTOR_NET_RX] = 5000;
	assert_false(take_snapshot(0));
	cpus[0].ns[VECTOR_NET_RX] = 5001;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(t->period.contexts[CONTEXT_SOFTIRQ_RX].ns, 1);
	assert_int_equal(t->total.contexts[CONTEXT_SOFTIRQ_RX].ns, 101);
	assert_int_equal(t->total.contexts[CONTEXT_SYSCALL_TX].samples, 4);
	assert_int_equal(t->total.contexts[CONTEXT_SYSCALL_TX].ns, 0);
	assert_int_equal(t->total.records, 4 + 4 + 4);
	assert_int_equal(t->period.gaps, 1);
	assert_int_equal(t->total.gaps, 1);
	assert_int_equal(t->period.gap_ns, 3 * SECOND);
	assert_int_equal(t->first_seq, 901);
	check_records(t);
	check_sums(&t->total, 2, 2 * SECOND);
}

static void silence_is_an_empty_period(void **state)
{
	const struct totals *t;

	(void)state;
	cpus[0].ns[VECTOR_NET_RX] = 100;
	samples(1, 0, VECTOR_NET_RX, &rx_gro);
	assert_true(take_snapshot(500 * MS));
	for (int i = 0; i < 3; i++) {
		t = accumulator_silence(a);
		assert_int_equal(t->period.contexts[CONTEXT_SOFTIRQ_RX].ns, 0);
		assert_int_equal(t->period.cpus[0].ns[CONTEXT_SOFTIRQ_RX], 0);
		assert_int_equal(t->period.records, 0);
		assert_int_equal(t->total.contexts[CONTEXT_SOFTIRQ_RX].ns, 100);
		assert_int_equal(t->total.contexts[CONTEXT_SOFTIRQ_RX].samples, 1);
	}
}

static void more_cpus_find_room_and_the_totals_stay(void **state)
{
	const struct totals *t = accumulator_period(a);

	(void)state;
	cpus[1].ns[VECTOR_NET_RX] = 100;
	assert_true(take_snapshot(500 * MS));
	begin(8);
	assert_false(take_snapshot(500 * MS));
	cpus[7].ns[VECTOR_NET_RX] = 11;
	assert_true(take_snapshot(500 * MS));
	assert_int_equal(t->cpu_slots, 8);
	assert_int_equal(t->total.cpus[1].ns[CONTEXT_SOFTIRQ_RX], 100);
	assert_int_equal(t->total.cpus[7].ns[CONTEXT_SOFTIRQ_RX], 11);
	check_sums(&t->total, 8, 5 * SECOND);
}

/* ---- anything ---- */

static unsigned int seed = 1;

static uint64_t any(uint64_t below)
{
	return ((uint64_t)rand_r(&seed) << 31 ^ (uint64_t)rand_r(&seed)) % below;
}

static void any_samples(void)
{
	static const int vectors[] = {
		VECTOR_NONE, VECTOR_NET_RX, VECTOR_TIMER, VECTOR_HRTIMER, VECTOR_TASKLET, VECTOR_HI,
	};

	for (uint64_t left = any(4) ? any(100) : any(2500); left; left--) {
		const struct label label = {
			.context = (uint8_t)any(CONTEXT_COUNT + 1),
			.component = (uint8_t)any(COMPONENT_COUNT), .step = (uint8_t)any(STEP_COUNT),
			.family = (uint8_t)any(FAMILY_COUNT), .work = (uint8_t)any(WORK_COUNT),
			.caller = (uint8_t)any(CONTEXT_COUNT), .explained = any(2),
		};

		sample(any(cpu_count), vectors[any(6)], &label);
	}
}

/* Softirqs and interrupts of up to all of the wall time, and a bit more. */
static void any_counters(uint64_t wall_ns)
{
	for (size_t i = 0; i < cpu_count; i++) {
		uint64_t left = wall_ns + any(2 * MS);

		for (size_t v = 0; v < VECTOR_COUNT && any(8); v++) {
			uint64_t ns = any(left + 1);

			cpus[i].ns[v] += ns;
			cpus[i].events[v] += any(1000);
			left -= ns;
		}
		for (size_t s = 0; s < 2; s++) {
			uint64_t ns = any(left + 1);

			cpus[i].socket_ns[s] += ns;
			cpus[i].socket_events[s] += any(100);
			left -= ns;
		}
		cpus[i].nic_ns += any(left + 1);
		cpus[i].nic_events += any(10);
		skip_record[i] = !any(20);
	}
}

static void check_never_back(const struct figures *before, const struct figures *after)
{
	const uint64_t *old = (const uint64_t *)before, *new = (const uint64_t *)after;
	const size_t words = offsetof(struct figures, cpus) / sizeof(*old);

	for (size_t i = 0; i < words; i++)
		assert_true(new[i] >= old[i]);
}

static void random_periods_add_up(void **state)
{
	static struct figures before;
	const struct totals *t = accumulator_period(a);
	uint64_t cpu_time_ns = 0;

	(void)state;
	for (int i = 0; i < 400; i++) {
		uint64_t wall_ns = any(600 * MS), expected = t->last_seq + 1;
		bool restart = !any(15);

		before = t->total;
		if (restart) {
			softirq.attached = any(4);
			hardirq.attached = any(4);
			exact_sends = any(2);
			exact_receives = any(2);
			begin(1 + any(CPUS_MAX));
			(void)take_snapshot(any(SECOND));
		}
		any_samples();
		any_counters(wall_ns);
		if (!take_snapshot(wall_ns))
			continue;
		cpu_time_ns += t->period.wall_ns * t->cpus_online;
		check_sums(&t->period, t->cpu_slots, t->period.wall_ns * t->cpus_online);
		check_sums(&t->total, t->cpu_slots, cpu_time_ns);
		check_records(t);
		if (!restart && expected > 1)
			assert_int_equal(t->first_seq, expected);
		check_never_back(&before, &t->total);
	}
}

/* What exact contexts got in the end is what the counters said, to the nanosecond. */
static void random_counters_arrive_whole(void **state)
{
	uint64_t rx = 0, nic = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		any_counters(300 * MS);
		(void)take_snapshot(300 * MS);
	}
	skip_record[0] = skip_record[1] = false;
	for (int i = 0; i < 100; i++)   /* room for what was still waiting */
		assert_true(take_snapshot(SECOND) || i == 0);
	for (size_t i = 0; i < cpu_count; i++) {
		rx += cpus[i].ns[VECTOR_NET_RX];
		nic += cpus[i].nic_ns;
	}
	assert_int_equal(total()->contexts[CONTEXT_SOFTIRQ_RX].ns, rx);
	assert_int_equal(total()->contexts[CONTEXT_HARDIRQ].ns, nic);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, start_two_cpus, close_all)
#define OPENED(test) cmocka_unit_test_setup_teardown(test, open_two_cpus, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(exact_time_is_what_the_counters_say),
		OPENED(time_before_the_first_snapshot_is_not_counted),
		OPENED(time_of_half_a_first_snapshot_is_not_counted),
		STARTED(an_exact_context_is_split_as_its_samples_are),
		STARTED(without_samples_an_exact_context_is_unknown),
		STARTED(timers_count_by_the_network_share_of_their_vector),
		STARTED(interrupts_are_those_of_network_devices),
		STARTED(timed_calls_are_what_the_counters_say),
		STARTED(polling_is_taken_out_of_the_receive_call),
		STARTED(without_softirq_probes_calls_are_sampled),
		OPENED(exactness_follows_the_probes),
		OPENED(without_softirq_probes_softirqs_are_sampled),
		STARTED(a_sampled_context_is_samples_times_sample_time),
		STARTED(sampled_contexts_share_what_exact_ones_leave),
		STARTED(a_softirq_across_a_snapshot_waits_for_room),
		STARTED(a_lost_counters_record_is_caught_up),
		STARTED(a_lost_end_of_a_snapshot_makes_one_long_period),
		STARTED(a_counter_that_went_back_is_a_baseline),
		STARTED(a_cpu_out_of_range_is_undecodable),
		STARTED(every_record_is_delivered_or_lost_in_one_period),
		OPENED(losses_before_the_first_record_are_the_first_periods),
		STARTED(kernel_side_losses_and_costs_are_handed_on),
		STARTED(a_new_collector_leaves_a_gap_and_the_totals),
		STARTED(silence_is_an_empty_period),
		STARTED(more_cpus_find_room_and_the_totals_stay),
		STARTED(random_periods_add_up),
		STARTED(random_counters_arrive_whole),
	};

	return cmocka_run_group_tests_name("accumulator", tests, NULL, NULL);
}
