//! The rules of addresses, refs and commits, by example and by property.

use proptest::prelude::*;

use super::{CommitId, GitRef, Protocol, RepositoryUrl};

#[test]
fn addresses_are_rebuilt_in_one_form() {
    for (text, canonical) in [
        (
            "https://GitHub.com/acme/shop.git",
            "https://github.com/acme/shop.git",
        ),
        (
            "https://git.acme.example:443/shop/",
            "https://git.acme.example/shop",
        ),
        (
            "https://git.acme.example:8443/shop",
            "https://git.acme.example:8443/shop",
        ),
        ("https://[2001:DB8::0001]/shop", "https://[2001:db8::1]/shop"),
        (
            "ssh://git@git.acme.example:22/shop.git",
            "ssh://git@git.acme.example/shop.git",
        ),
        (
            "ssh://git.acme.example:2222/~deploy/shop",
            "ssh://git.acme.example:2222/~deploy/shop",
        ),
        ("git@github.com:acme/shop.git", "git@github.com:acme/shop.git"),
        ("backup:shop.git", "backup:shop.git"),
        ("/srv/git/shop", "file:///srv/git/shop"),
        ("file:///srv/git/my%20shop/", "file:///srv/git/my shop"),
        ("/srv/git/50%/größe", "file:///srv/git/50%25/größe"),
    ] {
        let url: RepositoryUrl = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(url.to_string(), canonical);
        assert_eq!(canonical.parse(), Ok(url));
    }
}

#[test]
fn dangerous_addresses_are_refused() {
    for text in [
        "",
        "-",
        "--upload-pack=touch /tmp/x;false",
        "-oProxyCommand=sh",
        "ext::sh -c id",
        "ext::sh",
        "fd::7",
        "http://git.acme.example/shop",
        "git://git.acme.example/shop",
        "ftp://a/b",
        "HTTPS://a/b",
        "https:///shop",
        "https://git.acme.example",
        "https://git.acme.example/",
        "ssh://-oProxyCommand=id/shop",
        "ssh://a@-o/shop",
        "ssh://-a@b/shop",
        "-a@b:shop",
        "-b:shop",
        "a@b:-shop",
        "a@b:",
        "https://a b/c",
        "https://a/b c",
        "https://a/../b",
        "https://a/b?x=y",
        "https://a/b#c",
        "https://a:0/b",
        "https://a:70000/b",
        "https://a:/b",
        "https://a:+1/b",
        "https://[::1/b",
        "https://[::1]x/b",
        "https://[zz]/b",
        "https://a/$(id)",
        "https://a/`id`",
        "a@b:;id",
        "a@b:|id",
        "./shop",
        "../shop",
        "shop",
        "~/shop",
        "file://shop",
        "file://host/../x",
        "/srv/../etc",
        "/srv//x",
        "/",
        "file:///%0a",
        "file:///%zz",
        "/srv/a\nb",
        "https://a/b\0",
        "https://a/\u{202e}b",
        "file:///%ff",
        "file::relative/x:y z",
    ] {
        assert!(text.parse::<RepositoryUrl>().is_err(), "{text:?} was accepted");
    }
}

