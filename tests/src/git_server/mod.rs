//! Real git servers on loopback, as a company has them: https with a certificate of a private CA, ssh with keys.

mod https;
mod ssh;

pub use https::HttpsServer;
pub use ssh::SshServer;
