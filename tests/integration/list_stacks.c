/* list_stacks.c - the kernel stacks that a running collector publishes, the frequent ones first
 *
 *   list_stacks [-n | -u] RUNTIME-DIRECTORY
 *
 * Until SIGTERM or SIGINT; then prints each distinct stack in the form of tests/data/stacks,
 * without the line of the label. -n: only stacks that the classifier takes for the network's;
 * -u: only those of them that it cannot explain.
 */
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <uv.h>

#include "classifier.h"
#include "kallsyms.h"
#include "log.h"
#include "source.h"
#include "stack_names.h"
#include "symbolizer.h"

#define MODULE_BYTES 56   /* MODULE_NAME_LEN of the kernel, 64 bit */
#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

enum wanted { ALL, NETWORK, UNEXPLAINED };

struct listed {
	char *text;
	unsigned int samples;
};

/* The symbolizer keeps no modules: a classifier has no use for them later. */
struct module_symbol {
	uint64_t address;
	char module[MODULE_BYTES];
};

static enum wanted wanted;
static struct symbolizer *symbolizer;
static struct module_symbol *in_modules;
static size_t in_modules_count;
static void *by_text;   /* a tree of struct listed */
static size_t stacks;
static unsigned long samples, records_lost;

static void *must(void *memory)
{
	if (memory)
		return memory;
	log_error("out of memory");
	exit(EX_OSERR);
}

static int compare_addresses(const void *left, const void *right)
{
	const struct module_symbol *a = left, *b = right;

	return (a->address > b->address) - (a->address < b->address);
}

static void read_modules(const char *text, const char *end)
{
	struct kallsyms_line line;
	size_t max = 0;

	in_modules_count = 0;
	while (kallsyms_next(&text, end, &line) > 0) {
		struct module_symbol *symbol;

		if (!line.module_bytes)
			continue;
		if (in_modules_count == max) {
			max = max ? 2 * max : 4096;
			in_modules = must(realloc(in_modules, max * sizeof(*in_modules)));
		}
		symbol = &in_modules[in_modules_count++];
		symbol->address = line.address;
		snprintf(symbol->module, sizeof(symbol->module), "%.*s", (int)line.module_bytes,
			 line.module);
	}
	if (in_modules_count)
		qsort(in_modules, in_modules_count, sizeof(*in_modules), compare_addresses);
}

static void print_frame(FILE *out, uint64_t address, bool is_return)
{
	const struct symbol *symbol = symbolizer_resolve(symbolizer, address, is_return);
	const struct module_symbol *module = NULL;

	if (!symbol) {
		fputs("?\n", out);
		return;
	}
	if (in_modules_count)
		module = bsearch(&(struct module_symbol){ .address = symbol->address }, in_modules,
				 in_modules_count, sizeof(*in_modules), compare_addresses);
	fputs(symbolizer_name(symbolizer, symbol), out);
	if (module)
		fprintf(out, " [%s]", module->module);
	fputc('\n', out);
}

/* As a file of tests/data/stacks has it behind its first line; the caller's. */
static char *stack_text(const Netto__Sample *sample)
{
	char *text;
	size_t bytes;
	FILE *out = must(open_memstream(&text, &bytes));

	if (sample->vector)
		fprintf(out, "vector: %s\n", vector_names[sample->vector - 1]);
	for (size_t i = 0; i < ARRAY_LENGTH(hint_names); i++)
		if (sample->hints & hint_names[i].hint)
			fprintf(out, "hints: %s\n", hint_names[i].name);
	for (size_t i = 0; i < sample->n_frames; i++)
		print_frame(out, sample->frames[i], i > 0);
	fclose(out);
	return must(text);
}

static bool is_wanted(const Netto__Sample *sample)
{
	function_id functions[STACK_FRAMES_MAX];
	const struct stack stack = {
		.functions = functions, .count = sample->n_frames, .hints = sample->hints,
		.vector = sample->vector ? (int)sample->vector - 1 : VECTOR_NONE,
	};
	struct label label;

	if (wanted == ALL)
		return true;
	symbolizer_functions(symbolizer, sample->frames, sample->n_frames, functions);
	label = classifier_label(&stack);
	return label_is_network(&label) && (wanted == NETWORK || !label.explained);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->text, ((const struct listed *)b)->text);
}

