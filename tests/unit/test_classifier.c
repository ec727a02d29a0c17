/* test_classifier.c - recorded stacks get the labels that people gave them
 *
 * A case is a file of tests/data/stacks; its README says what is in one.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "classifier.h"
#include "sample_hints.h"
#include "stack_names.h"

#define LABEL_BYTES 128
#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

struct recorded {
	char expected[LABEL_BYTES];
	function_id functions[STACK_FRAMES_MAX];
	struct stack stack;
};

static int vector_by_name(const char *name)
{
	int i;

	for (i = 0; i < VECTOR_COUNT; i++)
		if (strcmp(vector_names[i], name) == 0)
			return i;
	fail_msg("no softirq vector %s", name);
	return VECTOR_NONE;
}

static uint32_t hint_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(hint_names); i++)
		if (strcmp(hint_names[i].name, name) == 0)
			return hint_names[i].hint;
	fail_msg("no hint %s", name);
	return 0;
}

/* "name", "name [module]", or "?" for an address without a symbol. */
static function_id function_in(char *line)
{
	char *module = strchr(line, '[');

	if (strcmp(line, "?") == 0)
		return FUNCTION_UNKNOWN;
	if (!module)
		return functions_find(line, strlen(line), NULL, 0);
	module[-1] = '\0';
	module++;
	return functions_find(line, strlen(line), module, strcspn(module, "]"));
}

static void read_line(struct recorded *recorded, char *line)
{
	if (line[0] == '#' || line[0] == '\0')
		return;
	if (!recorded->expected[0])
		snprintf(recorded->expected, sizeof(recorded->expected), "%.100s", line);
	else if (strncmp(line, "vector: ", 8) == 0)
		recorded->stack.vector = vector_by_name(line + 8);
	else if (strncmp(line, "hints: ", 7) == 0)
		recorded->stack.hints |= hint_by_name(line + 7);
	else
		recorded->functions[recorded->stack.count++] = function_in(line);
}

static void read_recorded(struct recorded *recorded, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512];

	assert_non_null(file);
	memset(recorded, 0, sizeof(*recorded));
	recorded->stack.functions = recorded->functions;
	recorded->stack.vector = VECTOR_NONE;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		assert_true(recorded->stack.count < STACK_FRAMES_MAX);
		read_line(recorded, line);
	}
	fclose(file);
}

static void format_label(char *text, const struct label *label)
{
	if (!label_is_network(label)) {
		strcpy(text, "-");
		return;
	}
	snprintf(text, LABEL_BYTES, "%s %s %s %s %s%s", context_names[label->context],
		 component_names[label->component], step_names[label->step],
		 label->family ? family_names[label->family] : "-", work_names[label->work],
		 label->explained ? " explained" : "");
}

