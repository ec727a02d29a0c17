/* common/labels.h - the names netto gives to CPU time
 *
 * Stable: they leave the program in metrics, logs and profiles. The lists are
 * the only place where a name stands; enums and name tables come from them.
 */
#ifndef NETTO_COMMON_LABELS_H
#define NETTO_COMMON_LABELS_H

#include <stdbool.h>
#include <stdint.h>

/* Whose clock runs. Exclusive: a softirq inside a system call is the softirq's. */
#define CONTEXTS(X) \
	X(SYSCALL_TX, "syscall_tx") \
	X(SYSCALL_RX, "syscall_rx") \
	X(SYSCALL_OTHER, "syscall_other") \
	X(SOFTIRQ_RX, "softirq_rx") \
	X(SOFTIRQ_TX, "softirq_tx") \
	X(SOFTIRQ_TIMER, "softirq_timer") \
	X(NAPI_THREAD, "napi_thread") \
	X(BUSY_POLL, "busy_poll") \
	X(IO_WORKER, "io_worker") \
	X(KTHREAD, "kthread") \
	X(HARDIRQ, "hardirq")

/* Which code burns the time: leaf-most match inside the context. */
#define COMPONENTS(X) \
	X(DRIVER_IRQ, "driver_irq") X(DRIVER_POLL, "driver_poll") \
	X(TX_COMPLETION, "tx_completion") X(SKB_ALLOC, "skb_alloc") \
	X(SKB_FREE, "skb_free") X(XDP_NATIVE, "xdp_native") X(GRO, "gro") \
	X(BACKLOG, "backlog") X(DRIVER_XMIT, "driver_xmit") \
	X(VIRTUAL_XMIT, "virtual_xmit") \
	X(CORE_RX, "core_rx") X(TAP, "tap") X(XDP_GENERIC, "xdp_generic") \
	X(TC_INGRESS, "tc_ingress") X(TC_EGRESS, "tc_egress") X(QDISC, "qdisc") \
	X(GSO, "gso") X(NEIGHBOUR, "neighbour") X(BRIDGE, "bridge") \
	X(OVS, "ovs") X(VDEV, "vdev") \
	X(NF_INGRESS, "nf_ingress") X(NF_EGRESS, "nf_egress") \
	X(NF_PREROUTING, "nf_prerouting") X(NF_INPUT, "nf_input") \
	X(NF_FORWARD, "nf_forward") X(NF_OUTPUT, "nf_output") \
	X(NF_POSTROUTING, "nf_postrouting") X(CONNTRACK, "conntrack") \
	X(NAT, "nat") X(FLOWTABLE, "flowtable") X(IPVS, "ipvs") \
	X(IP_RX, "ip_rx") X(ROUTING, "routing") X(FORWARDING, "forwarding") \
	X(LOCAL_DELIVERY, "local_delivery") X(IP_OUTPUT, "ip_output") \
	X(TUNNEL, "tunnel") X(IPSEC, "ipsec") X(WIREGUARD, "wireguard") \
	X(SOCKET_LOOKUP, "socket_lookup") X(SOCKET_FILTER, "socket_filter") \
	X(TCP_RX, "tcp_rx") X(TCP_TX, "tcp_tx") X(TCP_CONN, "tcp_conn") \
	X(TCP_TIMER, "tcp_timer") X(UDP_RX, "udp_rx") X(UDP_TX, "udp_tx") \
	X(MPTCP, "mptcp") X(KTLS, "ktls") \
	X(SOCKET, "socket") X(UNIX, "unix") X(NETLINK, "netlink") \
	X(VSOCK, "vsock") X(WAKEUP, "wakeup") X(SCHEDULE, "schedule") \
	X(OBSERVER, "observer") X(OTHER, "other") X(UNKNOWN, "unknown")

/* Where in the receive path the packet was, in the order of the path. */
#define STEPS(X) \
	X(NONE, "none") X(DRIVER_POLL, "driver_poll") X(BACKLOG, "backlog") \
	X(GRO, "gro") X(XDP_GENERIC, "xdp_generic") X(CORE_RX, "core_rx") \
	X(TC_INGRESS, "tc_ingress") X(NF_INGRESS, "nf_ingress") \
	X(BRIDGE, "bridge") X(IP_RX, "ip_rx") X(NF_PREROUTING, "nf_prerouting") \
	X(CONNTRACK, "conntrack") X(FORWARDING, "forwarding") \
	X(LOCAL_DELIVERY, "local_delivery")

#define FAMILIES(X) X(NONE, "") X(IPV4, "ipv4") X(IPV6, "ipv6")

/* What kind of work the leaf does: orthogonal to the component. */
#define WORKS(X) \
	X(NONE, "none") X(COPY, "copy") X(CHECKSUM, "checksum") \
	X(MEMORY, "memory") X(LOCK, "lock") X(CRYPTO, "crypto") X(DMA, "dma") \
	X(SKB_FREE, "skb_free") X(BPF, "bpf")

#define LABEL_ENUM_CONTEXT(id, name) CONTEXT_##id,
#define LABEL_ENUM_COMPONENT(id, name) COMPONENT_##id,
#define LABEL_ENUM_STEP(id, name) STEP_##id,
#define LABEL_ENUM_FAMILY(id, name) FAMILY_##id,
#define LABEL_ENUM_WORK(id, name) WORK_##id,

enum context { CONTEXTS(LABEL_ENUM_CONTEXT) CONTEXT_COUNT };
enum component { COMPONENTS(LABEL_ENUM_COMPONENT) COMPONENT_COUNT };
enum step { STEPS(LABEL_ENUM_STEP) STEP_COUNT };
enum family { FAMILIES(LABEL_ENUM_FAMILY) FAMILY_COUNT };
enum work { WORKS(LABEL_ENUM_WORK) WORK_COUNT };

/* Names by enum value; defined in labels.c. */
extern const char *const context_names[CONTEXT_COUNT];
extern const char *const component_names[COMPONENT_COUNT];
extern const char *const step_names[STEP_COUNT];
extern const char *const family_names[FAMILY_COUNT];
extern const char *const work_names[WORK_COUNT];

/* What the classifier says of one stack. Not network: context is CONTEXT_COUNT
 * and the rest means nothing. */
struct label {
	uint8_t context;
	uint8_t component;
	uint8_t step;
	uint8_t family;
	uint8_t work;
	uint8_t caller;   /* of busy_poll: the context of the call that polls */
	bool explained;   /* see classifier.h */
};

static inline bool label_is_network(const struct label *label)
{
	return label->context < CONTEXT_COUNT;
}

#endif
