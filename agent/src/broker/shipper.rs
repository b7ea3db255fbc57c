//! Sends the log spool; a chunk is forgotten when the broker has it.

use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::wire::SigningKey;
use pointsman_shared::wire::topology::{LOGS, log_key};
use tokio_util::sync::CancellationToken;

use super::Publisher;
use crate::describe::describe;
use crate::spool::LogSpool;

/// Pause after a chunk that was not confirmed.
const UNCONFIRMED: Duration = Duration::from_secs(1);

/// Ships until `stop`.
pub async fn ship_logs(
    spool: Arc<LogSpool>,
    mut publisher: Publisher,
    key: Arc<SigningKey>,
    stop: CancellationToken,
) {
    let shipping = async {
        while publisher.until_connected().await {
            let Some((number, chunk)) = spool.after(0) else {
                spool.news().await;
                continue;
            };
            let bytes = key.sign_log_chunk(&chunk).to_bytes();
            match publisher
                .publish(&LOGS, &log_key(&chunk.host, chunk.stream), &bytes, None)
                .await
            {
                Ok(()) => spool.sent(number),
                Err(error) => {
                    tracing::warn!(
                        seq = chunk.seq,
                        error = describe(&error),
                        "a log chunk was not sent, trying again"
                    );
                    tokio::time::sleep(UNCONFIRMED).await;
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = shipping => {}
    }
}
