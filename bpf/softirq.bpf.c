/* softirq.bpf.c - exact time in every softirq vector
 *
 * hooks   raw_tp softirq_entry, softirq_exit
 * runs    on the CPU that serves the softirq; softirqs do not nest there: one start is enough
 * writes  cpus (shared.h): cumulative ns, net of hard interrupts, and events; the running vector
 * loses   nothing: an exit without its entry (attached in between) is skipped, not guessed
 * cost    tests/bench/bench_probes.c; the hottest code we have, up to 560 thousand runs a second
 *
 * Where softirqs can be preempted (PREEMPT_RT) the collector loads softirq_rt.bpf.c instead.
 */
#include "softirq.bpf.h"