static void a_poll_knows_the_call_that_polls(void **state)
{
	static const struct {
		const char *frames[4];
		enum context caller;
	} cases[] = {
		{ { "napi_busy_loop", "tcp_recvmsg", "__sys_recvfrom" }, CONTEXT_SYSCALL_RX },
		{ { "napi_busy_loop", "sock_poll", "do_epoll_wait" }, CONTEXT_SYSCALL_OTHER },
		{ { "__sys_recvfrom", "napi_busy_loop", "do_epoll_wait" }, CONTEXT_SYSCALL_OTHER },
		{ { "napi_busy_loop" }, CONTEXT_SYSCALL_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		function_id functions[4];
		struct stack stack = { .functions = functions, .vector = VECTOR_NONE };
		struct label label;

		while (stack.count < 4 && cases[i].frames[stack.count]) {
			const char *name = cases[i].frames[stack.count];

			functions[stack.count++] = functions_find(name, strlen(name), NULL, 0);
		}
		label = classifier_label(&stack);
		assert_int_equal(label.context, CONTEXT_BUSY_POLL);
		assert_int_equal(label.caller, cases[i].caller);
	}
}

static void recorded_stacks_get_the_labels_written_in_them(void **state)
{
	struct recorded recorded;
	char text[LABEL_BYTES];
	unsigned int wrong = 0;
	glob_t files;
	size_t i;

	(void)state;
	assert_int_equal(glob(TEST_DATA "/stacks/*/*.txt", 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= 60);
	for (i = 0; i < files.gl_pathc; i++) {
		struct label label;

		read_recorded(&recorded, files.gl_pathv[i]);
		label = classifier_label(&recorded.stack);
		format_label(text, &label);
		if (strcmp(text, recorded.expected) == 0)
			continue;
		print_error("%s: \"%s\", expected \"%s\"\n", files.gl_pathv[i], text,
			    recorded.expected);
		wrong++;
	}
	globfree(&files);
	assert_int_equal(wrong, 0);
}

/* Any ids at all, also ones that no table gave out. */
static void any_stack_gets_a_label_in_bounds_and_always_the_same(void **state)
{
	function_id functions[STACK_FRAMES_MAX];
	unsigned int i, j;

	(void)state;
	srandom(1);
	for (i = 0; i < 200000; i++) {
		struct stack stack = { functions, (size_t)random() % (STACK_FRAMES_MAX + 1),
				       (int)(random() % 16) - 2, (uint32_t)random() & 0x7f };
		struct label label, again;

		for (j = 0; j < stack.count; j++)
			functions[j] = (function_id)(random() % 8 == 0 ?
				random() : random() % (long)functions_meaning_count);
		label = classifier_label(&stack);
		again = classifier_label(&stack);
		assert_memory_equal(&label, &again, sizeof(label));
		assert_in_range(label.context, 0, CONTEXT_COUNT);
		assert_in_range(label.component, 0, COMPONENT_COUNT - 1);
		assert_in_range(label.step, 0, STEP_COUNT - 1);
		assert_in_range(label.family, 0, FAMILY_COUNT - 1);
		assert_in_range(label.work, 0, WORK_COUNT - 1);
		if (label_is_network(&label) && label.explained)
			assert_in_range(label.component, 0, COMPONENT_OBSERVER);
	}
}

/* Whatever a softirq, a thread or a handler interrupted or nests in is not its;
 * only a thread of timers says something about those that it runs. */
static void what_lies_outside_a_boundary_changes_nothing(void **state)
{
	static const char *const boundaries[] = {
		"net_rx_action", "net_tx_action", "run_timer_softirq", "workqueue_softirq_action",
		"napi_threaded_poll", "kthread", "io_wq_worker", "__handle_irq_event_percpu",
	};
	function_id functions[STACK_FRAMES_MAX];
	unsigned int i;

	(void)state;
	srandom(2);
	for (i = 0; i < 50000; i++) {
		const char *boundary = boundaries[(size_t)random() % ARRAY_LENGTH(boundaries)];
		struct stack stack = { functions, STACK_FRAMES_MAX, VECTOR_NONE,
				       (uint32_t)random() & 0x7f };
		size_t at = (size_t)random() % STACK_FRAMES_MAX;
		struct label whole, inside;

		for (size_t j = 0; j < STACK_FRAMES_MAX; j++)
			functions[j] = (function_id)(random() % (long)functions_meaning_count);
		for (size_t j = at + 1; j < STACK_FRAMES_MAX; j++)
			if (functions_meanings[functions[j]].path & PATH_TIMERS)
				functions[j] = 0;
		functions[at] = functions_find(boundary, strlen(boundary), NULL, 0);
		whole = classifier_label(&stack);
		stack.count = at + 1;
		inside = classifier_label(&stack);
		assert_memory_equal(&whole, &inside, offsetof(struct label, caller));
		assert_int_equal(whole.explained, inside.explained);
	}
}

static void softirqs_of_the_network_count_even_without_a_stack(void **state)
{
	struct stack stack = { NULL, 0, VECTOR_NET_RX, 0 };
	struct label label = classifier_label(&stack);

	(void)state;
	assert_int_equal(label.context, CONTEXT_SOFTIRQ_RX);
	assert_int_equal(label.component, COMPONENT_UNKNOWN);
	assert_false(label.explained);
	stack.vector = VECTOR_RCU;
	label = classifier_label(&stack);
	assert_false(label_is_network(&label));
}

static const struct {
	const char *handler, *name;
	bool network;
	const char *why;
} irqs[] = {
	{ "igb_msix_ring", "anything", true, "a handler of a network driver" },
	{ "vring_interrupt", "virtio2-input.0", true, "a queue of a virtio network device" },
	{ "vring_interrupt", "virtio12-output.31", true, "many devices, many queues" },
	{ "vring_interrupt", "virtio1-req.0", false, "a virtio disk" },
	{ "vring_interrupt", "virtio4-input", false, "a virtio random number generator" },
	{ "irq_default_primary_handler", "virtio0-input.0", true, "its handler is a thread" },
	{ "irq_default_primary_handler", "nvme0q1", false, "the thread is a disk's" },
	{ "vp_interrupt", "virtio0", false, "nobody can tell which device" },
	{ "mlx5_irq_int_handler", "mlx5_comp3@pci:0000:03:00.0", true, "a completion vector" },
	{ "mlx5_irq_int_handler", "mlx5_async0@pci:0000:03:00.0", false, "events, not packets" },
	{ "ahci_single_level_irq_intr", "eth0", false, "not a network handler, whatever its name" },
	{ NULL, "eth0-TxRx-1", true, "no symbols: the name is all there is" },
	{ NULL, "nvme0q1", false, "no symbols: the name is all there is" },
	{ NULL, "", false, "no name" },
};

static void interrupts_are_the_networks_by_handler_or_by_name(void **state)
{
	char endless[4096];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(irqs); i++) {
		function_id handler = irqs[i].handler ?
			functions_find(irqs[i].handler, strlen(irqs[i].handler), NULL, 0) :
			FUNCTION_UNKNOWN;

		if (classifier_irq_is_network(handler, irqs[i].name, strlen(irqs[i].name)) !=
		    irqs[i].network)
			fail_msg("%s: %s", irqs[i].name, irqs[i].why);
	}
	memset(endless, 'e', sizeof(endless));
	assert_false(classifier_irq_is_network(FUNCTION_UNKNOWN, endless, sizeof(endless)));
	assert_false(classifier_irq_is_network(FUNCTION_UNKNOWN, "eth0\0", 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_poll_knows_the_call_that_polls),
		cmocka_unit_test(recorded_stacks_get_the_labels_written_in_them),
		cmocka_unit_test(any_stack_gets_a_label_in_bounds_and_always_the_same),
		cmocka_unit_test(what_lies_outside_a_boundary_changes_nothing),
		cmocka_unit_test(softirqs_of_the_network_count_even_without_a_stack),
		cmocka_unit_test(interrupts_are_the_networks_by_handler_or_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
