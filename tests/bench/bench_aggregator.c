/* bench_aggregator.c - decode, symbolize, classify, accumulate; and loading symbols
 *
 * Samples of 30 frames, recorded stacks (tests/data) at this machine's own
 * addresses: all distinct, and 4,000 that come again. Prints samples a second on one core, and the time to
 * load /proc/kallsyms without reading it.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kallsyms.h"
#include "netto.pb-c.h"
#include "pipeline.h"
#include "symbolizer.h"

#define FRAMES 30
#define SAMPLES 400000
#define RECURRING 4000
#define CALL_PLACES 16   /* calls in one function */
#define SYMBOLS_MAX 400000
#define SHAPES_MAX 1000
#define RECORD_BYTES 512
#define RUNS 5

struct kernel_symbol {
	char *name;
	uint64_t address;
};
static struct kernel_symbol symbols[SYMBOLS_MAX];
static size_t symbol_count;

struct shape {
	size_t count;
	uint64_t addresses[FRAMES];   /* of the functions, leaf first */
};
static struct shape shapes[SHAPES_MAX];
static size_t shape_count;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kernel_symbol *)a)->name, ((const struct kernel_symbol *)b)->name);
}

/* The text symbols of the kernel itself, by name. */
static void read_symbols(const char *text, size_t bytes)
{
	const char *at = text, *end = text + bytes;
	struct kallsyms_line line;

	while (symbol_count < SYMBOLS_MAX && kallsyms_next(&at, end, &line) == 1) {
		if (line.module || !line.address)
			continue;
		symbols[symbol_count].name = strndup(line.name, line.name_bytes);
		symbols[symbol_count++].address = line.address;
	}
	qsort(symbols, symbol_count, sizeof(symbols[0]), by_name);
}

static void add_frame(struct shape *shape, char *line)
{
	struct kernel_symbol wanted = { .name = line };
	const struct kernel_symbol *found;

	line[strcspn(line, " \n")] = '\0';
	found = bsearch(&wanted, symbols, symbol_count, sizeof(symbols[0]), by_name);
	if (found && shape->count < FRAMES)
		shape->addresses[shape->count++] = found->address;
}

/* One recorded stack, as far as this kernel has its functions. */
static void read_shape(const char *path)
{
	struct shape *shape = &shapes[shape_count];
	FILE *file = fopen(path, "re");
	char line[512];

	for (int i = 0; file && fgets(line, sizeof(line), file); i++)
		if (i > 0 && line[0] != '#' && !strchr(line, ':'))
			add_frame(shape, line);
	if (file)
		fclose(file);
	shape_count += shape->count > 0;
}

static void read_shapes(void)
{
	glob_t files;

	if (glob(TEST_DATA "/stacks/*/*.txt", 0, NULL, &files))
		return;
	for (size_t i = 0; i < files.gl_pathc && shape_count < SHAPES_MAX; i++)
		read_shape(files.gl_pathv[i]);
	globfree(&files);
}

/* A recorded stack on top of others, as a softirq lies on what it interrupted;
 * where in each function the call was makes them distinct. */
static size_t pack_sample(uint8_t *out, uint64_t seed)
{
	Netto__Sample sample = NETTO__SAMPLE__INIT;
	Netto__Record record = NETTO__RECORD__INIT;
	uint64_t frames[FRAMES], state = seed * 0x9e3779b97f4a7c15ull + 1;

	for (size_t i = 0; i < FRAMES;) {
		const struct shape *shape = &shapes[next_random(&state) % shape_count];

		for (size_t k = 0; k < shape->count && i < FRAMES; k++)
			frames[i++] = shape->addresses[k] + 1 + next_random(&state) % CALL_PLACES;
	}
	sample.frames = frames;
	sample.n_frames = FRAMES;
	sample.pid = sample.tgid = 4711;
	sample.comm.data = (uint8_t *)"bench";
	sample.comm.len = 5;
	sample.syscall = -1;
	record.kind_case = NETTO__RECORD__KIND_SAMPLE;
	record.sample = &sample;
	return netto__record__pack(&record, out);
}

static void on_period(const struct totals *totals)
{
	(void)totals;
}

static double run(struct pipeline *pipeline, uint8_t (*records)[RECORD_BYTES], const size_t *bytes,
		  size_t distinct, uint64_t *seq)
{
	double start = now_s();

	for (size_t i = 0; i < SAMPLES; i++)
		pipeline_record(pipeline, ++*seq, 0, records[i % distinct], bytes[i % distinct]);
	return SAMPLES / (now_s() - start) / 1e6;
}

static void time_load(const char *text, size_t bytes)
{
	double best = 1e9;

	for (int i = 0; i < RUNS; i++) {
		struct symbolizer *symbolizer;
		double start, took;

		if (symbolizer_open(&symbolizer))
			exit(1);
		start = now_s();
		if (symbolizer_load(symbolizer, text, bytes))
			exit(1);
		took = now_s() - start;
		best = took < best ? took : best;
		if (i == RUNS - 1)
			printf("symbols_load_ms    %zu_symbols  %.1f   budget 20\n", symbolizer_count(symbolizer),
			       best * 1e3);
		symbolizer_close(symbolizer);
	}
}

int main(void)
{
	static size_t bytes[SAMPLES];
	static Netto__Hello hello = NETTO__HELLO__INIT;
	uint8_t (*records)[RECORD_BYTES] = calloc(SAMPLES, RECORD_BYTES);
	struct pipeline *pipeline;
	struct procfs *procfs;
	char *text;
	uint64_t seq = 0;
	ssize_t n = kallsyms_read(open("/proc/kallsyms", O_RDONLY | O_CLOEXEC), &text);

	hello.rate_hz = 997;
	hello.sample_ns = 1003009;
	hello.period_ns = 500000000;
	hello.cpus_online = hello.cpu_slots = 1;
	hello.kernel_release = hello.machine = hello.host = hello.version = "bench";
	if (n <= 0 || !records || procfs_open(&procfs, NULL, 0) ||
	    pipeline_open(&pipeline, procfs, on_period) || pipeline_hello(pipeline, &hello) ||
	    pipeline_symbols(pipeline, text, (size_t)n)) {
		fprintf(stderr, "bench_aggregator: cannot start: does /proc/kallsyms show addresses?\n");
		return 1;
	}
	read_symbols(text, (size_t)n);
	read_shapes();
	if (!shape_count) {
		fprintf(stderr, "bench_aggregator: no recorded stack in " TEST_DATA "/stacks fits this kernel\n");
		return 1;
	}
	for (size_t i = 0; i < SAMPLES; i++)
		bytes[i] = pack_sample(records[i], i + 1);

	time_load(text, (size_t)n);
	printf("samples_M_per_s    %d_frames_distinct  %.2f   budget least 2\n", FRAMES,
	       run(pipeline, records, bytes, SAMPLES, &seq));
	(void)run(pipeline, records, bytes, RECURRING, &seq);
	printf("samples_M_per_s    %d_frames_%d_recurring  %.2f   budget least 4\n", FRAMES, RECURRING,
	       run(pipeline, records, bytes, RECURRING, &seq));
	pipeline_close(pipeline);
	procfs_close(procfs);
	free(records);
	free(text);
	return 0;
}
