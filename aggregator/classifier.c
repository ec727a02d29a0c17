/* classifier.c - walk a stack once, from the leaf to the context's boundary
 *
 * Knows how frames work together; what a function means is functions.tsv's.
 */
#include "classifier.h"

#include <fnmatch.h>
#include <string.h>

#include "sample_hints.h"

#define ONE_PLUS(label) (1 + (label))
#define IRQ_NAME_BYTES_MAX 64

/* What the frames seen so far say. */
struct walk {
	uint8_t component;      /* 1 + component; 0: not yet known */
	uint8_t named;          /* enum named_by: waits for a frame outside to name it */
	uint8_t own_name;       /* 1 + component of a callee whose caller names nothing */
	size_t frame;           /* index of the frame that component is about */
	bool frame_known;
	uint8_t work;

	uint8_t step;
	uint8_t family;
	bool step_final;        /* the innermost receive began here */
	bool in_hook;           /* the frame just inside is netfilter's */
	bool in_conntrack;      /* ... and below it is conntrack */
	bool in_filter;         /* the frame just inside is a classifier or program */
	bool in_output;         /* the frame just inside is IP output */

	uint8_t boundary;       /* enum boundary at which the walk ended */
	size_t end;             /* index of that frame */
	uint8_t call;           /* 1 + context of the outermost socket call */
	uint8_t erased;         /* 1 + component that the outermost frame may stand for,
				 * the dispatcher aside */
	bool network;
	bool preempted;
	bool has_symbol;        /* any frame has a name */
	bool all_listed;        /* every frame is in the table */
};

static const struct meaning *meaning_of(function_id function)
{
	return &functions_meanings[function < functions_meaning_count ? function : 0];
}

static bool is_observer(const struct meaning *m)
{
	return m->component == ONE_PLUS(COMPONENT_OBSERVER);
}

static bool is_netfilter(const struct meaning *m)
{
	return m->named == NAMED_BY_HOOK || m->component == ONE_PLUS(COMPONENT_CONNTRACK) ||
	       m->component == ONE_PLUS(COMPONENT_NAT) ||
	       m->component == ONE_PLUS(COMPONENT_FLOWTABLE) ||
	       m->component == ONE_PLUS(COMPONENT_IPVS);
}

/* Rules belong to the hook they hang on, whatever netfilter lies between. */
static void name_rules(struct walk *walk, const struct meaning *m, bool is_listed)
{
	if (m->hook)
		walk->component = m->hook;
	else if (is_netfilter(m) || is_observer(m))
		return;
	else if (m->component)
		walk->component = m->component;
	else if (!is_listed)
		walk->component = ONE_PLUS(COMPONENT_OTHER);
}

/* Classifiers run at ingress, at egress, inside a qdisc or for netlink. */
static void name_filter(struct walk *walk, const struct meaning *m)
{
	if (m->filter)
		walk->component = m->filter;
	else if (m->named != NAMED_BY_FILTER && !is_observer(m) && m->component)
		walk->component = m->component;
}

/* A BPF program belongs to whoever runs it: the frame outside it. */
static void name_program(struct walk *walk, const struct meaning *m)
{
	if (m->named == NAMED_BY_RUNNER || m->named == NAMED_BY_PROGRAM)
		return;
	if (m->runner)
		walk->component = m->runner;
	else if (m->named)
		walk->named = m->named;
	else if (m->component == ONE_PLUS(COMPONENT_DRIVER_POLL))
		walk->component = ONE_PLUS(COMPONENT_XDP_NATIVE);
	else if (m->component)
		walk->component = m->component;
	else
		walk->component = ONE_PLUS(COMPONENT_OBSERVER);
}

/* A BPF helper without a program around it: a tracer's trampoline, which has
 * no symbol, called the program, which has none either. */
static void name_bpf_helper(struct walk *walk, const struct meaning *m)
{
	if (m->named == NAMED_BY_RUNNER)
		walk->named = NAMED_BY_RUNNER;
	else if (m->named != NAMED_BY_PROGRAM)
		walk->component = ONE_PLUS(COMPONENT_OBSERVER);
}

