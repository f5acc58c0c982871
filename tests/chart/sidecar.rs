//! The example of a sidecar beside a Collector.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_yaml::Value;

use crate::assert_valid;
use crate::harness::repository;
use crate::tools::{VERSIONS, check_schema, objects, only};

const EXAMPLE: &str = "deploy/kubernetes/examples/sidecar.yaml";

fn example() -> Vec<Value> {
    objects(&fs::read_to_string(repository().join(EXAMPLE)).expect(EXAMPLE))
}

fn configuration(name: &str) -> String {
    only(&example(), "ConfigMap")["data"][name].as_str().expect(name).to_owned()
}

#[test]
fn the_example_is_right_for_old_and_new_versions_of_kubernetes() {
    for version in VERSIONS {
        let lines =
            check_schema(version, &[&repository().join(EXAMPLE)]).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.iter().all(|line| line.contains(" passed for resource ")), "{lines:?}");
    }
}

#[test]
fn its_configuration_is_that_of_config_sidecar_yaml() {
    let ours = configuration("otel-tcpretrans.yaml");
    assert_valid(&ours);
    assert_eq!(
        ours,
        fs::read_to_string(repository().join("config/sidecar.yaml")).expect("config/sidecar.yaml")
    );
}

#[test]
fn the_real_collector_accepts_the_configuration_of_the_one_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let valid = configuration("collector.yaml");
    assert_eq!(validate(folder.path(), &valid), Ok(()));
    let why = validate(folder.path(), &valid.replace("check_interval", "check_intervall"));
    assert!(why.as_ref().is_err_and(|why| why.contains("check_intervall")), "{why:?}");
}

/// `otelcol validate`, with the environment of the example.
fn validate(folder: &Path, configuration: &str) -> Result<(), String> {
    let file = folder.join("collector.yaml");
    fs::write(&file, configuration).expect("writing a file");
    let built = Command::new(repository().join("tests/collector/build.sh")).output().expect("build.sh");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let collector = String::from_utf8(built.stdout).expect("UTF-8");
    let mut command = Command::new(collector.trim_end());
    command.env_clear();
    for variable in environment("otel-collector") {
        command.env(variable["name"].as_str().expect("a name"), variable["value"].as_str().expect("a value"));
    }
    let output = command.args(["validate", "--config"]).arg(&file).output().expect("the Collector");
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The variables of a container.
fn environment(name: &str) -> Vec<Value> {
    let pod = only(&example(), "Deployment")["spec"]["template"]["spec"].clone();
    let containers = pod["containers"].as_sequence().expect("containers").iter();
    let container = containers.clone().find(|container| container["name"] == name).expect(name);
    container["env"].as_sequence().expect("env").clone()
}
