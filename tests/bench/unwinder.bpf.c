/* unwinder.bpf.c - what bench_probes.c measures a sample against
 *
 * hooks   perf_event on every CPU, as the sampler
 * runs    in the timer's interrupt
 * writes  a scratch stack that nobody reads
 * loses   everything
 * cost    that of bpf_get_stack() and of a run
 */
#include "shared.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct stack {
	__u64 frames[SHARED_FRAMES_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack);
} stacks SEC(".maps");

SEC("perf_event")
int unwind_only(void *ctx)
{
	__u32 first = 0;
	struct stack *stack = bpf_map_lookup_elem(&stacks, &first);

	if (stack)
		bpf_get_stack(ctx, stack->frames, sizeof(stack->frames), 0);
	return 0;
}
