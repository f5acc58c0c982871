//! Helm and kubernetes-validate, and what they print. `tests/kubernetes` shares it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_yaml::Value;

/// The oldest and the newest version of Kubernetes that kubernetes-validate knows.
pub const VERSIONS: [&str; 2] = ["1.25", "1.37"];

/// The repository's own folder.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the fetched tools.
fn tools() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let output = Command::new(repository().join("tests/chart/fetch.sh")).output().expect("fetch.sh");
        assert!(output.status.success(), "{}", said(&output));
        PathBuf::from(String::from_utf8(output.stdout).expect("UTF-8").trim_end())
    })
}

/// The path of Helm.
pub fn helm() -> PathBuf {
    tools().join("helm")
}

/// The folder of the chart.
pub fn chart() -> PathBuf {
    repository().join("deploy/kubernetes/chart")
}

/// The files with the sets of values that the chart is tested with.
pub fn value_sets() -> Vec<PathBuf> {
    let files = std::fs::read_dir(chart().join("ci")).expect("ci/");
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    files
}

/// The least values that have to be set.
pub fn least_values() -> PathBuf {
    chart().join("ci/default-values.yaml")
}

/// Runs Helm with folders of its own.
pub fn run_helm(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(helm());
    command.env_clear().env("HOME", home.path()).current_dir(chart());
    command.args(arguments).output().expect("helm")
}

/// `helm template` of the chart for a version of Kubernetes. Fails with Helm's words.
pub fn template(version: &str, arguments: &[&str]) -> Result<String, String> {
    let fixed = ["template", "t", ".", "--namespace", "observability", "--kube-version", version];
    let output = run_helm(&[&fixed, arguments].concat());
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).expect("UTF-8")),
        false => Err(said(&output)),
    }
}

/// The objects that a file of values makes.
pub fn objects_of(version: &str, values: &Path) -> Vec<Value> {
    objects(&template(version, &["--values", text(values)]).expect("rendering"))
}

/// The objects in a file of Kubernetes.
pub fn objects(text: &str) -> Vec<Value> {
    let documents =
        serde_yaml::Deserializer::from_str(text).map(|one| Value::deserialize(one).expect("YAML"));
    documents.filter(|object| !object.is_null()).collect()
}

/// The only object of this kind.
#[track_caller]
pub fn only<'o>(objects: &'o [Value], kind: &str) -> &'o Value {
    let found: Vec<&Value> = objects.iter().filter(|object| object["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "{kind}");
    found[0]
}

/// What kubernetes-validate says of files: without a problem, each line has an object that it has checked or does not know.
pub fn check_schema(version: &str, files: &[&Path]) -> Result<Vec<String>, String> {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", tools().join("python")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["-m", "kubernetes_validate", "--strict", "-k", version]).args(files);
    let output = command.output().expect("python3");
    let lines = String::from_utf8(output.stdout.clone()).expect("UTF-8").lines().map(str::to_owned).collect();
    if output.status.success() { Ok(lines) } else { Err(said(&output)) }
}

/// A path as Helm's argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