static void note_component(struct walk *walk, const struct meaning *m, size_t frame, bool is_listed)
{
	switch (walk->named) {
	case NAMED_BY_HOOK:
		name_rules(walk, m, is_listed);
		return;
	case NAMED_BY_FILTER:
		name_filter(walk, m);
		return;
	case NAMED_BY_RUNNER:
		name_program(walk, m);
		return;
	case NAMED_BY_PROGRAM:
		name_bpf_helper(walk, m);
		return;
	case NAMED_BY_CALLER:
		walk->component = m->caller ? m->caller : walk->own_name;
		return;
	}
	if (!m->component && !m->named)
		return;
	walk->named = m->named;
	if (m->named == NAMED_BY_CALLER)
		walk->own_name = m->component;
	else
		walk->component = m->component;
	walk->frame = frame;
	walk->frame_known = true;
}

/* The step which this frame puts the packet in. Rules and conntrack are steps
 * where they hang on a hook of the receive path itself; what br_netfilter runs
 * stays bridge. */
static uint8_t step_of(const struct walk *walk, const struct meaning *m)
{
	bool is_receive = m->path & (PATH_START | PATH_RECEIVE);

	/* x86 erases ip_forward by tail calls: IP output right inside the
	 * receive path is what is left of it. */
	if (is_receive && walk->in_output)
		return STEP_FORWARDING;
	if (walk->in_hook && m->step != STEP_BRIDGE) {
		if (m->hook == ONE_PLUS(COMPONENT_NF_PREROUTING))
			return walk->in_conntrack ? STEP_CONNTRACK : STEP_NF_PREROUTING;
		if (m->hook == ONE_PLUS(COMPONENT_NF_INGRESS))
			return STEP_NF_INGRESS;
	}
	if (walk->in_filter && m->filter == ONE_PLUS(COMPONENT_TC_INGRESS))
		return STEP_TC_INGRESS;
	return m->step;
}

static void note_step(struct walk *walk, const struct meaning *m)
{
	bool netfilter = is_netfilter(m);
	uint8_t step = step_of(walk, m);

	/* The last one entered is the leaf-most, but for two that stay. */
	if (step == STEP_FORWARDING || step == STEP_LOCAL_DELIVERY || walk->step == STEP_NONE)
		walk->step = step != STEP_NONE ? step : walk->step;
	if (m->family)
		walk->family = m->family;

	walk->in_conntrack = netfilter && (walk->in_conntrack ||
					   m->component == ONE_PLUS(COMPONENT_CONNTRACK));
	walk->in_output = (m->path & PATH_OUTPUT) || (netfilter && walk->in_output);
	walk->in_hook = netfilter;
	walk->in_filter = m->named == NAMED_BY_FILTER || m->named == NAMED_BY_RUNNER ||
			  (m->named == NAMED_BY_PROGRAM && walk->in_filter);
	walk->step_final = m->path & PATH_START;
}

/* Whether the context's frames end here. A vector that the probes saw running
 * is believed before the stack: nothing outside the dispatcher can be its. */
static bool ends_context(struct walk *walk, const struct meaning *m, int vector)
{
	if (m->boundary != BOUNDARY_DISPATCHER)
		walk->erased = m->erased;
	switch (m->boundary) {
	case BOUNDARY_NONE:
		return false;
	case BOUNDARY_INTERRUPT:
		return !walk->preempted;
	case BOUNDARY_DISPATCHER:
		/* Without a vector an action is visible as its own boundary,
		 * except for HRTIMER, whose last statement is a tail call. */
		return vector != VECTOR_NONE || walk->erased;
	default:
		return true;
	}
}

static void walk_stack(struct walk *walk, const struct stack *stack, int vector)
{
	size_t i;

	for (i = 0; i < stack->count; i++) {
		function_id function = stack->functions[i];
		const struct meaning *m = meaning_of(function);
		bool is_listed = function != 0 && function != FUNCTION_UNKNOWN;

		walk->has_symbol |= function != FUNCTION_UNKNOWN;
		walk->network |= m->network;
		walk->preempted |= (m->path & PATH_PREEMPT) != 0;
		if (m->call)
			walk->call = m->call;
		if (!walk->component)
			note_component(walk, m, i, is_listed);
		if (!walk->work && (!walk->frame_known || walk->frame == i))
			walk->work = m->work;
		if (!walk->step_final && function != FUNCTION_UNKNOWN && !is_observer(m))
			note_step(walk, m);
		if (ends_context(walk, m, vector)) {
			walk->boundary = m->boundary;
			walk->end = i;
			return;
		}
		walk->all_listed &= is_listed;
	}
}

