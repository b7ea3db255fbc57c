//! What to do about a TLS connection that was refused.
//!
//! It reads the words of the TLS library, because the error itself lies below those of HTTP and AMQP clients and is
//! another one in each. The tests of agent, coordinator and CLI hold these words to real handshakes. This module refuses
//! to suggest that a certificate should not be checked.

/// What a person can do, when `words` (an error with its causes) tell of a certificate that was not accepted. `setting`
/// is where that person names the CA.
pub fn advice(words: &str, setting: &str) -> Option<String> {
    let says = |part: &str| words.contains(part);
    let advice = if says("InvalidContentType") {
        "the other side does not speak TLS there: use its TLS port, or an address without TLS".to_owned()
    } else if !says("invalid peer certificate") {
        return None;
    } else if says("certificate expired") {
        "its certificate has expired: renew it there (and see that this machine's clock is right)".to_owned()
    } else if says("not valid yet") {
        "its certificate is not valid yet: see that this machine's clock is right".to_owned()
    } else if says("not valid for name") || says("NotValidForName") {
        "its certificate is for other names: use one of them in the address, or have this one put into the certificate"
            .to_owned()
    } else if says("CaUsedAsEndEntity") {
        "it shows the certificate of a CA: have that CA issue one for the server (basicConstraints CA:FALSE)"
            .to_owned()
    } else if says("UnsupportedCertVersion") {
        "its certificate is of X.509 version 1: issue it again with a subjectAltName, which makes it version 3".to_owned()
    } else {
        // `BadSignature`: another CA of the same name.
        format!(
            "its certificate is of no CA that is trusted here: name the file of its CA (PEM) in {setting}"
        )
    };
    Some(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_own_advice() {
        for (words, part) in [
            (
                "invalid peer certificate: UnknownIssuer",
                "name the file of its CA (PEM) in broker.ca_file",
            ),
            ("invalid peer certificate: BadSignature", "broker.ca_file"),
            (
                "connecting: invalid peer certificate: certificate expired: verification time 9 (UNIX)",
                "renew it",
            ),
            (
                "invalid peer certificate: certificate not valid yet: verification",
                "clock",
            ),
            (
                "invalid peer certificate: certificate not valid for name \"a\"; certificate",
                "other names",
            ),
            ("invalid peer certificate: CaUsedAsEndEntity", "CA:FALSE"),
            (
                "invalid peer certificate: Other(OtherError(UnsupportedCertVersion))",
                "subjectAltName",
            ),
            (
                "received corrupt message of type InvalidContentType",
                "does not speak TLS",
            ),
        ] {
            let advice = advice(words, "broker.ca_file").unwrap_or_default();
            assert!(advice.contains(part), "{words}: {advice}");
        }
        assert_eq!(
            advice("Connection refused (os error 111)", "broker.ca_file"),
            None
        );
    }
}
