//! Which addresses no public server has, so that nobody can have a coordinator knock at doors inside its own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether it is an address of this machine, of a private network or of a link, in whatever way it is written.
pub fn is_inner(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_inner_v4(address),
        IpAddr::V6(address) => is_inner_v6(address),
    }
}

fn is_inner_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || first == 0
        || (first == 100 && (64..128).contains(&second))
}

fn is_inner_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    address.to_ipv4().is_some_and(is_inner_v4)
        || address.is_loopback()
        || address.is_unspecified()
        || (first & 0xfe00) == 0xfc00
        || (first & 0xffc0) == 0xfe80
}
