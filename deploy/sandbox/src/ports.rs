//! Free loopback ports, known before anybody listens on them.
//!
//! Ports come from below the range of outgoing connections: a port of that range can be taken by any client while a
//! killed service is down, even by the very client that tries to reach it. A port is held for the sandbox's life by an
//! abstract socket (no file, gone with the process), so that two sandboxes never pick the same.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

use crate::error::{Error, Result};
use crate::random;

const LOWEST: u16 = 20_000;
const HIGHEST: u16 = 32_000;

/// A loopback port that no other sandbox takes as long as this value lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _held: UnixListener,
}

impl Port {
    /// Reserves some free port.
    pub fn reserve() -> Result<Self> {
        let top = HIGHEST.min(first_outgoing_port().saturating_sub(1));
        // Where outgoing connections may use everything, the ports below 20000 are as good as any.
        let (low, high) = if top > LOWEST + 500 {
            (LOWEST, top)
        } else {
            (LOWEST / 2, LOWEST)
        };
        let span = u32::from(high - low);
        let start = random::below(span);
        (0..span)
            .find_map(|step| {
                let offset = u16::try_from((start + step) % span).ok()?;
                Self::try_reserve(low + offset)
            })
            .ok_or_else(|| Error::Unexpected(format!("no free loopback port between {low} and {high}")))
    }

    fn try_reserve(number: u16) -> Option<Self> {
        let name = SocketAddr::from_abstract_name(format!("pointsman-sandbox-port-{number}")).ok()?;
        let held = UnixListener::bind_addr(&name).ok()?;
        // Some programs listen on every address: a port in use there is not free either.
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        Some(Self { number, _held: held })
    }

    /// The number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The loopback address with this port.
    pub fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.number)
    }
}

fn first_outgoing_port() -> u16 {
    fs_err::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(32_768)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_reservations_never_give_the_same_port() {
        let ports: Vec<Port> = (0..50).map(|_| Port::reserve().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 50);
        assert!(numbers.iter().all(|number| *number < first_outgoing_port()));
    }
}
