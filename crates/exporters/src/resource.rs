//! The OTLP resource: the attributes that say which program on which host the telemetry is from.

use std::collections::BTreeMap;
use std::{fmt, fs};

use opentelemetry::{KeyValue, Value as SdkValue};
use opentelemetry_proto::tonic::common::v1 as proto;
use opentelemetry_proto::tonic::resource::v1 as proto_resource;
use otel_tcpretrans_pipeline::config::Problem;
use serde::{Deserialize, Serialize};

use crate::{Environment, SCOPE_NAME, VERSION, key_values};

const SERVICE_NAME: &str = "service.name";

/// The attributes under `service.telemetry.resource`, by name. `null` removes an attribute, as in the Collector.
pub type UserAttributes = BTreeMap<String, Option<Value>>;

/// A value of a resource attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text, a number, true or false")]
#[allow(missing_docs)] // the names say it
pub enum Value {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(truth) => truth.fmt(f),
            Value::Int(number) => number.fmt(f),
            Value::Double(number) => number.fmt(f),
            Value::Text(text) => f.write_str(text),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

/// This run of the program and the host that it runs on, as far as they can be detected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Unique to this run of the program.
    pub instance_id: String,
    /// The host's name: the nodename of uname(2).
    pub host_name: Option<String>,
    /// The host's id: the content of /etc/machine-id, see machine-id(5).
    pub host_id: Option<String>,
    /// The processor's architecture, as Rust names it (`std::env::consts::ARCH`).
    pub architecture: &'static str,
}

impl Instance {
    /// Makes a new instance id, and asks the system for the rest. What the system does not tell stays `None`.
    pub fn detect() -> Self {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Instance {
            instance_id: uuid::Uuid::new_v4().to_string(),
            host_name: rustix::system::uname().nodename().to_str().ok().and_then(text),
            host_id: fs::read_to_string("/etc/machine-id").ok().as_deref().and_then(text),
            architecture: std::env::consts::ARCH,
        }
    }
}

/// A resource: attributes by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    attributes: BTreeMap<String, Value>,
}

impl Resource {
    /// Makes a resource from four sources: the instance, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME and the user's
    /// configuration. If several of them have an attribute, the last one wins.
    ///
    /// # Errors
    /// OTEL_RESOURCE_ATTRIBUTES can't be read.
    pub fn new(
        instance: &Instance,
        environment: &Environment<'_>,
        user: &UserAttributes,
    ) -> Result<Resource, Vec<Problem>> {
        let mut attributes = of_instance(instance);
        let variable = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        if let Some(list) = variable("OTEL_RESOURCE_ATTRIBUTES") {
            let pairs = key_values::parse(&list)
                .map_err(|error| vec![Problem::at("", format!("OTEL_RESOURCE_ATTRIBUTES: {error}"))])?;
            attributes.extend(pairs.into_iter().map(|(name, value)| (name, Value::Text(value))));
        }
        if let Some(name) = variable("OTEL_SERVICE_NAME") {
            attributes.insert(SERVICE_NAME.into(), Value::Text(name));
        }
        for (name, value) in user {
            match value {
                Some(value) => attributes.insert(name.clone(), value.clone()),
                None => attributes.remove(name),
            };
        }
        Ok(Resource { attributes })
    }

    /// An attribute's value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// All attributes, by name.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The resource as an OTLP message.
    pub fn to_otlp(&self) -> proto_resource::Resource {
        let attributes = self.attributes.iter().map(|(name, value)| proto::KeyValue {
            key: name.clone(),
            value: Some(proto::AnyValue { value: Some(otlp_value(value)) }),
            ..Default::default()
        });
        proto_resource::Resource { attributes: attributes.collect(), ..Default::default() }
    }

    /// The resource as the OpenTelemetry SDK's type, without the attributes that the SDK would add.
    pub fn to_sdk(&self) -> opentelemetry_sdk::Resource {
        let attributes = self.attributes.iter().map(|(name, value)| {
            let value: SdkValue = match value {
                Value::Bool(truth) => (*truth).into(),
                Value::Int(number) => (*number).into(),
                Value::Double(number) => (*number).into(),
                Value::Text(text) => text.clone().into(),
            };
            KeyValue::new(name.clone(), value)
        });
        opentelemetry_sdk::Resource::builder_empty().with_attributes(attributes).build()
    }
}

