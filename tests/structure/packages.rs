//! The packages' part of the manifest: each file that it names exists, and both kinds of packages have the same files.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What deploy/package.sh makes, or cargo.
const MADE: &str = "target/";
/// Files that only one kind has, since the distributions have different rules.
const OF_ONE_KIND: [&str; 5] = [
    "CHANGELOG.md",
    "LICENSE",
    "deploy/debian/copyright",
    "deploy/debian/lintian-overrides",
    "target/package/files/changelog.gz",
];

#[test]
fn packages_are_made_of_files_that_exist() {
    let metadata = metadata();
    let (deb, rpm) = (&metadata["deb"], &metadata["generate-rpm"]);
    let mut files = sources(deb);
    files.extend(sources(rpm));
    for key in ["extended-description-file", "changelog", "maintainer-scripts"] {
        files.insert(deb[key].as_str().expect("a path").to_owned());
    }
    for key in ["post_install_script", "pre_uninstall_script", "post_uninstall_script"] {
        files.insert(rpm[key].as_str().expect("a path").to_owned());
    }
    let missing: Vec<_> = files.iter().filter(|file| !file.starts_with(MADE) && !exists(file)).collect();
    assert!(missing.is_empty(), "Cargo.toml names files that do not exist: {missing:?}");
}

#[test]
fn both_kinds_of_packages_have_the_same_files() {
    let metadata = metadata();
    let mut deb = sources(&metadata["deb"]);
    // cargo-deb finds the unit by itself, in the folder `unit-scripts`.
    let units = metadata["deb"]["systemd-units"]["unit-scripts"].as_str().expect("a folder");
    deb.insert(format!("{units}/otel-tcpretrans.service"));
    let rpm = sources(&metadata["generate-rpm"]);
    let different: Vec<_> =
        deb.symmetric_difference(&rpm).filter(|file| !OF_ONE_KIND.contains(&file.as_str())).collect();
    assert!(different.is_empty(), "only one kind of packages has {different:?}");
}

/// `[package.metadata]` of the root package.
fn metadata() -> Value {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(&manifest)
        .output()
        .expect("running cargo");
    let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = all["packages"].as_array().expect("packages");
    let root =
        packages.iter().find(|package| package["name"] == "otel-tcpretrans").expect("the root package");
    root["metadata"].clone()
}

/// The sources of a package's assets: `[source, destination, mode]`, or a table.
fn sources(package: &Value) -> BTreeSet<String> {
    let assets = package["assets"].as_array().expect("assets");
    let source = |asset: &Value| asset.get("source").or_else(|| asset.get(0)).cloned();
    assets.iter().map(|asset| source(asset).expect("a source").as_str().expect("a path").to_owned()).collect()
}

/// Whether a path exists, or for `FOLDER/*.ENDING` whether any file in the folder ends so.
fn exists(path: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some((folder, ending)) = path.split_once('*') else { return root.join(path).exists() };
    let ends = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.ends_with(ending));
    let mut entries = root.join(folder).read_dir().into_iter().flatten().flatten();
    entries.any(|entry| ends(&entry.file_name()))
}
