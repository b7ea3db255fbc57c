//! Logging in and out, and the file that keeps the token.

use std::os::unix::fs::PermissionsExt as _;

use crate::coordinator::{Coordinator, LUCY};
use crate::person::Person;

#[test]
fn a_token_is_kept_for_its_owner_alone() {
    let coordinator = Coordinator::start();
    let lucy = Person::newcomer();
    let login = lucy.pipes(
        &format!("{LUCY}\n"),
        &format!("login {} --with-token", coordinator.url()),
    );
    insta::assert_snapshot!(login, @"
    $ pointsman login http://coordinator --with-token
    --- stderr
       Logged in  to example as lucy (admin)
            Undo  pointsman logout
    --- exit 0
    ");
    let file = lucy.file(".config/pointsman/config.toml");
    assert_eq!(
        fs_err::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(lucy.runs("whoami").exit, 0);
    insta::assert_snapshot!(lucy.runs("logout"), @"
    $ pointsman logout
    --- stderr
      Logged out  of http://coordinator
            Note  the token still works where it is known; make it void with `pointsman token revoke ID`
            Undo  pointsman login http://coordinator --with-token < token-file
    --- exit 0
    ");
    assert!(!fs_err::read_to_string(&file).unwrap().contains(LUCY));
    assert_eq!(lucy.runs("whoami").exit, 4);
}

#[test]
fn a_refused_token_is_not_kept() {
    let coordinator = Coordinator::start();
    let lucy = Person::newcomer();
    let login = lucy.pipes(
        "pmn_wrong\n",
        &format!("login {} --with-token", coordinator.url()),
    );
    assert_eq!(login.exit, 4, "{login}");
    assert!(!lucy.file(".config/pointsman/config.toml").exists());
}

#[test]
fn a_token_does_not_go_to_another_server() {
    let (ours, other) = (Coordinator::start(), Coordinator::start());
    let lucy = Person::newcomer();
    lucy.pipes(LUCY, &format!("login {} --with-token", ours.url()));
    assert_eq!(lucy.runs("status").exit, 0);
    assert_eq!(lucy.runs(&format!("status --url {}", other.url())).exit, 4);
}

#[test]
fn a_token_is_never_an_argument() {
    let lucy = Person::newcomer();
    assert_eq!(
        lucy.runs("login http://127.0.0.1:9 --with-token pmn_lucy_secret")
            .exit,
        2
    );
    assert_eq!(lucy.runs("login http://127.0.0.1:9").exit, 2);
    assert_eq!(
        lucy.runs("login http://lucy:secret@127.0.0.1:9 --with-token")
            .exit,
        2
    );
    insta::assert_snapshot!(lucy.runs("login http://127.0.0.1:9 --with-token"), @"
    $ pointsman login http://coordinator --with-token
    --- stderr
    error: stdin holds no token
     help: give the token alone in one line: pointsman login URL --with-token < token-file
    --- exit 2
    ");
}

#[test]
fn a_typed_token_is_not_shown() {
    let coordinator = Coordinator::start();
    let lucy = Person::newcomer();
    let mut sitting = lucy.types(100, &format!("login {} --with-token", coordinator.url()));
    sitting.sees("Token (not shown):");
    sitting.answers(&format!("{LUCY}\n"));
    let screen = sitting.ends();
    assert_eq!(screen.exit, 0, "{screen}");
    assert!(!screen.text.contains(LUCY), "{screen}");
}

#[test]
fn a_file_that_others_can_read_is_reported() {
    let coordinator = Coordinator::start();
    let lucy = Person::newcomer();
    lucy.pipes(LUCY, &format!("login {} --with-token", coordinator.url()));
    let file = lucy.file(".config/pointsman/config.toml");
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let run = lucy.runs("whoami");
    assert!(run.stderr.contains("others can read it; run: chmod 600"), "{run}");
}

#[test]
fn a_damaged_file_is_named() {
    let lucy = Person::newcomer();
    let file = lucy.file(".config/pointsman/config.toml");
    fs_err::create_dir_all(file.parent().unwrap()).unwrap();
    fs_err::write(&file, "ulr = 'http://127.0.0.1'\n").unwrap();
    let run = lucy.runs("status");
    assert_eq!(run.exit, 2, "{run}");
    assert!(run.stderr.contains("config.toml is not a settings file"), "{run}");
    assert!(run.stderr.contains("unknown field `ulr`"), "{run}");
}

#[test]
fn a_private_ca_is_named_once_and_kept_with_the_token() {
    let coordinator = Coordinator::start_with_tls();
    let lucy = Person::newcomer();
    let login = format!("login {} --with-token", coordinator.url());
    insta::assert_snapshot!(lucy.pipes(LUCY, &login), @"
    $ pointsman login https://coordinator --with-token
    --- stderr
    error: cannot reach the coordinator at https://coordinator
    cause: invalid peer certificate: UnknownIssuer
     help: its certificate is of no CA that is trusted here: name the file of its CA (PEM) in --ca-file or POINTSMAN_CA_FILE
    --- exit 1
    ");
    fs_err::write(lucy.file("ca.pem"), "nothing").unwrap();
    insta::assert_snapshot!(lucy.pipes(LUCY, &format!("{login} --ca-file ca.pem")), @"
    $ pointsman login https://coordinator --with-token --ca-file ca.pem
    --- stderr
    error: ca.pem holds no certificates
    cause: it is not PEM, or empty
     help: name a file of CA certificates (PEM): --ca-file, POINTSMAN_CA_FILE
    --- exit 2
    ");
    fs_err::write(lucy.file("ca.pem"), coordinator.certificate.as_ref().unwrap()).unwrap();
    let run = lucy.pipes(LUCY, &format!("{login} --ca-file ca.pem"));
    assert_eq!(run.exit, 0, "{run}");

    // Kept with its whole path: the next command may run anywhere.
    let mut elsewhere = lucy.command("status");
    let output = elsewhere.current_dir("/").output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let somebody = Person::with(&coordinator, LUCY);
    let mut named = somebody.command("status");
    let named = named
        .env("POINTSMAN_CA_FILE", lucy.file("ca.pem"))
        .output()
        .unwrap();
    assert!(
        named.status.success(),
        "{}",
        String::from_utf8_lossy(&named.stderr)
    );
}