/* CONTEXT_COUNT: in no context. */
static enum context vector_context(int vector)
{
	switch (vector) {
	case VECTOR_NET_RX:
		return CONTEXT_SOFTIRQ_RX;
	case VECTOR_NET_TX:
		return CONTEXT_SOFTIRQ_TX;
	case VECTOR_HI:
	case VECTOR_TIMER:
	case VECTOR_TASKLET:
	case VECTOR_HRTIMER:
		return CONTEXT_SOFTIRQ_TIMER;
	default:
		return CONTEXT_COUNT;   /* RCU callbacks that free sockets: in no context */
	}
}

/* A task's: by what it is, and by the outermost socket call. */
static enum context task_context(const struct walk *walk, uint32_t hints)
{
	if (hints & HINT_IDLE)
		return CONTEXT_COUNT;
	if (hints & HINT_IO_WORKER)
		return CONTEXT_IO_WORKER;
	if (hints & (HINT_KTHREAD | HINT_USER_WORKER))
		return CONTEXT_KTHREAD;
	if (walk->boundary)
		return walk->boundary - 1;
	return walk->call ? walk->call - 1 : CONTEXT_SYSCALL_OTHER;
}

static bool is_task_boundary(uint8_t boundary)
{
	return boundary == BOUNDARY_NONE || boundary == ONE_PLUS(CONTEXT_KTHREAD) ||
	       boundary == ONE_PLUS(CONTEXT_IO_WORKER);
}

static enum context context_of(const struct walk *walk, const struct stack *stack, int vector)
{
	if (walk->boundary == ONE_PLUS(CONTEXT_HARDIRQ))
		return CONTEXT_HARDIRQ;
	if (walk->boundary == BOUNDARY_INTERRUPT)
		return CONTEXT_COUNT;
	if (vector != VECTOR_NONE)
		return vector_context(vector);
	if (walk->boundary == BOUNDARY_DISPATCHER)
		return CONTEXT_SOFTIRQ_TIMER;
	if (walk->boundary == BOUNDARY_OUTSIDE)
		return CONTEXT_COUNT;
	if (is_task_boundary(walk->boundary))
		return task_context(walk, stack->hints);
	return walk->boundary - 1;
}

/* Contexts that are the network's whatever they do; of the others only the
 * stacks that show network code are. */
static bool is_always_network(enum context context)
{
	return context == CONTEXT_SOFTIRQ_RX || context == CONTEXT_SOFTIRQ_TX ||
	       context == CONTEXT_NAPI_THREAD || context == CONTEXT_BUSY_POLL;
}

/* Who runs the dispatcher stands outside of it. */
static bool in_timer_thread(const struct walk *walk, const struct stack *stack)
{
	for (size_t i = walk->end; i < stack->count; i++)
		if (meaning_of(stack->functions[i])->path & PATH_TIMERS)
			return true;
	return false;
}

/* HRTIMER softirqs serve the network's pacing almost alone. When the callback
 * is no longer on the stack, what is left of the timer code stands for it. Not
 * on PREEMPT_RT, where they wake all who sleep. */
static void take_erased(struct walk *walk, const struct stack *stack, enum context context,
			int vector)
{
	if (context != CONTEXT_SOFTIRQ_TIMER || !walk->erased || !walk->all_listed)
		return;
	if (vector != VECTOR_NONE && vector != VECTOR_HRTIMER)
		return;
	if (in_timer_thread(walk, stack))
		return;
	walk->network = true;
	if (!walk->component)
		walk->component = walk->erased;
}

/* The dispatcher about to call an action, or just back from it, is what the
 * action's own function is; of an HRTIMER softirq, what take_erased() says.
 * So are tracers of the dispatcher, but for their name. */
