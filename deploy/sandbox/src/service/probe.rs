//! Whether a service answers in its own protocol; an open port alone says nothing.

use std::net::SocketAddrV4;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(2);

/// The first byte that the server at `address` answers to `greeting`.
async fn first_byte(address: SocketAddrV4, greeting: &[u8]) -> Option<u8> {
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(greeting).await?;
        stream.read_u8().await
    };
    tokio::time::timeout(LIMIT, talk).await.ok()?.ok()
}

/// PostgreSQL asks for a password once it takes connections; while it starts it answers with an error.
pub(super) async fn postgres_answers(address: SocketAddrV4) -> bool {
    // Startup message: length, protocol 3.0, user and database, end.
    let body = b"\0\x03\0\0user\0admin\0database\0postgres\0\0";
    let length = u32::try_from(body.len() + 4).unwrap_or_default();
    let greeting = [&length.to_be_bytes()[..], body].concat();
    first_byte(address, &greeting).await == Some(b'R')
}

/// RabbitMQ begins with a method frame.
pub(super) async fn amqp_answers(address: SocketAddrV4) -> bool {
    first_byte(address, b"AMQP\0\0\x09\x01").await == Some(1)
}
