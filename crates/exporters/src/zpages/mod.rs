//! The `zpages` extension: a page that shows the running process, for people, and the same as JSON; and the records of a
//! pipeline as they pass, for `top --connect`.

mod about;
mod agent;
mod config;
mod format;
mod ledgers;
mod lines;
mod number;
mod page;
mod picture;
mod records;
mod view;

use std::net::IpAddr;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{self, HeaderName};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use otel_tcpretrans_pipeline::component::{Extension, ExtensionError, Host};
use tokio::time::Instant;

pub use about::About;
pub use agent::{Address, Agent, Watched};
pub use config::Config;
use view::View;

use crate::http::{self as server, Body, Listening, only_get, text};

/// A `zpages` extension.
pub struct Zpages {
    id: String,
    config: Config,
    about: Arc<About>,
    running: Option<Listening>,
}

impl Zpages {
    /// An extension that is not started.
    pub fn new(id: &str, config: Config, about: About) -> Self {
        Zpages { id: id.to_owned(), config, about: Arc::new(about), running: None }
    }
}

impl Extension for Zpages {
    fn start<'s>(&'s mut self, host: &'s Host) -> BoxFuture<'s, Result<(), ExtensionError>> {
        async move {
            let place = format!("extensions.{}", self.id);
            let (host, about) = (host.clone(), Arc::clone(&self.about));
            let endpoint = self.config.endpoint.clone();
            let answers = move |request: &_| answer(request, &endpoint, &host, &about);
            let listening = Listening::start(&place, &self.config.endpoint, |listener, stop| {
                server::serve("zpages", listener, answers, stop)
            });
            self.running = Some(listening.await?);
            Ok(())
        }
        .boxed()
    }

    fn stop(&mut self, deadline: Instant) -> BoxFuture<'_, ()> {
        async move {
            if let Some(running) = self.running.take() {
                running.stop(deadline).await;
            }
        }
        .boxed()
    }
}

/// The Collector's pages, and the parts of ours that show the same.
const COLLECTORS: [(&str, &str); 4] = [
    ("/debug/servicez", "/#service"),
    ("/debug/pipelinez", "/#pipelines"),
    ("/debug/extensionz", "/#service"),
    ("/debug", "/"),
];

fn answer(request: &Request<Incoming>, endpoint: &str, host: &Host, about: &About) -> Response<Body> {
    let view = || View::of(host, about);
    if !names_this_host(request, endpoint) {
        return text(
            StatusCode::MISDIRECTED_REQUEST,
            "ask by an address, by localhost, or by the host in `endpoint`\n",
        );
    }
    let path = request.uri().path();
    let mut response =
        if let Some((_, part)) = COLLECTORS.iter().find(|(known, _)| path.trim_end_matches('/') == *known) {
            let mut response = text(StatusCode::TEMPORARY_REDIRECT, format!("see {part}\n"));
            response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(part));
            response
        } else if let Some(refusal) = only_get(request) {
            refusal
        } else {
            match path {
                "/" => {
                    let refreshes = request.uri().query() == Some(page::REFRESH);
                    typed(page::page(&view(), refreshes).into_string(), "text/html; charset=utf-8")
                }
                "/data.json" => match serde_json::to_string(&view()) {
                    Ok(json) => typed(json, "application/json"),
                    Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
                },
                records::PATH => records::answer(request.uri().query(), host),
                _ => text(
                    StatusCode::NOT_FOUND,
                    "not found: the page is at /, its numbers at /data.json, the records at /records\n",
                ),
            }
        };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A page of this process runs no script, loads nothing, and is in no frame.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

fn typed(body: String, content_type: &'static str) -> Response<Body> {
    let mut response = text(StatusCode::OK, body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Whether the request asks for this host by an address, by `localhost`, or by the name to listen on. A page of the
/// internet whose name was made to mean 127.0.0.1 (DNS rebinding) asks by that name, and must not read this one.
fn names_this_host(request: &Request<Incoming>, endpoint: &str) -> bool {
    let asked = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    asked.is_none_or(|asked| is_this_host(asked, endpoint))
}

fn is_this_host(asked: &str, endpoint: &str) -> bool {
    let host = host(asked);
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
        || host.eq_ignore_ascii_case("localhost")
        || host.eq_ignore_ascii_case(self::host(endpoint))
}

/// The host of `HOST:PORT` or `HOST`.
fn host(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_internet_is_not_this_host() {
        for asked in [
            "127.0.0.1:55679",
            "127.0.0.1",
            "[::1]:55679",
            "[::1]",
            "localhost:1",
            "LocalHost",
            "10.1.2.3:80",
            "Node:5",
        ] {
            assert!(is_this_host(asked, "node:55679"), "{asked}");
        }
        for asked in ["evil.example:55679", "evil.example", "127.0.0.1.evil.example", "", "localhost.evil:1"]
        {
            assert!(!is_this_host(asked, "node:55679"), "{asked}");
        }
    }
}
