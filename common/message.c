/* common/message.c - what travels over collector.sock */
#include "message.h"

#include <errno.h>
#include <stdlib.h>

#include "ring.h"

#define BOOT_ID_BYTES 16
#define CPU_SLOTS_MAX 8192

ssize_t message_pack_hello(const Netto__Hello *hello, void *buf, size_t buf_bytes)
{
	Netto__Message message = NETTO__MESSAGE__INIT;

	message.kind_case = NETTO__MESSAGE__KIND_HELLO;
	message.hello = (Netto__Hello *)hello;   /* packing only reads it */
	if (netto__message__get_packed_size(&message) > buf_bytes)
		return -EMSGSIZE;
	return (ssize_t)netto__message__pack(&message, buf);
}

size_t message_pack_doorbell(uint64_t next_seq, uint8_t buf[static MESSAGE_DOORBELL_BYTES])
{
	Netto__Doorbell doorbell = NETTO__DOORBELL__INIT;
	Netto__Message message = NETTO__MESSAGE__INIT;

	doorbell.next_seq = next_seq;
	message.kind_case = NETTO__MESSAGE__KIND_DOORBELL;
	message.doorbell = &doorbell;
	return netto__message__pack(&message, buf);
}

static int check_hello(const Netto__Hello *hello)
{
	if (hello->schema_major != RING_SCHEMA_MAJOR)
		return -EPROTONOSUPPORT;
	if (hello->boot_id.len != BOOT_ID_BYTES || !hello->rate_hz || !hello->period_ns)
		return -EPROTO;
	if (!hello->cpus_online || hello->cpus_online > hello->cpu_slots ||
	    hello->cpu_slots > CPU_SLOTS_MAX)
		return -EPROTO;
	return 0;
}

static int check_message(const Netto__Message *message)
{
	switch (message->kind_case) {
	case NETTO__MESSAGE__KIND_HELLO:
		return check_hello(message->hello);
	case NETTO__MESSAGE__KIND_DOORBELL:
		return 0;
	default:
		return -EPROTO;
	}
}

/* protobuf-c says NULL for bad bytes and for no memory alike: remember which. */
static void *allocate(void *out_of_memory, size_t bytes)
{
	void *memory = malloc(bytes);

	if (!memory)
		*(int *)out_of_memory = 1;
	return memory;
}

static void release(void *out_of_memory, void *memory)
{
	(void)out_of_memory;
	free(memory);
}

int message_unpack(const void *buf, size_t bytes, Netto__Message **message)
{
	int out_of_memory = 0, err;
	ProtobufCAllocator allocator = {
		.alloc = allocate, .free = release, .allocator_data = &out_of_memory,
	};
	Netto__Message *unpacked;

	if (bytes > MESSAGE_BYTES_MAX)
		return -EPROTO;
	unpacked = netto__message__unpack(&allocator, bytes, buf);
	if (!unpacked)
		return out_of_memory ? -ENOMEM : -EPROTO;
	err = check_message(unpacked);
	if (err) {
		message_free(unpacked);
		return err;
	}
	*message = unpacked;
	return 0;
}

/* By the default allocator, which is malloc() and free() as well. */
void message_free(Netto__Message *message)
{
	if (message)
		netto__message__free_unpacked(message, NULL);
}
