/* fuzz_message.c - any datagram as hello or doorbell */
#include <stdint.h>
#include <stdlib.h>

#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	Netto__Message *message;

	if (message_unpack(data, bytes, &message))
		return 0;
	if (message->kind_case == NETTO__MESSAGE__KIND_HELLO &&
	    (!message->hello->cpu_slots || message->hello->boot_id.len != 16 ||
	     !message->hello->period_ns))
		abort();   /* what message.h promises to have checked */
	message_free(message);
	return 0;
}
