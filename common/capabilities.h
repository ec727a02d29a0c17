/* common/capabilities.h - the calling thread's capabilities, and giving them up
 *
 * All sets belong to a thread (kernel/cred.c) and are inherited by those that it
 * starts.
 */
#ifndef NETTO_COMMON_CAPABILITIES_H
#define NETTO_COMMON_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

/* The effective ones, bit by bit; 0 when they cannot be had. */
uint64_t capabilities_effective(void);

/* Whether capability (CAP_...) is one of them. */
bool capabilities_have(uint64_t capabilities, int capability);

/* Empty the bounding set; needs CAP_SETPCAP. 0 or -errno. */
int capabilities_empty_bounding_set(void);

/* Empty the effective, permitted, inheritable and ambient sets. 0 or -errno. */
int capabilities_drop(void);

#endif