static void take_dispatcher(struct walk *walk, const struct stack *stack, enum context context,
			    int vector)
{
	bool is_tracer = walk->component || walk->named;

	if (walk->boundary != BOUNDARY_DISPATCHER || !walk->has_symbol || !walk->all_listed)
		return;
	if (context == CONTEXT_SOFTIRQ_TIMER && vector == VECTOR_HRTIMER &&
	    !in_timer_thread(walk, stack))
		walk->network = true;
	if (is_tracer)
		return;
	if (context == CONTEXT_SOFTIRQ_TIMER) {
		walk->component = ONE_PLUS(COMPONENT_TCP_TIMER);
	} else if (context == CONTEXT_SOFTIRQ_RX) {
		walk->component = ONE_PLUS(COMPONENT_DRIVER_POLL);
		walk->step = STEP_DRIVER_POLL;
	} else if (context == CONTEXT_SOFTIRQ_TX) {
		walk->component = ONE_PLUS(COMPONENT_QDISC);
	}
}

static uint8_t component_of(const struct walk *walk)
{
	if (walk->component)
		return walk->component - 1;
	if (walk->own_name)
		return walk->own_name - 1;
	if (walk->named == NAMED_BY_RUNNER || walk->named == NAMED_BY_PROGRAM)
		return COMPONENT_OBSERVER;
	return walk->has_symbol ? COMPONENT_OTHER : COMPONENT_UNKNOWN;
}

static bool is_explained(const struct walk *walk, const struct stack *stack, uint8_t component)
{
	function_id callee;

	if (component == COMPONENT_OTHER || component == COMPONENT_UNKNOWN)
		return false;
	if (!walk->frame_known || walk->frame == 0)
		return true;
	callee = stack->functions[walk->frame - 1];
	return callee != 0 && callee != FUNCTION_UNKNOWN;
}

static bool is_ip_step(uint8_t step)
{
	return step == STEP_IP_RX || step == STEP_NF_PREROUTING || step == STEP_CONNTRACK ||
	       step == STEP_FORWARDING || step == STEP_LOCAL_DELIVERY;
}

/* The context of the call that polls; its frames lie outside the boundary. */
static uint8_t caller_of(const struct walk *walk, const struct stack *stack)
{
	uint8_t call = 0;

	for (size_t i = walk->end; i < stack->count; i++) {
		const struct meaning *m = meaning_of(stack->functions[i]);

		if (m->call)
			call = m->call;
	}
	return call ? call - 1 : CONTEXT_SYSCALL_OTHER;
}

struct label classifier_label(const struct stack *stack)
{
	bool has_vector = stack->vector >= 0 && stack->vector < VECTOR_COUNT;
	int vector = has_vector ? stack->vector : VECTOR_NONE;
	struct label label = { .context = CONTEXT_COUNT };
	struct walk walk = { .all_listed = true };
	enum context context;

	walk_stack(&walk, stack, vector);
	context = context_of(&walk, stack, vector);
	take_erased(&walk, stack, context, vector);
	take_dispatcher(&walk, stack, context, vector);
	if (context == CONTEXT_COUNT || (!walk.network && !is_always_network(context)))
		return label;

	label.context = context;
	label.component = component_of(&walk);
	label.step = walk.step;
	label.family = is_ip_step(walk.step) ? walk.family : FAMILY_NONE;
	label.work = walk.work;
	if (context == CONTEXT_BUSY_POLL)
		label.caller = caller_of(&walk, stack);
	label.explained = is_explained(&walk, stack, label.component);
	return label;
}

/* An interrupt's name is the kernel's bytes, not a string. */
static bool is_network_name(const char *name, size_t name_bytes)
{
	char text[IRQ_NAME_BYTES_MAX];
	size_t i;

	if (name_bytes >= sizeof(text) || memchr(name, '\0', name_bytes))
		return false;
	memcpy(text, name, name_bytes);
	text[name_bytes] = '\0';
	for (i = 0; i < functions_irq_name_count; i++)
		if (fnmatch(functions_irq_names[i], text, 0) == 0)
			return true;
	return false;
}

bool classifier_irq_is_network(function_id handler, const char *name, size_t name_bytes)
{
	const struct meaning *m = meaning_of(handler);

	if (m->irq == IRQ_NETWORK)
		return true;
	if (m->irq == IRQ_SHARED || handler == FUNCTION_UNKNOWN)
		return is_network_name(name, name_bytes);
	return false;
}