#[test]
fn credentials_are_refused_and_not_repeated() {
    for text in [
        "https://user:s3cret@github.com/acme/shop",
        "https://s3cret@github.com/acme/shop",
        "https://us/er:s3cret@github.com",
        "ssh://git:s3cret@github.com/acme/shop",
        "git:s3cret@github.com:acme/shop",
        "http://user:s3cret@github.com/acme/shop",
        "https://github.com/acme/shop?access_token=s3cret",
    ] {
        let error = text.parse::<RepositoryUrl>().expect_err(text).to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn inner_addresses_are_known() {
    for text in [
        "https://localhost/a",
        "https://127.0.0.1:8443/a",
        "https://10.1.2.3/a",
        "https://169.254.169.254/a",
        "git@192.168.0.5:a",
        "https://[::1]/a",
        "https://[fd00::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://127.1/a",
        "https://2130706433/a",
        "https://0x7f.0x1/a",
        "https://100.64.0.1/a",
    ] {
        assert!(
            text.parse::<RepositoryUrl>()
                .is_ok_and(|url| url.names_inner_address()),
            "{text}"
        );
    }
    for text in [
        "https://github.com/a",
        "https://93.184.216.34/a",
        "/srv/git/a",
        "https://[2001:db8::1]/a",
    ] {
        assert!(
            text.parse::<RepositoryUrl>()
                .is_ok_and(|url| !url.names_inner_address()),
            "{text}"
        );
    }
}

#[test]
fn refs_follow_git_and_hold_nothing_else() {
    for good in [
        "main",
        "v1.9.1",
        "feature/login",
        "1.0+build.5",
        "dependabot/npm_and_yarn/x-1.2",
        "HEAD",
        "a.b",
    ] {
        assert!(good.parse::<GitRef>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "-x",
        "--upload-pack=id",
        "--output=f",
        "+main",
        "/main",
        "main/",
        "a//b",
        "a..b",
        "a.",
        ".a",
        "a/.b",
        "a.lock",
        "a/b.LOCK/c",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a?b",
        "a*",
        "a[b",
        "a\\b",
        "a@{1}",
        "@",
        "a\n",
        "größe",
        "a\0b",
        "$(id)",
        &"a".repeat(202),
    ] {
        assert!(bad.parse::<GitRef>().is_err(), "{bad:?}");
    }
}

#[test]
fn commit_prefixes_have_seven_digits() {
    let prefix = |text: &str| {
        text.parse::<GitRef>()
            .ok()
            .and_then(|name| name.as_commit_prefix())
    };
    assert_eq!(prefix("3F9C1E2"), Some("3f9c1e2".to_owned()));
    assert_eq!(prefix("3f9c1e"), None);
    assert_eq!(prefix("3f9c1eg"), None);
}

#[test]
fn commits_are_full_and_lowercase() {
    assert!(
        "a".repeat(40)
            .parse::<CommitId>()
            .is_ok_and(|commit| commit.short().len() == 12)
    );
    assert!("0".repeat(64).parse::<CommitId>().is_ok());
    for bad in [
        String::new(),
        "a".repeat(39),
        "A".repeat(40),
        "g".repeat(40),
        "a".repeat(65),
        "é".repeat(20),
    ] {
        assert!(bad.parse::<CommitId>().is_err(), "{bad}");
    }
}

#[test]
fn serde_refuses_what_parsing_refuses() {
    assert!(serde_json::from_str::<RepositoryUrl>("\"ext::id\"").is_err());
    assert!(serde_json::from_str::<GitRef>("\"-x\"").is_err());
    let url: RepositoryUrl = serde_json::from_str("\"/srv/a\"").expect("valid");
    assert_eq!(
        serde_json::to_string(&url).expect("a string"),
        "\"file:///srv/a\""
    );
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_harmless_and_stable(text in "(https://|ssh://|file://|/)?[ -~é]{0,40}") {
        if let Ok(url) = text.parse::<RepositoryUrl>() {
            let canonical = url.to_string();
            prop_assert!(!canonical.starts_with('-'));
            prop_assert!(!canonical.contains("::") || canonical.contains('[') || url.protocol() == Protocol::File);
            prop_assert!(!url.host().is_some_and(|host| host.starts_with('-')));
            prop_assert_eq!(canonical.parse(), Ok(url));
        }
    }

    #[test]
    fn wild_text_never_panics(text in any::<String>()) {
        drop(text.parse::<RepositoryUrl>());
        drop(text.parse::<GitRef>());
        drop(text.parse::<CommitId>());
    }

    #[test]
    fn accepted_refs_are_stable(text in "[a-z0-9./_+@{~ -]{0,12}") {
        if let Ok(name) = text.parse::<GitRef>() {
            prop_assert!(name.as_str() == text && !text.starts_with('-') && !text.contains(".."));
        }
    }
}
