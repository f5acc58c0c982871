//! Tests of the settings: which of file, environment and defaults wins, and which problems are reported.

use super::*;
use crate::otlp::Config;

fn resolved(yaml: &str, signal: Signal, variables: &[(&str, &str)]) -> Result<Settings, Vec<Problem>> {
    let config: Config = serde_yaml::from_str(yaml).expect(yaml);
    config.resolve(Kind::Otlp, signal, &|name| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    })
}

fn problems(yaml: &str, variables: &[(&str, &str)]) -> Vec<(String, String)> {
    let problems = resolved(yaml, Signal::Logs, variables).expect_err(yaml);
    problems.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

#[test]
fn defaults() {
    let settings = resolved("{}", Signal::Logs, &[]).expect("settings");
    assert_eq!(settings.endpoint.to_string(), "http://localhost:4317");
    assert_eq!(settings.compression, Compression::Gzip);
    assert_eq!(settings.timeout, Duration::from_secs(5));
    assert!(settings.headers.is_empty());
    assert_eq!(settings.tls, TlsConfig::default());
}

#[test]
fn the_environment_sets_what_the_file_does_not() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "backend:4317"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://metrics:4317"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "TRUE"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20t,x-a=b"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", ""),
    ];
    let logs = resolved("{}", Signal::Logs, &variables).expect("settings");
    assert_eq!(logs.endpoint.to_string(), "http://backend:4317");
    assert_eq!(logs.compression, Compression::None);
    assert_eq!(logs.timeout, Duration::from_millis(1500), "an empty variable is an unset one");
    assert_eq!(logs.headers["authorization"].reveal().unwrap(), "Bearer t");
    assert_eq!(logs.tls, TlsConfig::default(), "certificates have no effect without TLS");
    let metrics = resolved("{}", Signal::Metrics, &variables).expect("settings");
    assert_eq!(metrics.endpoint.to_string(), "https://metrics:4317");
    assert_eq!(metrics.compression, Compression::Zstd);
    assert_eq!(metrics.tls.ca_file, Some("/ca".into()));
    assert_eq!((metrics.tls.cert_file, metrics.tls.key_file), (Some("/cert".into()), Some("/key".into())));

    let file =
        "{ endpoint: 'https://file:1', headers: {}, timeout: 2s, compression: gzip, tls: { ca_file: /f } }";
    let settings = resolved(file, Signal::Metrics, &variables).expect("settings");
    assert_eq!(settings.endpoint.to_string(), "https://file:1");
    assert!(settings.headers.is_empty());
    assert_eq!((settings.timeout, settings.compression), (Duration::from_secs(2), Compression::Gzip));
    assert_eq!(settings.tls.ca_file, Some("/f".into()));
}

#[test]
fn words_may_be_in_any_case_and_a_timeout_of_0_is_no_limit() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "gRPC"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
    ];
    let settings = resolved("{}", Signal::Logs, &variables).expect("settings");
    assert_eq!(settings.compression, Compression::Gzip);
    assert_eq!(settings.timeout, Duration::from_millis(i32::MAX as u64));
}

