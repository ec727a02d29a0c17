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
#include "symbols_live.h"

struct collector {
	struct options options;
	int kallsyms_fd;               /* opened while it shows addresses; -1: none */
	int symbols_fd;                /* the published table, until it is symbols_live's; -1 */
	int notify_fd;                 /* negative: no service manager */
	int listen_fd;                 /* until it is the listener's; -1 */
	struct runtime *runtime;
	struct probes *probes;
	struct symbols *symbols;
	struct symbols_live *symbols_live;
	struct ring_identity identity;
	struct ring_writer *ring;
	uint64_t told_position;        /* of the ring, when the bell was last rung */
	struct publisher *publisher;
	struct listener *listener;
};

#endif
