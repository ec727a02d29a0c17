/* fake_options.c - the command line of fake_collector */
#include "fake_collector.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const char *meaning;
} breakages[] = {
	[BREAK_NOTHING] = { "nothing", "all well" },
	[BREAK_RING_GARBAGE] = { "ring-garbage", "the ring is a file of noise" },
	[BREAK_RING_TRUNCATED] = { "ring-truncated", "the ring file is half as long as its header says" },
	[BREAK_RING_SHRINKS] = { "ring-shrinks", "it is emptied with the third snapshot that somebody is told of" },
	[BREAK_RING_MAJOR] = { "ring-major", "the ring is of another schema" },
	[BREAK_GENERATION] = { "generation", "ring and hello are of different runs" },
	[BREAK_BOOT] = { "boot", "ring and hello are of another boot" },
	[BREAK_RECORDS] = { "records", "every third record is noise" },
	[BREAK_SYMBOLS] = { "symbols", "the symbol table is noise" },
	[BREAK_NO_SYMBOLS] = { "no-symbols", "there is no symbol table" },
	[BREAK_HELLO] = { "hello", "the hello is noise" },
	[BREAK_HELLO_MAJOR] = { "hello-major", "the hello is of another schema" },
	[BREAK_HELLO_TWICE] = { "hello-twice", "a second hello follows" },
	[BREAK_HELLO_HUGE] = { "hello-huge", "a datagram above the limit" },
	[BREAK_NO_BELL] = { "no-bell", "the bell is never rung" },
	[BREAK_HIDDEN] = { "hidden", "addresses are hidden, as with kptr_restrict=2" },
};

static unsigned int number(const char *text, unsigned int min, unsigned int max)
{
	char *rest;
	unsigned long value = strtoul(text, &rest, 10);

	if (!*text || *rest || value < min || value > max)
		die("%s: give %u to %u", text, min, max);
	return (unsigned int)value;
}

static enum breakage parse_breakage(const char *name)
{
	for (size_t i = 0; i < sizeof(breakages) / sizeof(breakages[0]); i++)
		if (!strcmp(breakages[i].name, name))
			return (enum breakage)i;
	for (size_t i = 0; i < sizeof(breakages) / sizeof(breakages[0]); i++)
		fprintf(stderr, "  %-15s %s\n", breakages[i].name, breakages[i].meaning);
	die("--break=%s: one of the above", name);
}

void parse_options(struct fake *f, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "runtime-dir", 1, NULL, 'd' }, { "cpus", 1, NULL, 'c' }, { "rate", 1, NULL, 'r' },
		{ "period", 1, NULL, 'p' }, { "snapshots", 1, NULL, 's' },
		{ "restart-every", 1, NULL, 'R' }, { "wobble", 0, NULL, 'w' },
		{ "flood", 1, NULL, 'f' }, { "break", 1, NULL, 'b' }, { "mode", 1, NULL, 'm' },
		{ "owner", 1, NULL, 'o' }, { "peek", 0, NULL, 'P' }, { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'd': f->dir = optarg; break;
		case 'c': f->cpus = number(optarg, 1, CPUS_MAX); break;
		case 'r': f->rate_hz = number(optarg, 1, 100000); break;
		case 'p': f->period_ms = number(optarg, 1, 60000); break;
		case 's': f->snapshots = number(optarg, 0, 1u << 30); break;
		case 'R': f->restart_every = number(optarg, 0, 1u << 30); break;
		case 'w': f->wobble = true; break;
		case 'f': f->flood = number(optarg, 0, 10000000); break;
		case 'b': f->broken = parse_breakage(optarg); break;
		case 'm': f->mode = (unsigned int)strtoul(optarg, NULL, 8); break;
		case 'o': f->owner = (int)number(optarg, 0, 1u << 30); break;
		case 'P': f->peek = true; break;
		default: exit(64);
		}
	}
	if (!f->dir)
		die("give --runtime-dir=DIR");
}
