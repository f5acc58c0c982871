//! The forms of paths that are known from real machines.

use super::{Container, Place, Pod, place};

const ID: &str = "3f9c1d0e5b7a4c2f8e6d9b1a0c3f5e7d2b4a6c8e0f1d3b5a7c9e1f3d5b7a9c0e";
const OTHER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const UID: &str = "7b3f1c2a-9d4e-4f60-8a1b-2c3d4e5f6071";

fn container(id: &str, runtime: Option<&'static str>) -> Option<Container> {
    Some(Container { id: Some(id.to_owned()), name: None, runtime })
}

fn named(name: &str, runtime: &'static str) -> Option<Container> {
    Some(Container { id: None, name: Some(name.to_owned()), runtime: Some(runtime) })
}

fn pod(uid: &str, qos: &'static str) -> Option<Pod> {
    Some(Pod { uid: uid.to_owned(), qos })
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn units() {
    for (path, unit, slice) in [
        ("/", None, None),
        ("/init.scope", text("init.scope"), None),
        ("/system.slice/ssh.service", text("ssh.service"), text("system.slice")),
        ("/system.slice/_cpu.service", text("cpu.service"), text("system.slice")),
        (
            "/system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS0.service",
            text("serial-getty@ttyS0.service"),
            text("system-serial-getty.slice"),
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox\\x2d1.scope",
            text("app-firefox-1.scope"),
            text("app.slice"),
        ),
        ("/system.slice/postgresql.service/worker", text("postgresql.service"), text("system.slice")),
        ("/system/apid", None, None),
        ("/system.slice/odd\\xzz\\x2.service", text("odd\\xzz\\x2.service"), text("system.slice")),
    ] {
        assert_eq!(place(path), Place { unit, slice, ..Place::default() }, "{path}");
    }
}

#[test]
fn containers() {
    for (path, expected) in [
        (format!("/system.slice/docker-{ID}.scope"), container(ID, Some("docker"))),
        (format!("/docker/{ID}"), container(ID, Some("docker"))),
        (format!("/docker/{OTHER}/docker/{ID}"), container(ID, Some("docker"))),
        (format!("/machine.slice/libpod-{ID}.scope/container"), container(ID, Some("podman"))),
        (format!("/libpod_parent/{OTHER}/libpod-{ID}"), container(ID, Some("podman"))),
        (format!("/system.slice/nerdctl-{ID}.scope"), container(ID, Some("containerd"))),
        (format!("/k8s.io/{ID}"), container(ID, Some("containerd"))),
        (format!("/system.slice/other-{ID}.scope"), container(ID, None)),
        (format!("/machine.slice/libpod-conmon-{ID}.scope"), None),
        (
            "/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-42".to_owned(),
            container("0123456789abcdef0123456789abcdef-42", Some("docker")),
        ),
        ("/lxc.payload.web-1/system.slice/nginx.service".to_owned(), named("web-1", "lxc")),
        ("/lxc/web-1".to_owned(), named("web-1", "lxc")),
        (
            "/machine.slice/systemd-nspawn@web\\x2d1.service/payload".to_owned(),
            named("web-1", "systemd-nspawn"),
        ),
        ("/machine.slice/machine-web\\x2d1.scope".to_owned(), named("web-1", "systemd-nspawn")),
        (format!("/system.slice/docker-{}.scope", &ID[1..]), None),
        (format!("/system.slice/docker-{}.scope", ID.to_uppercase()), None),
    ] {
        assert_eq!(place(&path).container, expected, "{path}");
    }
    let nginx = place("/lxc.payload.web-1/system.slice/nginx.service");
    assert_eq!(nginx.unit, text("nginx.service"), "a unit within a container");
    let scope = place(&format!("/system.slice/docker-{ID}.scope"));
    assert_eq!(
        (scope.unit, scope.slice),
        (None, text("system.slice")),
        "a container's scope is no unit of its own"
    );
}

#[test]
fn pods() {
    let escaped = UID.replace('-', "_");
    let manifest = "0123456789abcdef0123456789abcdef";
    for (path, expected, runtime) in [
        (
            format!(
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{escaped}.slice/cri-containerd-{ID}.scope"
            ),
            pod(UID, "burstable"),
            Some("containerd"),
        ),
        (
            format!("/kubepods.slice/kubepods-pod{escaped}.slice/crio-{ID}.scope"),
            pod(UID, "guaranteed"),
            Some("cri-o"),
        ),
        (format!("/kubepods/besteffort/pod{UID}/{ID}"), pod(UID, "besteffort"), None),
        (format!("/kubepods/pod{UID}/{ID}"), pod(UID, "guaranteed"), None),
        (format!("/kubepods/burstable/pod{manifest}/{ID}"), pod(manifest, "burstable"), None),
        (
            format!(
                "/docker/{OTHER}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod{escaped}.slice/cri-containerd-{ID}.scope"
            ),
            pod(UID, "besteffort"),
            Some("containerd"),
        ),
        (
            format!(
                "/system.slice/containerd.service/kubepods-burstable-pod{escaped}.slice:cri-containerd:{ID}"
            ),
            pod(UID, "burstable"),
            Some("containerd"),
        ),
        (format!("/../../pod{UID}/{ID}"), pod(UID, "guaranteed"), None),
    ] {
        let found = place(&path);
        assert_eq!(found.pod, expected, "{path}");
        assert_eq!(found.container, container(ID, runtime), "{path}");
    }
    let monitor = place(&format!("/kubepods.slice/kubepods-pod{escaped}.slice/crio-conmon-{ID}.scope"));
    assert_eq!((monitor.container, monitor.pod, monitor.unit), (None, pod(UID, "guaranteed"), None));
    assert_eq!(place("/system.slice/podman.service").pod, None);
    assert_eq!(place(&format!("/user.slice/my-pod{escaped}.slice")).pod, None);
}
