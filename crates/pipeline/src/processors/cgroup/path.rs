//! What runs in a cgroup, by its path. The forms are those that systemd, the container runtimes and the kubelet use, with
//! both of their drivers.

use std::borrow::Cow;

/// What a path says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The innermost systemd unit that is no container's: a service or a scope.
    pub(super) unit: Option<String>,
    /// The innermost slice around it.
    pub(super) slice: Option<String>,
    pub(super) container: Option<Container>,
    pub(super) pod: Option<Pod>,
}

/// A container. The innermost one wins, since containers may be nested (kind, Docker in Docker).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Container {
    /// The runtime's id, if the path has it.
    pub(super) id: Option<String>,
    /// Its name, if the path has that.
    pub(super) name: Option<String>,
    pub(super) runtime: Option<&'static str>,
}

/// A Kubernetes pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pod {
    pub(super) uid: String,
    /// Its quality of service: `guaranteed`, `burstable` or `besteffort`.
    pub(super) qos: &'static str,
}

/// Prefixes of a container's scope, and the runtimes. Podman's are of libpod.
const RUNTIMES: [(&str, &str); 5] = [
    ("cri-containerd-", "containerd"),
    ("nerdctl-", "containerd"),
    ("crio-", "cri-o"),
    ("docker-", "docker"),
    ("libpod-", "podman"),
];

/// Reads a path below the root of the hierarchy, such as `/system.slice/ssh.service`.
pub(super) fn place(path: &str) -> Place {
    let mut place = Place::default();
    let mut before = "";
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        // systemd puts an underscore before a name that would mean something else to the kernel (cg_escape).
        let segment = segment.strip_prefix('_').unwrap_or(segment);
        if let Some(pod) = pod(segment, before) {
            place.pod = Some(pod);
        }
        if let Some(container) = container(segment, before) {
            place.container = Some(container);
        } else if segment.ends_with(".service") || segment.ends_with(".scope") {
            if !is_monitor(segment) {
                place.unit = Some(unescaped(segment).into_owned());
            }
        } else if segment.ends_with(".slice") {
            place.slice = Some(unescaped(segment).into_owned());
        }
        before = segment;
    }
    place
}

/// The process that a runtime has beside a container.
fn is_monitor(segment: &str) -> bool {
    segment.contains("-conmon-")
}

/// The container of a segment. `before` is the segment around it.
fn container(segment: &str, before: &str) -> Option<Container> {
    if is_monitor(segment) {
        return None;
    }
    let of_id = |id: &str, runtime| Container { id: Some(id.to_owned()), name: None, runtime };
    let named = |name: &str, runtime| Container {
        id: None,
        name: Some(unescaped(name).into_owned()),
        runtime: Some(runtime),
    };
    // `…slice:cri-containerd:ID`: runc's systemd form of a path, taken literally by the cgroupfs driver.
    if let Some((rest, id)) = segment.rsplit_once(':')
        && is_id(id)
    {
        let prefix = rest.rsplit(':').next().unwrap_or_default();
        return Some(of_id(id, runtime(&format!("{prefix}-"))));
    }
    let scope = segment.strip_suffix(".scope").unwrap_or(segment);
    if let Some((prefix, id)) = scope.rsplit_once('-')
        && is_id(id)
    {
        return Some(of_id(id, runtime(&format!("{prefix}-"))));
    }
    if is_id(segment) {
        let runtime = match before {
            "docker" => Some("docker"),
            "k8s.io" | "moby" | "default" => Some("containerd"),
            _ => None,
        };
        return Some(of_id(segment, runtime));
    }
    // Amazon ECS: 32 digits of the task, and a number.
    if let Some((task, number)) = segment.rsplit_once('-')
        && before == task
        && is_hex(task, 32)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Some(of_id(segment, Some("docker")));
    }
    if let Some(name) = segment.strip_prefix("lxc.payload.") {
        return Some(named(name, "lxc"));
    }
    if before == "lxc" {
        return Some(named(segment, "lxc"));
    }
    if let Some(name) = segment.strip_prefix("systemd-nspawn@").and_then(|rest| rest.strip_suffix(".service"))
    {
        return Some(named(name, "systemd-nspawn"));
    }
    let machine = scope.strip_prefix("machine-").filter(|_| scope != segment);
    machine.map(|name| named(name, "systemd-nspawn"))
}

fn runtime(prefix: &str) -> Option<&'static str> {
    RUNTIMES.iter().find(|(known, _)| *known == prefix).map(|(_, runtime)| *runtime)
}

/// A pod: `pod<uid>` of the cgroupfs driver, or `kubepods-burstable-pod<uid>.slice` of systemd's, whose underscores stand
/// for the dashes of the id. Kubepods may also be below another slice (`kubelet-kubepods-…`).
fn pod(segment: &str, before: &str) -> Option<Pod> {
    // runc's form has the slice before the first colon.
    let segment = segment.split(':').next().unwrap_or(segment);
    let (around, uid) = match segment.strip_suffix(".slice") {
        Some(slice) => slice.rsplit_once("-pod").filter(|(around, _)| around.contains("kubepods"))?,
        None => (before, segment.strip_prefix("pod")?),
    };
    let uid = uid.replace('_', "-");
    let is_uuid = uid.len() == 36 && uid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    // A static pod has the hash of its manifest.
    if !is_uuid && !is_hex(&uid, 32) {
        return None;
    }
    let qos =
        ["burstable", "besteffort"].into_iter().find(|qos| around.ends_with(qos)).unwrap_or("guaranteed");
    Some(Pod { uid, qos })
}

/// The id of a container: 64 hexadecimal digits.
fn is_id(text: &str) -> bool {
    is_hex(text, 64)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Replaces `\x2d` and the like (systemd.unit(5), "String escaping for inclusion in unit names").
fn unescaped(name: &str) -> Cow<'_, str> {
    if !name.contains("\\x") {
        return Cow::Borrowed(name);
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let code = rest.get(at + 2..at + 4).and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(b"\\x"),
        }
        rest = &rest[at + if code.is_some() { 4 } else { 2 }..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
