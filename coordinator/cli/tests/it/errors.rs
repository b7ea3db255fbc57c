//! Errors: what, why, what to do, and the exit code.

use crate::coordinator::{Coordinator, LUCY, VERA};
use crate::person::Person;

#[test]
fn the_exit_codes_are_documented() {
    insta::assert_snapshot!(Person::newcomer().runs("help exit-codes"), @"
    $ pointsman help exit-codes
    --- stdout
      0  done
      1  failed
      2  the command line, or a file or value it names, is wrong; nothing was changed
      3  cancelled by someone, or superseded by a newer wish
      4  not logged in, or the token is not accepted
      5  refused by a policy, a lock, a stop or the present state
      6  there is no such thing
      7  the time was up, or the coordinator stopped answering; the work goes on
      8  failed and rolled back; the service runs what it ran before
    130  Ctrl-C; what was followed goes on
    --- exit 0
    ");
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let newcomer = Person::newcomer();
    insta::assert_snapshot!(newcomer.runs("deploy shop 1.9.1"), @r#"
    $ pointsman deploy shop 1.9.1
    --- stderr
    error: invalid value 'shop' for '<PROJECT@ENVIRONMENT>': "shop" is not a valid target: write project@environment, such as shop@production

    For more information, try '--help'.
    --- exit 2
    "#);
    insta::assert_snapshot!(newcomer.runs("deplyo shop@production 1.9.1"), @"
    $ pointsman deplyo shop@production 1.9.1
    --- stderr
    error: unrecognized subcommand 'deplyo'

      tip: some similar subcommands exist: 'apply', 'delivery', 'deployments', 'deploy'

    Usage: pointsman [OPTIONS] <COMMAND>

    For more information, try '--help'.
    --- exit 2
    ");
    insta::assert_snapshot!(newcomer.runs("help nonsense"), @r#"
    $ pointsman help nonsense
    --- stderr
    error: there is no command "nonsense"
     help: pointsman --help lists them
    --- exit 2
    "#);
    assert_eq!(newcomer.runs("").exit, 2);
}

#[test]
fn help_goes_to_stdout() {
    let run = Person::newcomer().runs("help hosts invite");
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{run}");
    assert!(run.stdout.contains("Usage: pointsman hosts invite"), "{run}");
    let run = Person::newcomer().runs("--help");
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{run}");
}

#[test]
fn without_a_token_nothing_is_sent() {
    let coordinator = Coordinator::start();
    let newcomer = Person::newcomer();
    insta::assert_snapshot!(newcomer.runs("status"), @"
    $ pointsman status
    --- stderr
    error: no coordinator is named
     help: pointsman login URL --with-token < token-file; or pass --url or set POINTSMAN_URL
    --- exit 2
    ");
    insta::assert_snapshot!(newcomer.runs(&format!("status --url {}", coordinator.url())), @"
    $ pointsman status --url http://coordinator
    --- stderr
    error: not logged in to http://coordinator
     help: pointsman login http://coordinator --with-token < token-file; or set POINTSMAN_TOKEN
    --- exit 4
    ");
}

#[test]
fn a_refused_token_is_not_logged_in() {
    let coordinator = Coordinator::start();
    insta::assert_snapshot!(Person::with(&coordinator, "pmn_old").runs("status"), @"
    $ pointsman status
    --- stderr
    error: the token is not accepted
    cause: no such token, or it was revoked
     help: pointsman login --with-token < token-file; or set POINTSMAN_TOKEN
    --- exit 4
    ");
}

#[test]
fn what_may_not_be_done_is_refused() {
    let coordinator = Coordinator::start();
    insta::assert_snapshot!(Person::with(&coordinator, VERA).runs("deploy shop@production 1.9.1"), @"
    $ pointsman deploy shop@production 1.9.1
    --- stderr
    error: vera may not do this
    cause: it needs the role deployer, vera is a viewer
     help: ask an admin
    --- exit 5
    ");
    coordinator.world().lock = Some("by max until 14:00: hotfix running".to_owned());
    insta::assert_snapshot!(Person::with(&coordinator, LUCY).runs("deploy shop@production 1.9.1"), @"
    $ pointsman deploy shop@production 1.9.1
    --- stderr
    error: shop@production is locked
    cause: by max until 14:00: hotfix running
     help: wait until the lock ends, or ask its owner
    --- exit 5
    ");
}

#[test]
fn a_misspelt_name_is_answered_with_the_right_one() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("versions shopp"), @r#"
    $ pointsman versions shopp
    --- stderr
    error: there is no project "shopp"
     help: did you mean shop?
    --- exit 6
    "#);
    insta::assert_snapshot!(lucy.runs("build shop --ref mian"), @r#"
    $ pointsman build shop --ref mian
    --- stderr
    error: there is no ref "mian"
     help: did you mean main?
    --- exit 6
    "#);
    assert_eq!(lucy.runs("status shopp").exit, 6);
    assert_eq!(lucy.runs("deploy shop@prodution 1.9.1").exit, 6);
    assert_eq!(lucy.runs("cancel 999").exit, 6);
}

#[test]
fn requests_are_told_with_v() {
    let coordinator = Coordinator::start();
    let run = Person::lucy(&coordinator).runs("versions shopp -v");
    insta::assert_snapshot!(run, @r#"
    $ pointsman versions shopp -v
    --- stderr
    GET http://coordinator/api/v1/projects/shopp/releases?limit=50 404 <n> ms
    error: there is no project "shopp"
     help: did you mean shop?
    request 0193-request
    --- exit 6
    "#);
}

#[test]
fn nobody_listens() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    // Port 9 (discard) of the loopback is not served by anything we run.
    insta::assert_snapshot!(lucy.runs("status --url http://127.0.0.1:9"), @"
    $ pointsman status --url http://coordinator
    --- stderr
    error: cannot reach the coordinator at http://coordinator
    cause: Connection refused (os error 111)
     help: check the address (--url, POINTSMAN_URL, `pointsman login`) and that the coordinator runs
    --- exit 1
    ");
}

#[test]
fn something_else_listens() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs(&format!("status --url {}/elsewhere", coordinator.url())), @"
    $ pointsman status --url http://coordinator/elsewhere
    --- stderr
    error: http://coordinator/elsewhere/api/v1/status?limit=200 answers, but not as a coordinator does
    cause: HTTP status 404 Not Found without an explanation
     help: check the address (--url, POINTSMAN_URL, `pointsman login`) and that the coordinator runs
    --- exit 1
    ");
}

#[test]
fn colours_are_for_terminals_and_can_be_switched_off() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let escape = |output: &[u8]| output.contains(&0x1b);
    let forced = lucy
        .command("status")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(escape(&forced.stdout));
    let forbidden = lucy
        .command("status --no-color")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(!escape(&forbidden.stdout) && !escape(&forbidden.stderr));
    let piped = lucy.command("status").output().unwrap();
    assert!(!escape(&piped.stdout));
}
