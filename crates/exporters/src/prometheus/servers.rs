//! The servers of `prometheus` exporters, by endpoint. A server outlives a reload: a changed exporter gives it another
//! table, and no scrape is refused.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio::time::Instant;

use super::accept::Format;
use super::page;
use super::table::Table;
use crate::http::{Body, not_metrics, serve, text};

/// The running servers.
#[derive(Default)]
pub struct Servers(Mutex<BTreeMap<String, Weak<Served>>>);

/// A running server.
pub(super) struct Served {
    shown: Arc<RwLock<Arc<Table>>>,
    /// The server ends when this is dropped.
    _stop: watch::Sender<()>,
}

impl Servers {
    /// Shows a table at an endpoint from now on.
    ///
    /// # Errors
    /// It can't be listened on.
    pub(super) fn serve(&self, endpoint: &str, table: Arc<Table>) -> io::Result<Arc<Served>> {
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(served) = servers.get(endpoint).and_then(Weak::upgrade) {
            *served.shown.write().unwrap_or_else(PoisonError::into_inner) = table;
            return Ok(served);
        }
        let listener = TcpListener::bind(endpoint)?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let shown = Arc::new(RwLock::new(table));
        let (stop, stopped) = watch::channel(());
        let source = Arc::clone(&shown);
        let answer = move |request: &Request<Incoming>| {
            let table = Arc::clone(&source.read().unwrap_or_else(PoisonError::into_inner));
            answer(request, &table)
        };
        tokio::spawn(serve("prometheus exporter", listener, answer, stopped));
        let served = Arc::new(Served { shown, _stop: stop });
        servers.insert(endpoint.to_owned(), Arc::downgrade(&served));
        Ok(served)
    }
}

fn answer(request: &Request<Incoming>, table: &Arc<Table>) -> Response<Body> {
    if let Some(refusal) = not_metrics(request) {
        return refusal;
    }
    let accept = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = Format::preferred(&accept.collect::<Vec<_>>().join(","));
    match page::write(table, format, Instant::now()) {
        Ok(page) => {
            let mut response = text(StatusCode::OK, page);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
            headers.insert(VARY, HeaderValue::from_static("Accept"));
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}
