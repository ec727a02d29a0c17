/* sampler.bpf.c - stacks of what the kernel does, at a fixed period
 *
 * hooks   perf_event on every CPU: cpu-clock, kernel mode only
 * runs    in the timer's interrupt, or an NMI: the scratch record says when it is in use
 * writes  rings: one BPF ring buffer a CPU; cpus (shared.h): samples taken, filtered, lost
 * loses   what finds the ring full, no stack, or the scratch record in use: counted by reason
 * cost    tests/bench/bench_probes.c; about 1 us and 0.2 us a frame, nearly all of it the unwinder
 */
#include "cpus.bpf.h"
#include "filter.bpf.h"
#include "slice.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 frames_max = SHARED_FRAMES_MAX; /* less if kernel.perf_event_max_stack is */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shared_sample);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);              /* the collector sets the number of slots */
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, SHARED_RING_BYTES);
	});
} rings SEC(".maps");

static __always_inline void describe(struct shared_sample *record, const struct shared_cpu *cpu,
				     const struct sampled *s)
{
	__u64 ids = bpf_get_current_pid_tgid();

	record->cgroup_id = bpf_get_current_cgroup_id();
	record->cpu = bpf_get_smp_processor_id();
	record->pid = ids;
	record->tgid = ids >> 32;
	record->syscall = s->syscall;
	record->hints = s->hints;
	record->vector = cpu->vector;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
}

/* Store the stack. Number of frames; 0: none. */
static __always_inline __u32 unwind(void *ctx, struct shared_sample *record)
{
	long bytes = bpf_get_stack(ctx, record->frames, sizeof(record->frames), 0);
	__u32 count;

	if (bytes <= 0)
		return 0;
	count = (__u64)bytes / sizeof(record->frames[0]);
	if (count > SHARED_FRAMES_MAX)
		return 0;
	if (count >= frames_max)
		record->hints |= SHARED_HINT_TRUNCATED;
	record->frame_count = count;
	return count;
}

static __always_inline void record_sample(void *ctx, struct shared_cpu *cpu,
					  struct shared_sample *record, const struct sampled *s)
{
	__u32 count, slot = bpf_get_smp_processor_id();
	void *ring;

	describe(record, cpu, s);
	count = unwind(ctx, record);
	if (!count) {
		cpu->samples_lost[SHARED_LOST_NO_STACK]++;
		return;
	}
	ring = bpf_map_lookup_elem(&rings, &slot);
	if (!ring || bpf_ringbuf_output(ring, record, __builtin_offsetof(struct shared_sample, frames) +
					count * sizeof(record->frames[0]), BPF_RB_NO_WAKEUP))
		cpu->samples_lost[SHARED_LOST_RING_FULL]++;
	else
		cpu->samples_taken++;
}

SEC("perf_event")
int on_tick(void *ctx)
{
	struct shared_cpu *cpu = this_cpu();
	struct shared_sample *record;
	struct sampled s;
	__u32 first = 0;

	if (!cpu)
		return 0;
	cut_slice(cpu);
	look_at_task(&s);
	if (!may_be_network(cpu, &s)) {
		cpu->samples_filtered++;
		return 0;
	}
	record = bpf_map_lookup_elem(&scratch, &first);
	if (!record || cpu->sampling) {
		cpu->samples_lost[SHARED_LOST_NO_SCRATCH]++;
		return 0;
	}
	cpu->sampling = 1;
	record_sample(ctx, cpu, record, &s);
	cpu->sampling = 0;
	return 0;
}
