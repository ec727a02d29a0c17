/* collector/drain.c - hand over the samples that lie in the BPF ring buffers */
#include "drain.h"

#include <stddef.h>

#include "sample_hints.h"

_Static_assert(HINT_IDLE == (int)SHARED_HINT_IDLE, "one value on both sides");
_Static_assert(HINT_KTHREAD == (int)SHARED_HINT_KTHREAD, "one value on both sides");
_Static_assert(HINT_IO_WORKER == (int)SHARED_HINT_IO_WORKER, "one value on both sides");
_Static_assert(HINT_USER_WORKER == (int)SHARED_HINT_USER_WORKER, "one value on both sides");
_Static_assert(HINT_EXITING == (int)SHARED_HINT_EXITING, "one value on both sides");
_Static_assert(HINT_COMPAT == (int)SHARED_HINT_COMPAT, "one value on both sides");
_Static_assert(HINT_TRUNCATED == (int)SHARED_HINT_TRUNCATED, "one value on both sides");

#define FRAMES_AT offsetof(struct shared_sample, frames)

/* A record is as long as its frames say, to the byte. */
static bool is_sample(const struct shared_sample *sample, uint32_t bytes)
{
	return bytes >= FRAMES_AT && sample->frame_count <= SHARED_FRAMES_MAX &&
	       bytes == FRAMES_AT + sample->frame_count * sizeof(sample->frames[0]);
}

/* No more than one ring's worth: a CPU that fills it as fast cannot hold us here. */
void drain_cpu(struct bpf_ring *ring, probes_sample_fn on_sample, void *arg)
{
	uint64_t end = *ring->consumer + ring->data_bytes;

	while (*ring->consumer < end) {
		uint32_t bytes;
		const struct shared_sample *sample = bpf_ring_peek(ring, &bytes);

		if (!sample)
			return;
		if (is_sample(sample, bytes))
			on_sample(arg, sample);
		bpf_ring_release(ring, bytes);
	}
}
