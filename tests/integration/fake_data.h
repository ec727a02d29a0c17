/* fake_data.h - symbols and stacks that fake_collector publishes */
#ifndef NETTO_TESTS_FAKE_DATA_H
#define NETTO_TESTS_FAKE_DATA_H

#define VECTOR_TIMER 1
#define VECTOR_NET_TX 2
#define VECTOR_NET_RX 3
#define FRAMES_MAX 16

/* A symbol's address is its place in this list. */
static const char *const symbols[] = {
	"_text", "asm_common_interrupt", "common_interrupt", "__irq_exit_rcu", "handle_softirqs",
	"net_rx_action", "__napi_poll", "virtnet_poll", "napi_gro_receive", "dev_gro_receive",
	"process_backlog", "__netif_receive_skb", "__netif_receive_skb_one_core", "ip_rcv",
	"nf_hook_slow", "nf_conntrack_in", "ipv4_conntrack_in", "ip_local_deliver",
	"ip_local_deliver_finish", "ip_protocol_deliver_rcu", "tcp_v4_rcv", "tcp_v4_do_rcv",
	"tcp_rcv_established", "ipv6_rcv", "ip6_input_finish", "ip6_protocol_deliver_rcu",
	"udpv6_rcv", "udpv6_queue_rcv_one_skb", "entry_SYSCALL_64_after_hwframe", "do_syscall_64",
	"__x64_sys_sendto", "__sys_sendto", "tcp_sendmsg", "tcp_sendmsg_locked", "__x64_sys_recvfrom",
	"__sys_recvfrom", "sock_recvmsg", "inet_recvmsg", "tcp_recvmsg", "tcp_recvmsg_locked",
	"net_tx_action", "__qdisc_run", "__x64_sys_read", "ksys_read", "vfs_read", "ext4_file_read_iter",
	"igb_msix_ring", "ahci_single_level_irq_intr",
};

/* Leaf first. vector: the softirq that runs, -1: none. */
static const struct {
	int vector;
	int syscall;
	const char *comm;
	const char *frames[FRAMES_MAX];
} stacks[] = {
	{ VECTOR_NET_RX, -1, "swapper/0",
	  { "dev_gro_receive", "napi_gro_receive", "virtnet_poll", "__napi_poll", "net_rx_action",
	    "handle_softirqs", "__irq_exit_rcu", "common_interrupt", "asm_common_interrupt" } },
	{ VECTOR_NET_RX, -1, "swapper/0",
	  { "tcp_rcv_established", "tcp_v4_do_rcv", "tcp_v4_rcv", "ip_protocol_deliver_rcu",
	    "ip_local_deliver_finish", "ip_local_deliver", "__netif_receive_skb_one_core",
	    "__netif_receive_skb", "process_backlog", "__napi_poll", "net_rx_action",
	    "handle_softirqs" } },
	{ VECTOR_NET_RX, -1, "swapper/1",
	  { "nf_conntrack_in", "ipv4_conntrack_in", "nf_hook_slow", "ip_rcv",
	    "__netif_receive_skb_one_core", "__netif_receive_skb", "process_backlog", "__napi_poll",
	    "net_rx_action", "handle_softirqs" } },
	{ VECTOR_NET_RX, -1, "iperf3",
	  { "udpv6_queue_rcv_one_skb", "udpv6_rcv", "ip6_protocol_deliver_rcu", "ip6_input_finish",
	    "ipv6_rcv", "__netif_receive_skb_one_core", "__netif_receive_skb", "process_backlog",
	    "__napi_poll", "net_rx_action", "handle_softirqs" } },
	{ VECTOR_NET_TX, -1, "ksoftirqd/0",
	  { "__qdisc_run", "net_tx_action", "handle_softirqs" } },
	{ -1, 44, "iperf3",
	  { "tcp_sendmsg_locked", "tcp_sendmsg", "__sys_sendto", "__x64_sys_sendto", "do_syscall_64",
	    "entry_SYSCALL_64_after_hwframe" } },
	{ -1, 45, "a \"b\"\n\xff\x1b[2J",   /* a task may call itself anything */
	  { "tcp_recvmsg_locked", "tcp_recvmsg", "inet_recvmsg", "sock_recvmsg", "__sys_recvfrom",
	    "__x64_sys_recvfrom", "do_syscall_64", "entry_SYSCALL_64_after_hwframe" } },
	{ -1, 0, "cat",
	  { "ext4_file_read_iter", "vfs_read", "ksys_read", "__x64_sys_read", "do_syscall_64",
	    "entry_SYSCALL_64_after_hwframe" } },
};

#endif
