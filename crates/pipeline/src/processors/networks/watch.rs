//! Reads the file of networks again when it changes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::warn;

use super::config::{NetworksConfig, read};
use super::table::Table;
use crate::config::Problem;
use crate::rotating::Rotating;

/// Time between two looks at the file.
const LOOK: Duration = Duration::from_secs(5);

/// The table, which changes with the file until the receiver is dropped.
pub(super) fn start(config: &NetworksConfig) -> watch::Receiver<Arc<Table>> {
    let Some(file) = config.file.clone() else {
        return watch::channel(Arc::new(Table::new(config, &[]))).1;
    };
    let own = config.clone();
    let path = file.clone();
    let make = move || {
        let in_file = read(&path).map_err(|error| vec![Problem::at("file", error)])?;
        Ok(Arc::new(Table::new(&own, &in_file)))
    };
    let rotating = match Rotating::new(vec![file], make) {
        Ok(rotating) => Arc::new(rotating),
        Err(problems) => {
            // It could be read when the configuration was checked.
            warn!(problems = Problem::join(&problems), "networks: the file can't be read, and is left out");
            return watch::channel(Arc::new(Table::new(config, &[]))).1;
        }
    };
    let (sender, receiver) = watch::channel(rotating.current().1);
    tokio::spawn(async move {
        let mut last = 0;
        loop {
            tokio::select! {
                () = sender.closed() => return,
                () = sleep(LOOK) => {}
            }
            let rotating = Arc::clone(&rotating);
            if let Ok((number, table)) = spawn_blocking(move || rotating.current()).await
                && number != last
            {
                last = number;
                sender.send_replace(table);
            }
        }
    });
    receiver
}