fn of_instance(instance: &Instance) -> BTreeMap<String, Value> {
    let known = [
        (SERVICE_NAME, Some(SCOPE_NAME)),
        ("service.version", Some(VERSION)),
        ("service.instance.id", Some(instance.instance_id.as_str())),
        ("host.name", instance.host_name.as_deref()),
        ("host.id", instance.host_id.as_deref()),
        ("host.arch", Some(host_arch(instance.architecture))),
        ("os.type", Some("linux")),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
}

/// Translates Rust's name of an architecture into the value of `host.arch` (semantic conventions, "Host").
fn host_arch(architecture: &str) -> &str {
    match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

fn otlp_value(value: &Value) -> proto::any_value::Value {
    use proto::any_value::Value as Otlp;
    match value {
        Value::Bool(truth) => Otlp::BoolValue(*truth),
        Value::Int(number) => Otlp::IntValue(*number),
        Value::Double(number) => Otlp::DoubleValue(*number),
        Value::Text(text) => Otlp::StringValue(text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> Instance {
        Instance {
            instance_id: "i".into(),
            host_name: Some("h".into()),
            host_id: None,
            architecture: "x86_64",
        }
    }

    fn text(resource: &Resource, name: &str) -> Option<String> {
        match resource.get(name)? {
            Value::Text(text) => Some(text.clone()),
            other => panic!("{name} is {other:?}"),
        }
    }

    #[test]
    fn an_instance_becomes_attributes() {
        let resource = Resource::new(&instance(), &|_| None, &UserAttributes::new()).expect("a resource");
        for (name, expected) in [
            ("service.name", Some("otel-tcpretrans")),
            ("service.version", Some(VERSION)),
            ("service.instance.id", Some("i")),
            ("host.name", Some("h")),
            ("host.id", None),
            ("host.arch", Some("amd64")),
            ("os.type", Some("linux")),
        ] {
            assert_eq!(text(&resource, name).as_deref(), expected, "{name}");
        }
        assert_eq!(host_arch("aarch64"), "arm64");
    }

    #[test]
    fn later_sources_win() {
        let name = |variables: &[(&str, &str)], user: &str| {
            let environment = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            let user = serde_yaml::from_str(user).expect("a map");
            text(&Resource::new(&instance(), &environment, &user).expect("a resource"), "service.name")
        };
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=by%20list,a=b");
        let service = ("OTEL_SERVICE_NAME", "by name");
        assert_eq!(name(&[attributes], "{}").as_deref(), Some("by list"));
        assert_eq!(name(&[attributes, service], "{}").as_deref(), Some("by name"));
        assert_eq!(name(&[attributes, service], "service.name: by file").as_deref(), Some("by file"));
        assert_eq!(name(&[attributes, service], "service.name: null"), None);
        assert_eq!(name(&[("OTEL_SERVICE_NAME", "")], "{}").as_deref(), Some("otel-tcpretrans"));
    }

    #[test]
    fn the_users_values_keep_their_type() {
        let user = serde_yaml::from_str("{ t: yes it is, i: 7, d: 1.5, b: true }").expect("a map");
        let resource = Resource::new(&instance(), &|_| None, &user).expect("a resource");
        assert_eq!(resource.get("i"), Some(&Value::Int(7)));
        assert_eq!(resource.get("d"), Some(&Value::Double(1.5)));
        assert_eq!(resource.get("b"), Some(&Value::Bool(true)));
        assert_eq!(resource.to_otlp().attributes.len(), 10);
        assert_eq!(resource.to_sdk().len(), 10);
    }

    #[test]
    fn an_unreadable_list_is_a_problem() {
        let environment = |name: &str| (name == "OTEL_RESOURCE_ATTRIBUTES").then(|| "nonsense".to_owned());
        let problems = Resource::new(&instance(), &environment, &UserAttributes::new()).expect_err("no list");
        assert!(
            problems[0].message.starts_with("OTEL_RESOURCE_ATTRIBUTES: expected KEY=VALUE"),
            "{problems:?}"
        );
    }

    #[test]
    fn what_is_no_value_is_refused_with_what_was_expected() {
        for (yaml, value) in [
            ("7", Value::Int(7)),
            ("7.5", Value::Double(7.5)),
            ("true", Value::Bool(true)),
            ("x", "x".into()),
        ] {
            assert_eq!(serde_yaml::from_str::<Value>(yaml).expect(yaml), value);
        }
        let error = serde_yaml::from_str::<Value>("[1]").expect_err("a list").to_string();
        assert!(error.starts_with("expected a text, a number, true or false"), "{error}");
    }
}
