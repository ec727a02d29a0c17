/* fake_collector.h - the parts of fake_collector, which says what it is */
#ifndef NETTO_TESTS_FAKE_COLLECTOR_H
#define NETTO_TESTS_FAKE_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"

#define CLIENTS_MAX 16
#define CPUS_MAX 1024
#define VECTORS 10
#define SYMBOL_BYTES 0x1000   /* between two addresses */

enum breakage {
	BREAK_NOTHING,
	BREAK_RING_GARBAGE,
	BREAK_RING_TRUNCATED,
	BREAK_RING_SHRINKS,
	BREAK_RING_MAJOR,
	BREAK_GENERATION,
	BREAK_BOOT,
	BREAK_RECORDS,
	BREAK_SYMBOLS,
	BREAK_NO_SYMBOLS,
	BREAK_HELLO,
	BREAK_HELLO_MAJOR,
	BREAK_HELLO_TWICE,
	BREAK_HELLO_HUGE,
	BREAK_NO_BELL,
	BREAK_HIDDEN,
};

struct fake {
	const char *dir;
	unsigned int cpus, rate_hz, period_ms, snapshots, restart_every, flood, mode;
	int owner;
	bool wobble, peek;
	enum breakage broken;

	struct ring_writer *ring;
	struct ring_identity identity;
	int ring_fd;
	int listener;
	int clients[CLIENTS_MAX];

	/* cumulative since this generation */
	uint64_t snapshot, told, time_ns, started_ns, stack, taken, filtered, frames_unmapped, published;
	uint64_t softirq_ns[CPUS_MAX][VECTORS], softirq_events[CPUS_MAX][VECTORS];
	uint64_t irq_ns[CPUS_MAX], irq_events[CPUS_MAX], cpu_taken[CPUS_MAX];
	uint32_t noise;
};

/* One line, and the end. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* The same bytes in every run. */
uint32_t noise(struct fake *f);
void fill_with_noise(struct fake *f, uint8_t *buf, size_t bytes);

/* fake_options.c */
void parse_options(struct fake *f, int argc, char *argv[]);

/* fake_files.c: a new ring, symbol table and listening socket; and away with them */
uint64_t address_of(const char *symbol);
void publish_files(struct fake *f);
void remove_files(const struct fake *f);

#endif
