/* common/usage.h - the end of a program that was called wrongly */
#ifndef NETTO_COMMON_USAGE_H
#define NETTO_COMMON_USAGE_H

#include <stdlib.h>
#include <sysexits.h>

#include "log.h"

/* Say in one line what is wrong and what to give instead; exit status 64. */
#define usage_error(...) \
	do { \
		log_error(__VA_ARGS__); \
		exit(EX_USAGE); \
	} while (0)

#endif
