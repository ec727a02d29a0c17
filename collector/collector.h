/* collector/collector.h - all that main.c and loop.c share */
#ifndef NETTO_COLLECTOR_COLLECTOR_H
#define NETTO_COLLECTOR_COLLECTOR_H

#include "listener.h"
#include "options.h"
#include "probes.h"
#include "publish.h"
#include "ring.h"
#include "runtime.h"
#include "symbols.h"

struct collector {
	struct options options;
	int kallsyms_fd;               /* opened while it shows addresses; -1: closed */
	int notify_fd;                 /* negative: no service manager */
	int listen_fd;                 /* until it is the listener's; -1 */
	struct runtime *runtime;
	struct probes *probes;
	struct symbols *symbols;
	struct ring_identity identity;
	struct ring_writer *ring;
	uint64_t told_position;        /* of the ring, when the bell was last rung */
	struct publisher *publisher;
	struct listener *listener;
};

#endif