static void take_sample(const Netto__Sample *sample)
{
	struct listed *listed, **found;

	if (sample->n_frames > STACK_FRAMES_MAX || sample->vector > VECTOR_COUNT)
		return;
	samples++;
	if (!is_wanted(sample))
		return;
	listed = must(calloc(1, sizeof(*listed)));
	listed->text = stack_text(sample);
	found = must(tsearch(listed, &by_text, compare_texts));
	(*found)->samples++;
	if (*found == listed) {
		stacks++;
		return;
	}
	free(listed->text);
	free(listed);
}

static int on_hello(void *arg, const Netto__Hello *hello)
{
	(void)arg;
	printf("# kernel %s\n", hello->kernel_release);
	return 0;
}

static int on_symbols(void *arg, const char *text, size_t bytes)
{
	(void)arg;
	read_modules(text, text + bytes);
	return symbolizer_load(symbolizer, text, bytes);
}

static bool on_record(void *arg, uint64_t seq, uint64_t lost, const uint8_t *bytes, size_t count)
{
	Netto__Record *record = netto__record__unpack(NULL, count, bytes);
	bool symbols_changed;

	(void)arg;
	(void)seq;
	records_lost += lost;
	if (!record)
		return false;
	if (record->kind_case == NETTO__RECORD__KIND_SAMPLE)
		take_sample(record->sample);
	symbols_changed = record->kind_case == NETTO__RECORD__KIND_SYMBOLS_CHANGED;
	netto__record__free_unpacked(record, NULL);
	return symbols_changed;
}

static void on_gone(void *arg)
{
	(void)arg;
}

static int compare_samples(const void *left, const void *right)
{
	const struct listed *a = *(struct listed *const *)left, *b = *(struct listed *const *)right;

	if (a->samples != b->samples)
		return a->samples < b->samples ? 1 : -1;
	return strcmp(a->text, b->text);
}

static void add_stack(const void *node, VISIT visit, void *arg)
{
	struct listed ***end = arg;

	if (visit == preorder || visit == leaf)
		*(*end)++ = *(struct listed *const *)node;
}

static void print_stacks(void)
{
	struct listed **sorted = must(calloc(stacks + 1, sizeof(struct listed *)));
	struct listed **end = sorted;

	twalk_r(by_text, add_stack, &end);
	qsort(sorted, stacks, sizeof(struct listed *), compare_samples);
	printf("# %lu samples, %zu stacks listed, %lu records lost\n", samples, stacks,
	       records_lost);
	for (size_t i = 0; i < stacks; i++)
		printf("\n# %u samples\n%s", sorted[i]->samples, sorted[i]->text);
	free(sorted);
}

static void on_signal(uv_signal_t *signal, int number)
{
	(void)number;
	uv_stop(signal->loop);
}

static int listen_to(const char *runtime_dir)
{
	static const struct source_events events = {
		.hello = on_hello, .symbols = on_symbols, .record = on_record, .gone = on_gone,
	};
	static uv_signal_t signals[2];
	uv_loop_t *loop = uv_default_loop();
	struct source *source;
	int err = symbolizer_open(&symbolizer);

	if (!err)
		err = source_start(&source, loop, runtime_dir, &events, NULL);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
		(void)uv_signal_init(loop, &signals[i]);
		(void)uv_signal_start(&signals[i], on_signal, i ? SIGTERM : SIGINT);
	}
	(void)uv_run(loop, UV_RUN_DEFAULT);
	source_stop(source);
	return 0;
}

int main(int argc, char *argv[])
{
	int option;

	log_open("list_stacks");
	while ((option = getopt(argc, argv, "nu")) > 0)
		wanted = option == 'n' ? NETWORK : UNEXPLAINED;
	if (optind + 1 != argc) {
		fputs("usage: list_stacks [-n | -u] RUNTIME-DIRECTORY\n", stderr);
		return EX_USAGE;
	}
	if (listen_to(argv[optind]))
		return EX_OSERR;
	print_stacks();
	return samples ? 0 : EX_UNAVAILABLE;
}
