/* collector/tick.c - how far apart the samples of a CPU are */
#include "tick.h"

#define NS_PER_S 1000000000ull
#define SPREAD 256               /* longest minus shortest: 1/256 of a period */
#define GOLDEN 2654435769u       /* 2^32 divided by the golden ratio */

uint64_t tick_period_ns(uint32_t rate_hz, uint32_t cpu)
{
	int64_t period = NS_PER_S / rate_hz;
	/* Multiples of the golden ratio, modulo one: however many are taken,
	 * they lie evenly, and neighbours, which share most, lie far apart. */
	int32_t place = (int32_t)(cpu * GOLDEN);

	return (uint64_t)(period + period / SPREAD * place / (1ll << 32));
}
