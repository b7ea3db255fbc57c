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
    // From 224 on nobody's own: multicast and reserved.
    first >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || first == 0
        || (first == 100 && (64..128).contains(&second))
}

fn is_inner_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, ..] = address.segments();
    let [.., a, b, c, d] = address.octets();
    // NAT64 and 6to4 carry an address of version 4 inside.
    let translated = (first == 0x64 && second == 0xff9b).then(|| Ipv4Addr::new(a, b, c, d));
    let tunnelled = (first == 0x2002).then(|| {
        let ([a, b], [c, d]) = (second.to_be_bytes(), third.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    });
    address
        .to_ipv4()
        .or(translated)
        .or(tunnelled)
        .is_some_and(is_inner_v4)
        || address.is_multicast()
        || (first & 0xffc0) == 0xfec0
        || address.is_loopback()
        || address.is_unspecified()
        || (first & 0xfe00) == 0xfc00
        || (first & 0xffc0) == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_known_in_every_dress() {
        for inner in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:a00:1::1",
        ] {
            assert!(is_inner(inner.parse().unwrap()), "{inner}");
        }
        for outer in [
            "1.1.1.1",
            "100.128.0.1",
            "223.255.255.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "2002:101:101::",
        ] {
            assert!(!is_inner(outer.parse().unwrap()), "{outer}");
        }
    }
}
