/* aggregator/sandbox.h - what is left to a process that needs next to nothing
 *
 * Entered before anything is opened, so that all that comes later, libraries'
 * threads too, lives in it.
 */
#ifndef NETTO_AGGREGATOR_SANDBOX_H
#define NETTO_AGGREGATOR_SANDBOX_H

#include "options.h"

/* Refuse to be root unless told otherwise, give up every capability, hide from
 * other processes, and keep only the files, ports and system calls that options
 * need. What the kernel cannot do is left out. Says its own error; 0; -EPERM. */
int sandbox_enter(const struct options *options);

/* Say what could not be put into force, if anything. */
void sandbox_say(void);

#endif