#[test]
fn the_environments_protocol_counts_only_if_the_file_names_no_endpoint() {
    for variable in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"] {
        let variables = [(variable, "http/json"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://http:4318")];
        let settings = resolved("endpoint: 'http://file:1'", Signal::Logs, &variables).expect("settings");
        assert_eq!(
            (settings.endpoint.to_string().as_str(), settings.protocol),
            ("http://file:1", Protocol::Grpc)
        );
        for (variables, endpoint) in
            [(&variables[..], "http://http:4318/v1/logs"), (&variables[..1], "http://localhost:4318/v1/logs")]
        {
            let settings = resolved("{}", Signal::Logs, variables).expect("settings");
            assert_eq!(settings.protocol, Protocol::Http(Format::Json));
            assert_eq!(settings.endpoint.to_string(), endpoint);
        }
        assert_eq!(
            problems("{}", &[(variable, "http")]),
            [(
                String::new(),
                format!("{variable}: expected grpc, http/protobuf or http/json, found \"http\"")
            )]
        );
    }
}

/// OpenTelemetry specification, "Endpoint URLs for OTLP/HTTP".
#[test]
fn over_http_an_address_for_one_signal_is_taken_as_it_is() {
    let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318/base/");
    let own = ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://own:4318");
    for (yaml, variables, expected) in [
        ("{}", &[][..], "http://localhost:4318/v1/logs"),
        ("{}", &[all], "http://all:4318/base/v1/logs"),
        ("{}", &[all, own], "http://own:4318/"),
        ("endpoint: 'https://file/otlp'", &[all, own], "https://file/otlp/v1/logs"),
        ("{ endpoint: 'https://file', logs_endpoint: 'https://logs/in?a=b' }", &[own], "https://logs/in?a=b"),
        ("{ metrics_endpoint: 'https://metrics/in' }", &[all], "http://all:4318/base/v1/logs"),
    ] {
        let config: Config = serde_yaml::from_str(yaml).expect(yaml);
        let environment =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let settings = config.resolve(Kind::OtlpHttp, Signal::Logs, &environment).expect(yaml);
        assert_eq!(settings.endpoint.uri().to_string(), expected, "{yaml}");
        assert_eq!(settings.protocol, Protocol::Http(Format::Proto));
        assert_eq!(config.validate(Kind::OtlpHttp, &environment), []);
    }
}

#[test]
fn over_http_the_requests_own_headers_and_other_urls_are_refused() {
    for (yaml, path) in [
        ("headers: { Content-Type: text/plain }", "headers.Content-Type"),
        ("endpoint: 'ftp://host'", "endpoint"),
        ("logs_endpoint: host", "logs_endpoint"),
        ("proxy_url: 'socks5://secret@proxy'", "proxy_url"),
    ] {
        let config: Config = serde_yaml::from_str(yaml).expect(yaml);
        let found = config.validate(Kind::OtlpHttp, &|_| None);
        assert_eq!(found.iter().map(|problem| &*problem.path).collect::<Vec<_>>(), [path]);
        assert!(!found[0].message.contains("secret"), "{}", found[0].message);
        if path != "endpoint" && !path.starts_with("headers") {
            let found = config.validate(Kind::Otlp, &|_| None);
            assert!(found[0].message.ends_with("use the exporter otlp_http"), "{found:?}");
        }
    }
}

#[test]
fn all_problems_are_found_at_once_and_name_their_source() {
    let found = problems(
        "{ timeout: 0s, tls: { cert_file: /c } }",
        &[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense"),
            ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "brotli"),
            ("OTEL_EXPORTER_OTLP_INSECURE", "yes"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
        ],
    );
    let expected = [
        ("", "OTEL_EXPORTER_OTLP_PROTOCOL: expected grpc, http/protobuf or http/json, found \"http\""),
        ("tls.insecure", "OTEL_EXPORTER_OTLP_INSECURE: expected true or false, found \"yes\""),
        (
            "endpoint",
            "OTEL_EXPORTER_OTLP_ENDPOINT: expected http://HOST:PORT or https://HOST:PORT, found \"nonsense\"",
        ),
        ("tls.cert_file", "a certificate needs its key"),
        ("compression", "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: expected none, gzip or zstd, found \"brotli\""),
        ("headers", "OTEL_EXPORTER_OTLP_HEADERS: expected KEY=VALUE,KEY=VALUE"),
        ("timeout", "expected a time from 1ms to a year"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((path, message), (expected_path, expected)) in found.iter().zip(expected) {
        assert_eq!(path, expected_path);
        assert!(message.starts_with(expected) && !message.contains("hunter2"), "{message}");
    }
}

#[test]
fn the_level_of_the_compression() {
    let level = |yaml: &str, variables: &[(&str, &str)]| {
        resolved(yaml, Signal::Logs, variables).map(|settings| settings.level).map_err(|mut problems| {
            let Problem { path, message } = problems.remove(0);
            assert_eq!(path, "compression_params.level");
            message
        })
    };
    assert_eq!(level("{}", &[]), Ok(1));
    for (compression, last) in [("gzip", 9), ("zstd", 11)] {
        let with = |wanted: i64| {
            level(
                &format!("{{ compression: {compression}, compression_params: {{ level: {wanted} }} }}"),
                &[],
            )
        };
        assert_eq!((with(1), with(last)), (Ok(1), Ok(last as u8)));
        for wrong in [0, -1, last + 1, 257] {
            let expected = format!("expected a level of {compression} from 1 to {last}, found {wrong}");
            assert_eq!(with(wrong), Err(expected));
        }
    }
    let none =
        Err("there is no compression: set `compression` to gzip or zstd, or leave this out".to_owned());
    let of_nothing = "{ compression: none, compression_params: { level: 1 } }";
    assert_eq!(level(of_nothing, &[]), none);
    let variables = [("OTEL_EXPORTER_OTLP_COMPRESSION", "none")];
    assert_eq!(level("compression_params: { level: 1 }", &variables), none);
    assert_eq!(level("compression_params: {}", &variables), Ok(1), "it sets no level");
}

#[test]
fn headers_that_grpc_can_not_carry() {
    let found = problems("headers: { 'a b': x, grpc-timeout: x, t-bin: x, ok: \"x\\ny\" }", &[]);
    let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["headers.a b", "headers.grpc-timeout", "headers.ok", "headers.t-bin"]);
    let found = problems("headers: { Authorization: from the file, authorization: from --set }", &[]);
    assert_eq!(
        found[0].0, "headers.Authorization",
        "only one of them would be sent, and it would be the wrong one"
    );
}

#[test]
fn a_problem_of_a_variables_value_names_the_variable() {
    for (name, value, path, message) in [
        ("HEADERS", "grpc-x=hunter2", "headers", "grpc-x: names that begin with grpc- belong to gRPC itself"),
        ("HEADERS", "a=hunter2%0A", "headers", "a: its value has characters that a header may not have"),
        ("CLIENT_CERTIFICATE", "/c", "tls.cert_file", "a certificate needs its key: set `key_file` too"),
        ("CLIENT_KEY", "/k", "tls.key_file", "a key needs its certificate: set `cert_file` too"),
        ("TIMEOUT", "9223372036854775807", "timeout", "expected a time from 1ms to a year"),
    ] {
        let variable = format!("OTEL_EXPORTER_OTLP_{name}");
        let found = problems("endpoint: 'https://b:1'", &[(&variable, value)]);
        assert_eq!(found, [(path.to_owned(), format!("{variable}: {message}"))]);
    }
}

#[test]
fn a_value_that_differs_between_the_signals_is_not_shown() {
    let environment = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("http://both:1".to_owned()),
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" => Some("http://logs:1".to_owned()),
        "OTEL_EXPORTER_OTLP_TIMEOUT" => Some("7000".to_owned()),
        _ => None,
    };
    let shown = Config::default().filled_in(Kind::Otlp, &environment).expect("filled in");
    assert_eq!((shown.endpoint, shown.timeout), (None, Some(Interval::from_secs(7))));
}

#[test]
fn what_is_no_endpoint_in_the_file_is_refused() {
    let found = problems("endpoint: nonsense", &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://unused:1")]);
    let expected = "expected http://HOST:PORT or https://HOST:PORT, found \"nonsense\"";
    assert_eq!(found, [("endpoint".to_owned(), expected.to_owned())]);
}

#[test]
fn certificates_and_plaintext_contradict() {
    for yaml in [
        "{ endpoint: 'http://b:1', tls: { ca_file: /ca, cert_file: /c, insecure_skip_verify: true } }",
        "{ endpoint: 'b:1', tls: { insecure: true, ca_file: /ca, cert_file: /c, insecure_skip_verify: true } }",
    ] {
        let found = problems(yaml, &[]);
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["tls.ca_file", "tls.cert_file", "tls.insecure_skip_verify"]);
        assert!(found[0].1.contains("the endpoint has no TLS"), "{found:?}");
    }
}

#[test]
fn verifying_and_not_verifying_contradict() {
    let found =
        problems("{ endpoint: 'https://b:1', tls: { ca_file: /ca, insecure_skip_verify: true } }", &[]);
    assert_eq!(found[0].0, "tls.insecure_skip_verify");
}

#[test]
fn the_file_is_read_strictly_and_shown_filled_in() {
    assert!(serde_yaml::from_str::<Config>("endpont: x").is_err());
    assert!(serde_yaml::from_str::<Config>("tls: { ca: x }").is_err());
    let config: Config = serde_yaml::from_str("headers: { authorization: hunter2 }").expect("a config");
    assert!(config.validate(Kind::Otlp, &|_| None).is_empty());
    let shown =
        serde_yaml::to_string(&config.filled_in(Kind::Otlp, &|_| None).expect("filled in")).expect("shown");
    for line in ["endpoint: http://localhost:4317", "compression: gzip", "timeout: 5s", "  insecure: true"] {
        assert!(shown.lines().any(|l| l == line), "{line} is missing in {shown}");
    }
    assert!(shown.contains("authorization: '[REDACTED]'") && !shown.contains("hunter2"), "{shown}");
    for key in ["temporality", "body", "compression_params"] {
        assert!(!shown.contains(key), "{shown}");
    }
    let yaml = "{ temporality: delta, body: false, compression_params: { level: 7 } }";
    let config: Config = serde_yaml::from_str(yaml).expect("a config");
    let shown =
        serde_yaml::to_string(&config.filled_in(Kind::Otlp, &|_| None).expect("filled in")).expect("shown");
    for line in ["temporality: delta", "body: false", "compression_params:", "  level: 7"] {
        assert!(shown.lines().any(|l| l == line), "{line} is missing in {shown}");
    }
    assert!(serde_yaml::from_str::<Config>("compression_params: { window: 1 }").is_err());
    assert!(serde_yaml::from_str::<Config>("temporality: gauge").is_err());
    let below: Config = serde_yaml::from_str("sending_queue: { num_consumers: 0 }").expect("a config");
    assert_eq!(below.validate(Kind::Otlp, &|_| None)[0].path, "sending_queue.num_consumers");
}
