/* classify_stdin.c - what the classifier makes of `perf script`'s stacks
 *
 *   perf record -a -g -e cpu-clock -F 1999 -- sleep 10
 *   perf script -F comm,cpu,ip,sym | classify_stdin
 *
 * Prints shares of the network samples by context, component and step, and
 * which functions, called by which, the table does not know. perf does not
 * tell the softirq vector: HRTIMER softirqs are found by their pattern alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classifier.h"
#include "sample_hints.h"

#define NAME_BYTES 128
#define PAIRS_MAX 4096
#define PAIRS_SHOWN 40
#define KERNEL_HALF (1ull << 63)

struct sample {
	char names[STACK_FRAMES_MAX][NAME_BYTES];
	function_id functions[STACK_FRAMES_MAX];
	size_t count;
	uint32_t hints;
	bool open;
};

struct pair {
	char text[2 * NAME_BYTES + 8];
	unsigned int count;
};

static unsigned int samples, network, unexplained;
static unsigned int contexts[CONTEXT_COUNT];
static unsigned int components[CONTEXT_COUNT][COMPONENT_COUNT];
static unsigned int steps[STEP_COUNT][FAMILY_COUNT];
static unsigned int works[WORK_COUNT];
static struct pair pairs[PAIRS_MAX];
static size_t pair_count;

static void count_pair(const char *text)
{
	size_t i;

	for (i = 0; i < pair_count; i++)
		if (strcmp(pairs[i].text, text) == 0)
			break;
	if (i == PAIRS_MAX)
		return;
	if (i == pair_count) {
		snprintf(pairs[i].text, sizeof(pairs[i].text), "%s", text);
		pair_count++;
	}
	pairs[i].count++;
}

static const char *name_at(const struct sample *sample, size_t frame)
{
	return frame < sample->count ? sample->names[frame] : "";
}

/* The leaf-most frame that is a component's, and what it called. */
static void count_unexplained(const struct sample *sample, const struct label *label)
{
	char text[2 * NAME_BYTES + 8];
	size_t i;

	unexplained++;
	for (i = 1; i < sample->count; i++) {
		const struct meaning *m = sample->functions[i] == FUNCTION_UNKNOWN ?
			&functions_meanings[0] : &functions_meanings[sample->functions[i]];

		if (m->component || m->named)
			break;
	}
	if (label->component == COMPONENT_OTHER || i == sample->count)
		i = 1;
	snprintf(text, sizeof(text), "%.120s < %.120s", name_at(sample, i - 1),
		 name_at(sample, i));
	count_pair(text);
}

static void end_sample(struct sample *sample)
{
	struct stack stack = { sample->functions, sample->count, VECTOR_NONE, sample->hints };
	struct label label;

	if (!sample->open)
		return;
	sample->open = false;
	samples++;
	label = classifier_label(&stack);
	if (!label_is_network(&label))
		return;
	network++;
	contexts[label.context]++;
	components[label.context][label.component]++;
	steps[label.step][label.family]++;
	works[label.work]++;
	if (!label.explained)
		count_unexplained(sample, &label);
}

static void begin_sample(struct sample *sample, const char *line)
{
	sample->open = true;
	sample->count = 0;
	sample->hints = strncmp(line, "swapper", strlen("swapper")) == 0 ? HINT_IDLE : 0;
}

/* "  ffffffff81234567 name"; user frames are passed over. */
static void add_frame(struct sample *sample, const char *line)
{
	char name[NAME_BYTES];
	uint64_t address;

	if (sample->count == STACK_FRAMES_MAX ||
	    sscanf(line, "%" SCNx64 " %127s", &address, name) != 2 || address < KERNEL_HALF)
		return;
	memcpy(sample->names[sample->count], name, NAME_BYTES);
	sample->functions[sample->count++] = strcmp(name, "[unknown]") == 0 ?
		FUNCTION_UNKNOWN : functions_find(name, strlen(name), NULL, 0);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

static void print_share(const char *text, unsigned int count)
{
	if (count)
		printf("  %-40s %7u %6.2f %%\n", text, count, 100.0 * count / network);
}

static void print_report(void)
{
	char text[64];
	int i, j;

	printf("samples %u, network %u, unexplained %u (%.2f %%)\n", samples, network, unexplained,
	       network ? 100.0 * unexplained / network : 0);
	for (i = 0; i < CONTEXT_COUNT; i++) {
		print_share(context_names[i], contexts[i]);
		for (j = 0; j < COMPONENT_COUNT; j++) {
			snprintf(text, sizeof(text), "    %s", component_names[j]);
			print_share(text, components[i][j]);
		}
	}
	printf("steps\n");
	for (i = 0; i < STEP_COUNT; i++)
		for (j = 0; j < FAMILY_COUNT; j++) {
			snprintf(text, sizeof(text), "%s %s", step_names[i], family_names[j]);
			print_share(text, steps[i][j]);
		}
	printf("work\n");
	for (i = 0; i < WORK_COUNT; i++)
		print_share(work_names[i], works[i]);
	qsort(pairs, pair_count, sizeof(pairs[0]), compare_pairs);
	printf("unexplained\n");
	for (i = 0; i < PAIRS_SHOWN && i < (int)pair_count; i++)
		print_share(pairs[i].text, pairs[i].count);
}

int main(void)
{
	static struct sample sample;
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == '\n')
			end_sample(&sample);
		else if (line[0] == '\t' || line[0] == ' ')
			add_frame(&sample, line);
		else
			begin_sample(&sample, line);
	}
	end_sample(&sample);
	print_report();
	return 0;
}
