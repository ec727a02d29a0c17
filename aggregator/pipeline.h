/* aggregator/pipeline.h - the way of one record: decode, symbolize, classify, accumulate
 *
 * Alone knows the order. Labels are remembered by stack, so that a stack seen
 * before costs one lookup; decoding uses one buffer, emptied for each record.
 */
#ifndef NETTO_AGGREGATOR_PIPELINE_H
#define NETTO_AGGREGATOR_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "procfs.h"
#include "totals.h"

struct pipeline;

/* Called with each period that ends, before the next record is taken. */
typedef void (*pipeline_period_fn)(const struct totals *totals);

/* 0; -ENOMEM. procfs is the caller's. */
int pipeline_open(struct pipeline **pipeline, struct procfs *procfs, pipeline_period_fn on_period);

/* The calls of source.h's events, in their order. */
int pipeline_hello(struct pipeline *pipeline, const Netto__Hello *hello);
int pipeline_symbols(struct pipeline *pipeline, const char *text, size_t bytes);
bool pipeline_record(struct pipeline *pipeline, uint64_t seq, uint64_t lost,
		     const uint8_t *bytes, size_t count);   /* true: the symbols changed */

/* Totals with an empty period, for showing that the collector is away. */
const struct totals *pipeline_silence(struct pipeline *pipeline);

/* Totals as they stand, for showing that the collector is there and publishes
 * nothing. The period goes on: its end will cover this time, too. */
const struct totals *pipeline_stall(struct pipeline *pipeline);

/* Takes NULL. */
void pipeline_close(struct pipeline *pipeline);

#endif
