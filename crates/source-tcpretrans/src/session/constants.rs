//! What user space decides before the load: constants for the verifier.

use crate::setup::{ScopeSetup, Setup};
use crate::skeleton::OpenTcpretransSkel;
use crate::skeleton::types::{wire_config, wire_scope, wire_transport};

/// Sets the constants that the verifier sees.
pub(super) fn set_constants(
    open: &mut OpenTcpretransSkel<'_>,
    setup: &Setup,
    transport: wire_transport,
    has_socket_storage: bool,
) -> libbpf_rs::Result<()> {
    let (scope, scope_netns, scope_cgroup) = match setup.scope {
        ScopeSetup::Host => (wire_scope::SCOPE_HOST, 0, 0),
        ScopeSetup::Netns(inode) => (wire_scope::SCOPE_NETNS, inode, 0),
        ScopeSetup::Cgroup(id) => (wire_scope::SCOPE_CGROUP, 0, id),
    };
    let rodata = open.maps.rodata_data.as_deref_mut().ok_or_else(|| {
        libbpf_rs::Error::from(std::io::Error::other("the object has no .rodata")) // it has: bpf/config.h
    })?;
    rodata.config = wire_config {
        scope_cgroup,
        scope_netns,
        scope: scope.0 as u8,
        transport: transport.0 as u8,
        has_cookie: setup.socket_cookie.into(),
        has_socket_storage: has_socket_storage.into(),
        may_be_preempted: setup.preemptible.into(),
        reserved: [0; 7],
    };
    Ok(())
}
