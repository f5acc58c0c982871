//! `tcp_stats`: the kernel's own counters beside what `tcpretrans` counts.

use std::time::Duration;

use rustix::process::Signal;

use crate::e2e::agent::Agent;
use crate::e2e::scrape::Scrape;
use crate::e2e::support::namespace::{isolated, netns_inode, retrans_segs, wait_for, without_gso};
use crate::e2e::traffic::lossy_transfers;

const PORT: u16 = 9464;

/// Both receivers in one pipeline agree with the kernel, and other namespaces have series of their own.
pub fn equal_the_kernel() {
    isolated(|| {
        without_gso();
        let mut agent = Agent::start(&format!(
            "receivers: {{ tcp_stats: {{ interval: 100ms }} }}
exporters: {{ prometheus: {{ endpoint: '127.0.0.1:{PORT}' }} }}
service: {{ pipelines: {{ metrics: {{ receivers: [tcpretrans, tcp_stats], exporters: [prometheus] }} }} }}"
        ));
        let traffic = lossy_transfers(8, &[PORT]);
        let inode = netns_inode().to_string();
        let own = [("linux_netns_inode", inode.as_str())];
        let sum = |name: &str, labels: &[(&str, &str)]| Scrape::take_from(PORT).sum(name, labels);
        wait_for("the kernel's count", Duration::from_secs(20), || {
            let retransmitted = sum("system_network_tcp_segments_retransmitted_total", &own);
            retransmitted == retrans_segs()
                && sum("system_network_tcp_retransmits_total", &[]) >= traffic.retrans_segs
        });
        assert!(sum("system_network_tcp_segments_sent_total", &own) > traffic.retrans_segs);
        let inodes = Scrape::take_from(PORT).samples("system_network_tcp_segments_sent_total", &[]);
        assert!(inodes.len() >= 2, "only its own namespace is in sight");
        agent.0.signal(Signal::TERM);
        assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(0));
    });
}
